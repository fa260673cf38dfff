#include "hyper/hyper_mdp.h"

#include <math.h>
#include <string.h>

// Rows that a feature is measured on at a time.
#define CHUNK 2000

// The release cuts log-densities and density differences at 100 (docs/algorithms.md, section 2).
#define DENSITY_LIMIT 100.0

static const struct {
  const char* name;
  int choices;
} heads[HEAD_COUNT] = {
    [HEAD_TRAIN_MODEL] = {"train_model", 2},
    [HEAD_REAL_RATIO] = {"real_ratio", 3},
    [HEAD_POLICY_UPDATES] = {"policy_updates", 3},
    [HEAD_ROLLOUT_LENGTH] = {"rollout_length", 3},
};

static const char* const features[FEATURE_COUNT] = {
    "progress",    "model_loss", "critic_loss",    "policy_change",
    "eval_return", "real_ratio", "policy_updates", "rollout_length",
};

int head_choices(HyperHead head) { return heads[head].choices; }

const char* head_name(HyperHead head) { return heads[head].name; }

const char* feature_name(HyperFeature feature) { return features[feature]; }

bool hyper_schedules(const HyperOptions* o, HyperHead head) {
  const bool scheduled[HEAD_COUNT] = {o->schedule_train_model, o->schedule_real_ratio,
                                      o->schedule_policy_updates, o->schedule_rollout_length};
  return scheduled[head];
}

bool hyper_applies(const HyperOptions* o, HyperHead head) {
  const bool applied[HEAD_COUNT] = {o->apply_train_model, o->apply_real_ratio,
                                    o->apply_policy_updates, o->apply_rollout_length};
  return applied[head];
}

void hyper_begin(Mbpo* m, const HyperOptions* o) {
  if (m->scheduled.policy_updates && o->policy_updates_start > 0) {
    m->policy_updates = o->policy_updates_start;
  }
  if (m->scheduled.rollout_length) {
    m->rollout_length = o->rollout_length_start;
  }
}

// State -------------------------------------------------------------------------------------------

static double chunked_critic_loss(Mbpo* m, const Replay* replay, int64_t count, Rng* rng) {
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
    replay_sample(&batch, 0, batch.size, replay, rng);
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
    return chunked_critic_loss(m, &m->real, real, rng) / (double)real;
  }
  int64_t real = (int64_t)((double)batch * m->real_ratio);
  double sum = chunked_critic_loss(m, &m->real, real, rng);
  sum += chunked_critic_loss(m, &m->imagined, batch - real, rng);
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
    memcpy(obs + i * O, replay_row_obs(&m->real, row), (size_t)O * sizeof(Real));
    memcpy(act + i * A, replay_row_act(&m->real, row), (size_t)A * sizeof(Real));
  }
  sac_logp(logp, &m->sac, obs, act, (int)count);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const Real* row = replay_row(&m->real, first + i);
    double old = density((double)replay_row_logp(&m->real, row));
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

static void scale_state(HyperState* s, const HyperOptions* o) {
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
  s->real_reward = mbpo_recent_reward(m, m->decision_interval);
  scale_state(s, o);
}

// Action ------------------------------------------------------------------------------------------

static double within(double value, double low, double high) {
  return fmax(low, fmin(high, value));
}

// The value that a head sets, and what it becomes with a choice.
static double value_of(HyperHead h, const Mbpo* m) {
  return h == HEAD_REAL_RATIO ? m->real_ratio
         : h == HEAD_POLICY_UPDATES ? m->policy_updates
                                    : m->rollout_length;
}

static double value_after(HyperHead h, int choice, const Mbpo* m, const HyperOptions* o) {
  double value = value_of(h, m);
  if (h == HEAD_REAL_RATIO) {
    double factor = choice > 1 ? o->real_ratio_factor : choice < 1 ? 1 / o->real_ratio_factor : 1;
    return within(value * factor, o->real_ratio_min, o->real_ratio_max);
  }
  return h == HEAD_POLICY_UPDATES
             ? within(value + choice - 1, o->policy_updates_min, o->policy_updates_max)
             : within(value + choice - 1, o->rollout_length_min, o->rollout_length_max);
}

// To train, to skip and to keep are always possible.
static bool takes_effect(HyperHead h, int choice, const Mbpo* m, const HyperOptions* o) {
  return h == HEAD_TRAIN_MODEL || choice == 1 || value_after(h, choice, m, o) != value_of(h, m);
}

static bool is_asked(HyperHead h, const Mbpo* m, const HyperOptions* o) {
  const bool scheduled[HEAD_COUNT] = {m->scheduled.train_model, m->scheduled.real_ratio,
                                      m->scheduled.policy_updates, m->scheduled.rollout_length};
  bool waits = h == HEAD_ROLLOUT_LENGTH && o->rollout_length_each_epoch && m->step > 0;
  return scheduled[h] && !waits;
}

void hyper_allowed(uint8_t allowed[HEAD_COUNT], const Mbpo* m, const HyperOptions* o,
                   bool mask_bounds) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    allowed[h] = 0;
    for (int c = 0; is_asked((HyperHead)h, m, o) && c < heads[h].choices; c++) {
      bool possible = !mask_bounds || takes_effect((HyperHead)h, c, m, o);
      allowed[h] |= (uint8_t)(possible << c);
    }
  }
}

int hyper_choice_count(unsigned allowed) { return __builtin_popcount(allowed); }

int hyper_choice(unsigned allowed, int n) {
  for (; n > 0; n--) {
    allowed &= allowed - 1;
  }
  return __builtin_ctz(allowed);
}

void hyper_action_none(HyperAction* action) {
  action->explored = false;
  for (int h = 0; h < HEAD_COUNT; h++) {
    action->choice[h] = ACTION_NONE;
    action->logp[h] = action->entropy[h] = NAN;
    action->sets[h] = false;
    action->value[h] = 0;
  }
}

static void set_value(Mbpo* m, HyperHead h, double value) {
  switch (h) {
    case HEAD_REAL_RATIO:
      m->real_ratio = value;
      return;
    case HEAD_POLICY_UPDATES:
      m->policy_updates = (int)value;
      return;
    case HEAD_ROLLOUT_LENGTH:
      m->rollout_length = (int)value;
      return;
    default:
      CHECK(false, "head %d has no value", (int)h);
  }
}

bool hyper_trains(const HyperAction* action) {
  return action->sets[HEAD_TRAIN_MODEL] ? action->value[HEAD_TRAIN_MODEL] == 1
                                         : action->choice[HEAD_TRAIN_MODEL] == 1;
}

void hyper_apply(bool* effective, Mbpo* m, const HyperOptions* o, const HyperAction* action) {
  for (int i = 0; i < HEAD_COUNT; i++) {
    HyperHead h = (HyperHead)i;
    int choice = action->choice[h];
    bool set = action->sets[h];
    effective[h] = set || (choice != ACTION_NONE && takes_effect(h, choice, m, o));
    if (effective[h] && h != HEAD_TRAIN_MODEL) {
      set_value(m, h, set ? action->value[h] : value_after(h, choice, m, o));
    }
  }
  if (hyper_trains(action)) {
    mbpo_train_model(m);
  }
}

double hyper_train_reward(const HyperOptions* o, const HyperAction* action) {
  if (action->choice[HEAD_TRAIN_MODEL] == ACTION_NONE && !action->sets[HEAD_TRAIN_MODEL]) {
    return 0;
  }
  double bonus = o->train_penalty_centred ? o->train_penalty / 2 : 0;
  return bonus - (hyper_trains(action) ? o->train_penalty : 0);
}
