// mbpo.c - a run that computes a hash in place of MBPO (mbpo/mbpo.h, and what measures the
// hyper-state).
//
// What it returns at an epoch follows from all that was decided so far, so that one decision more,
// less or other is another sealed file. Units of work take time of the world, never the same twice.
#include <math.h>
#include <string.h>

#include "hyper/hyper_mdp.h"
#include "mbpo/mbpo.h"
#include "mbpo/sizes.h"
#include "world.h"

// The hash is kept in a field that nothing here needs.
static uint64_t hash_of(const Mbpo* m) { return (uint64_t)m->trained_rows; }

static void mix(Mbpo* m, const void* bytes, size_t size) {
  m->trained_rows = (int64_t)hash_bytes(hash_of(m), bytes, size);
}

static double fraction(const Mbpo* m, int salt) {
  uint64_t hash = hash_bytes(hash_of(m), &salt, sizeof salt);
  return (double)(hash >> 11) * 0x1p-53;
}

static void work(double seconds) {
  if (world.running) {
    world_sleep(seconds * world.weather.toil * (0.5 + world_uniform()), false);
  }
}

void mbpo_name_streams(Mbpo* m, uint64_t seed, int64_t hyper_episode) {
  m->env_rng = rng_stream(seed, hyper_episode, RNG_ENV, 0);
  mix(m, &seed, sizeof seed);
  mix(m, &hyper_episode, sizeof hyper_episode);
}

bool mbpo_init(Mbpo* m, const MbpoSetup* setup, Arena* arena, Error* error) {
  (void)error;
  *m = (Mbpo){.options = *setup->mbpo, .scheduled = setup->scheduled, .epochs = setup->epochs};
  m->decision_interval = setup->decision_interval;
  m->uses_model = true;
  m->arena = arena;
  m->env.spec = (EnvSpec){.id = "hash", .engine = "simulation", .obs_size = 1, .act_size = 1,
                          .time_limit = 10, .act_low = {-1}, .act_high = {1}};
  m->sac.policy_net = mlp_make(1, 1, 2, 1, 1, ACTIVATION_RELU);
  m->sac.policy = ARENA_NEW(arena, m->sac.policy_net.size, Real);
  m->sac.options = *setup->sac;
  m->trained_rows = (int64_t)HASH_START;
  mbpo_name_streams(m, setup->seed, setup->hyper_episode);
  m->real_ratio = m->options.real_ratio;
  m->policy_updates = m->options.policy_updates;
  m->rollout_length = 1;
  m->validation_loss = 0.5;
  m->eval_mean = NAN;
  m->phase = MBPO_BEGIN;
  return true;
}

void mbpo_free(Mbpo* m) { (void)m; }

static void measure(Mbpo* m) {
  for (int i = 0; i < m->options.evaluation_episodes; i++) {
    m->running.eval_returns[i] = 100 * fraction(m, i);
    m->running.eval_lengths[i] = 10;
  }
  m->eval_mean = m->running.eval_returns[0];
  m->sac.policy[0] = (Real)fraction(m, -1);
}

static MbpoEvent step(Mbpo* m) {
  work(0.2);
  double now[4] = {m->real_ratio, m->policy_updates, m->rollout_length, (double)m->model_trainings};
  mix(m, now, sizeof now);
  uint32_t drawn = rng_bits(&m->env_rng);
  mix(m, &drawn, sizeof drawn);
  m->step += m->decision_interval;
  m->env_step += m->decision_interval;
  m->phase = m->step >= m->options.epoch_length ? MBPO_EVALUATE : MBPO_DECIDE;
  m->diverged = fraction(m, -2) < 0.01;
  return m->diverged ? MBPO_DIVERGED : MBPO_STEPPED;
}

static MbpoEvent end_epoch(Mbpo* m) {
  work(0.1);
  measure(m);
  m->running.env_step = m->env_step;
  m->running.real_ratio = m->real_ratio;
  m->running.policy_updates = m->policy_updates;
  m->running.rollout_length = m->rollout_length;
  m->result = m->running;
  m->running = (MbpoEpoch){0};
  m->epoch++;
  m->step = 0;
  m->phase = m->epoch == m->epochs ? MBPO_END : MBPO_DECIDE;
  return MBPO_EPOCH_END;
}

