// hyper_mdp.c - the hyper-state (Algorithm 1, line 8): measured, then scaled.
//
// Two features cost something to measure. The critic loss is taken on a fresh batch, in the ratio
// in which the policy is trained, a chunk of rows at a time. The policy change compares the
// densities of recent real actions, as stored when they were taken, with those of the policy now;
// it is measured once an epoch and kept in between. What is drawn comes from a stream for this
// alone, so that looking at a run does not change it.
//
// Every feature is a raw value and a scaled one, and both are recorded: the controller learns from
// the scaled, while people, audits and warnings about ranges never seen look at the raw. What is
// not finite becomes 1.
#include "hyper/hyper_mdp.h"

#include <math.h>
#include <string.h>

// Rows that a feature is measured on at a time.
#define CHUNK 2000

// The release cuts log-densities and density differences at 100 (docs/algorithms.md, section 2).
#define DENSITY_LIMIT 100.0

static const char* const features[FEATURE_COUNT] = {
    "progress",    "model_loss", "critic_loss",    "policy_change",
    "eval_return", "real_ratio", "policy_updates", "rollout_length",
};

const char* feature_name(HyperFeature feature) { return features[feature]; }

static double chunked_critic_loss(Mbpo* m, bool imagined, int64_t count, Rng* rng) {
  if (count == 0) {
    return 0;
  }
  ArenaMark mark = arena_mark(m->arena);
  Batch batch;
  batch_init(&batch, CHUNK, m->sac.obs_size, m->sac.act_size, m->arena);
  Real* noise = ARENA_NEW(m->arena, CHUNK * m->sac.act_size, Real);
  double sum = 0;
  for (int64_t done = 0; done < count; done += batch.size) {
    batch.size = (int)(count - done < CHUNK ? count - done : CHUNK);
    if (imagined) {
      imagined_sample(&batch, 0, batch.size, &m->imagined, rng);
    } else {
      replay_sample(&batch, 0, batch.size, &m->real, rng);
    }
    rng_fill_normal(noise, (int64_t)batch.size * m->sac.act_size, rng);
    sum += sac_critic_loss(&m->sac, &batch, noise) * batch.size;
  }
  arena_release(m->arena, mark);
  return sum;
}

// Mean critic loss on a fresh batch, mixed in the current ratio; before there is imaginary data, on
// one SAC batch of real data.
static double measure_critic_loss(Mbpo* m, int64_t batch, Rng* rng) {
  if (m->imagined.size == 0) {
    int64_t real = m->batch.size;
    return chunked_critic_loss(m, false, real, rng) / (double)real;
  }
  int64_t real = (int64_t)((double)batch * m->real_ratio);
  double sum = chunked_critic_loss(m, false, real, rng);
  sum += chunked_critic_loss(m, true, batch - real, rng);
  return sum / (double)batch;
}

static double density(double logp) {
  double cut = isnan(logp) ? 0 : fmax(-DENSITY_LIMIT, fmin(DENSITY_LIMIT, logp));
  return exp(cut);
}

// Mean |pi(a|s) - pi_D(a|s)| over the newest real transitions, each cut at 100.
static double measure_policy_change(Mbpo* m, int64_t rows) {
  int O = m->sac.obs_size;
  int A = m->sac.act_size;
  int64_t count = rows < m->real.size ? rows : m->real.size;
  if (count == 0) {
    return 0;
  }
  ArenaMark mark = arena_mark(m->arena);
  Real* obs = ARENA_NEW(m->arena, count * O, Real);
  Real* act = ARENA_NEW(m->arena, count * A, Real);
  Real* logp = ARENA_NEW(m->arena, count, Real);
  int64_t first = m->real.size - count;
  for (int64_t i = 0; i < count; i++) {
    const Real* row = replay_row(&m->real, first + i);
    memcpy(obs + i * O, transition_obs(&m->real.row, row), (size_t)O * sizeof(Real));
    memcpy(act + i * A, transition_act(&m->real.row, row), (size_t)A * sizeof(Real));
  }
  sac_logp(logp, &m->sac, obs, act, (int)count);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const Real* row = replay_row(&m->real, first + i);
    double old = density((double)transition_logp(&m->real.row, row));
    sum += fmin(DENSITY_LIMIT, fabs(density((double)logp[i]) - old));
  }
  arena_release(m->arena, mark);
  return sum / (double)count;
}

static double scale(double value, const OptionList* range, double smallest) {
  double low = range->value[0];
  double high = range->value[1];
  double scaled = isfinite(value) ? (value - low) / (high - low) : 1.0;
  return fmax(smallest, fmin(1.0, scaled));
}

void hyper_scale(HyperState* s, const HyperOptions* o) {
  const OptionList unit = {2, {0, 1}};
  const OptionList updates = {2, {0, o->policy_updates_max}};
  const OptionList length = {2, {0, o->rollout_length_max}};
  const OptionList* ranges[FEATURE_COUNT] = {
      [FEATURE_PROGRESS] = &unit,
      [FEATURE_MODEL_LOSS] = &o->scale_model_loss,
      [FEATURE_CRITIC_LOSS] = &o->scale_critic_loss,
      [FEATURE_POLICY_CHANGE] = &o->scale_policy_change,
      [FEATURE_EVAL_RETURN] = &o->scale_eval_return,
      [FEATURE_REAL_RATIO] = &unit,
      [FEATURE_POLICY_UPDATES] = &updates,
      [FEATURE_ROLLOUT_LENGTH] = &length,
  };
  for (int f = 0; f < FEATURE_COUNT; f++) {
    s->scaled[f] = scale(s->raw[f], ranges[f], o->feature_min);
  }
}

void hyper_state(HyperState* s, Mbpo* m, const HyperOptions* o, double* policy_change, Rng* rng) {
  if (m->step == 0) {
    *policy_change = measure_policy_change(m, o->policy_change_rows);
  }
  s->raw[FEATURE_PROGRESS] = mbpo_progress(m);
  s->raw[FEATURE_MODEL_LOSS] = isnan(m->validation_loss) ? 0 : m->validation_loss;
  s->raw[FEATURE_CRITIC_LOSS] = measure_critic_loss(m, o->critic_loss_batch, rng);
  s->raw[FEATURE_POLICY_CHANGE] = *policy_change;
  s->raw[FEATURE_EVAL_RETURN] = m->eval_mean;
  s->raw[FEATURE_REAL_RATIO] = m->real_ratio;
  s->raw[FEATURE_POLICY_UPDATES] = m->policy_updates;
  s->raw[FEATURE_ROLLOUT_LENGTH] = m->rollout_length;
  hyper_scale(s, o);
}