MbpoEvent mbpo_advance(Mbpo* m) {
  if (m->diverged) {
    return MBPO_DIVERGED;
  }
  switch (m->phase) {
    case MBPO_EXPLORE:
    case MBPO_BEGIN:
      work(0.3);
      measure(m);
      m->phase = MBPO_DECIDE;
      return MBPO_STEPPED;
    case MBPO_DECIDE:
      m->phase = MBPO_STEP;
      return MBPO_DECISION;
    case MBPO_STEP:
      return step(m);
    case MBPO_EVALUATE:
      return end_epoch(m);
    case MBPO_END:
      return MBPO_FINISHED;
  }
  CHECK(false, "phase %d", (int)m->phase);
}

void mbpo_train_model(Mbpo* m) { m->model_trainings++; }

bool mbpo_trains_itself(const Mbpo* m) {
  (void)m;
  return false;
}

double mbpo_recent_reward(const Mbpo* m, int steps) { return fraction(m, 1000 + steps); }

double mbpo_progress(const Mbpo* m) {
  return ((double)m->epoch + (double)m->step / m->options.epoch_length) / m->epochs;
}

void mbpo_epoch_visit(MbpoEpoch* epoch, Archive* ar, const char* name) {
  archive_enter(ar, name);
  archive_i64(ar, "env_step", &epoch->env_step, 1);
  archive_f64(ar, "eval_returns", epoch->eval_returns, MBPO_MAX_EVALUATIONS);
  archive_i32(ar, "eval_lengths", epoch->eval_lengths, MBPO_MAX_EVALUATIONS);
  archive_f64(ar, "real_ratio", &epoch->real_ratio, 1);
  archive_i64(ar, "policy_updates", &epoch->policy_updates, 1);
  archive_i64(ar, "rollout_length", &epoch->rollout_length, 1);
  archive_leave(ar);
}

void mbpo_visit(Mbpo* m, Archive* ar) {
  int32_t phase = (int32_t)m->phase;
  archive_enter(ar, "mbpo");
  archive_i32(ar, "phase", &phase, 1);
  m->phase = (MbpoPhase)phase;
  archive_i32(ar, "epoch", &m->epoch, 1);
  archive_i32(ar, "step", &m->step, 1);
  archive_i64(ar, "env_step", &m->env_step, 1);
  if (plant != PLANT_FORGOTTEN_STATE) {
    archive_i64(ar, "model_trainings", &m->model_trainings, 1);
  }
  archive_i64(ar, "hash", &m->trained_rows, 1);
  archive_bool(ar, "diverged", &m->diverged);
  archive_f64(ar, "eval_mean", &m->eval_mean, 1);
  archive_f64(ar, "real_ratio", &m->real_ratio, 1);
  archive_i32(ar, "policy_updates", &m->policy_updates, 1);
  archive_i32(ar, "rollout_length", &m->rollout_length, 1);
  rng_visit(&m->env_rng, ar, "env_rng");
  double policy = (double)m->sac.policy[0];
  archive_f64(ar, "policy", &policy, 1);
  m->sac.policy[0] = (Real)policy;
  archive_leave(ar);
}

// hyper/hyper_mdp.h --------------------------------------------------------------------------------

static const char* const features[FEATURE_COUNT] = {
    "progress",    "model_loss", "critic_loss",    "policy_change",
    "eval_return", "real_ratio", "policy_updates", "rollout_length",
};

const char* feature_name(HyperFeature feature) { return features[feature]; }

void hyper_state(HyperState* s, Mbpo* m, const HyperOptions* o, double* policy_change, Rng* rng) {
  (void)o;
  *policy_change = m->step == 0 ? rng_uniform(rng) : *policy_change;
  for (int f = 0; f < FEATURE_COUNT; f++) {
    s->raw[f] = s->scaled[f] = fraction(m, 100 + f);
  }
  s->raw[FEATURE_PROGRESS] = s->scaled[FEATURE_PROGRESS] = mbpo_progress(m);
  s->scaled[FEATURE_POLICY_CHANGE] = *policy_change;
  s->real_reward = mbpo_recent_reward(m, m->decision_interval);
}
