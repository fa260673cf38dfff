// mbpo_init.c - set-up of a run (Algorithm 1, line 3), and the list of its mutable state.
//
// A run has a random stream for each purpose, named by the seed and the hyper-episode: a training
// of the model more or less does not shift the numbers of the environment, so that two runs that
// differ in one decision have the same luck. Initial weights come from streams that are used up
// here.
//
// There are two environments. Epochs end after a number of real steps, in the middle of an episode;
// the evaluations at their end must not disturb it.
//
// Memory for D_model is reserved for the longest rollouts that may be scheduled, and taken as it
// fills. mbpo_visit lists what changes, and nothing that follows from the configuration: a
// checkpoint is loaded into a run that was set up from the same one.
#include <math.h>

#include "mbpo/mbpo.h"
#include "mbpo/sizes.h"

void mbpo_name_streams(Mbpo* m, uint64_t seed, int64_t hyper_episode) {
  m->explore_rng = rng_stream(seed, hyper_episode, RNG_EXPLORE, 0);
  m->env_rng = rng_stream(seed, hyper_episode, RNG_ENV, 0);
  m->act_rng = rng_stream(seed, hyper_episode, RNG_ACT, 0);
  m->sac_rng = rng_stream(seed, hyper_episode, RNG_SAC, 0);
  m->model_rng = rng_stream(seed, hyper_episode, RNG_MODEL_TRAIN, 0);
  m->rollout_rng = rng_stream(seed, hyper_episode, RNG_ROLLOUT, 0);
  m->eval_rng = rng_stream(seed, hyper_episode, RNG_EVALUATE, 0);
}

static void init_learners(Mbpo* m, const MbpoSetup* setup, Arena* arena) {
  int O = m->env.spec.obs_size;
  int A = m->env.spec.act_size;
  Rng rng = rng_stream(setup->seed, setup->hyper_episode, RNG_INIT, 0);
  sac_init(&m->sac, setup->sac, O, A, &rng, arena);
  sac_share(&m->sac, m->team);
  replay_init(&m->real, O, A, m->options.env_buffer);
  if (m->uses_model) {
    rng = rng_stream(setup->seed, setup->hyper_episode, RNG_MODEL_INIT, 0);
    ensemble_init(&m->ensemble, setup->model, O, A, m->options.env_buffer, &rng, arena);
    ensemble_share(&m->ensemble, m->team);
    m->rollout_scratch = rollout_scratch_new(O, A, arena);
  }
  int64_t imagined =
      m->uses_model ? mbpo_imagined_rows(&m->options, setup->max_rollout_length) : 1;
  imagined_init(&m->imagined, O, A, imagined);
  batch_init(&m->batch, setup->sac->batch_size, O, A, arena);
  m->noise = ARENA_NEW(arena, 2 * (size_t)setup->sac->batch_size * (size_t)A, Real);
  m->act = ARENA_NEW(arena, A, Real);
  m->policy_obs = ARENA_NEW(arena, O, Real);
}

bool mbpo_init(Mbpo* m, const MbpoSetup* setup, Arena* arena, Error* error) {
  *m = (Mbpo){.options = *setup->mbpo, .scheduled = setup->scheduled, .epochs = setup->epochs};
  m->decision_interval = setup->decision_interval;
  m->uses_model = mbpo_uses_model(setup->mbpo, setup->scheduled);
  m->arena = arena;
  if (!env_open(&m->env, setup->task, setup->assets, arena, error)) {
    return false;
  }
  if (!env_open(&m->eval_env, setup->task, setup->assets, arena, error)) {
    env_close(&m->env);
    return false;
  }
  if (!team_open(&m->team, setup->threads, arena, error)) {
    env_close(&m->env);
    env_close(&m->eval_env);
    return false;
  }
  m->options.max_path_length = mbpo_path_limit(&m->options, &m->env.spec);
  init_learners(m, setup, arena);
  mbpo_name_streams(m, setup->seed, setup->hyper_episode);
  real_episode_init(&m->episode, &m->env.spec, m->options.max_path_length,
                    mbpo_most_steps(&m->options, m->epochs), arena);
  m->real_ratio = m->options.real_ratio;
  m->policy_updates = m->options.policy_updates;
  m->rollout_length = mbpo_scheduled_rollout_length(&m->options, 0);
  m->validation_loss = NAN;
  m->eval_mean = NAN;
  m->phase = MBPO_EXPLORE;
  return true;
}

void mbpo_free(Mbpo* m) {
  team_close(m->team);
  env_close(&m->env);
  env_close(&m->eval_env);
  real_episode_free(&m->episode);
  replay_free(&m->real);
  imagined_free(&m->imagined);
  if (m->uses_model) {
    ensemble_free(&m->ensemble);
  }
}

static void visit_losses(SacLosses* losses, Archive* ar) {
  archive_f64(ar, "critic_loss", &losses->critic_loss, 1);
  archive_f64(ar, "policy_loss", &losses->policy_loss, 1);
  archive_f64(ar, "alpha_loss", &losses->alpha_loss, 1);
  archive_f64(ar, "alpha", &losses->alpha, 1);
  archive_f64(ar, "entropy", &losses->entropy, 1);
  archive_f64(ar, "q_mean", &losses->q_mean, 1);
}

static void visit_streams(Mbpo* m, Archive* ar) {
  rng_visit(&m->explore_rng, ar, "explore_rng");
  rng_visit(&m->env_rng, ar, "env_rng");
  rng_visit(&m->act_rng, ar, "act_rng");
  rng_visit(&m->sac_rng, ar, "sac_rng");
  rng_visit(&m->model_rng, ar, "model_rng");
  rng_visit(&m->rollout_rng, ar, "rollout_rng");
  rng_visit(&m->eval_rng, ar, "eval_rng");
}

void mbpo_epoch_visit(MbpoEpoch* epoch, Archive* ar, const char* name) {
  archive_enter(ar, name);
  archive_i64(ar, "env_step", &epoch->env_step, 1);
  archive_f64(ar, "eval_returns", epoch->eval_returns, MBPO_MAX_EVALUATIONS);
  archive_i32(ar, "eval_lengths", epoch->eval_lengths, MBPO_MAX_EVALUATIONS);
  archive_f64(ar, "train_return", &epoch->train_return, 1);
  archive_i64(ar, "model_trainings", &epoch->model_trainings, 1);
  archive_i64(ar, "model_epochs", &epoch->model_epochs, 1);
  archive_i64(ar, "model_steps", &epoch->model_steps, 1);
  archive_f64(ar, "model_validation_loss", &epoch->model_validation_loss, 1);
  archive_f64(ar, "holdout_error", epoch->holdout_error, ENSEMBLE_MAX_MEMBERS);
  archive_i32(ar, "elites", epoch->elites, ENSEMBLE_MAX_MEMBERS);
  visit_losses(&epoch->losses, ar);
  archive_f64(ar, "real_ratio", &epoch->real_ratio, 1);
  archive_i64(ar, "policy_updates", &epoch->policy_updates, 1);
  archive_i64(ar, "rollout_length", &epoch->rollout_length, 1);
  archive_i64(ar, "sac_updates", &epoch->sac_updates, 1);
  archive_i64(ar, "model_rows", &epoch->model_rows, 1);
  archive_leave(ar);
}

static void visit_position(Mbpo* m, Archive* ar) {
  int32_t phase = (int32_t)m->phase;
  archive_i32(ar, "phase", &phase, 1);
  m->phase = (MbpoPhase)phase;
  archive_i32(ar, "epoch", &m->epoch, 1);
  archive_i32(ar, "step", &m->step, 1);
  archive_i64(ar, "env_step", &m->env_step, 1);
  archive_i64(ar, "model_trainings", &m->model_trainings, 1);
  archive_i64(ar, "trained_rows", &m->trained_rows, 1);
  archive_f64(ar, "validation_loss", &m->validation_loss, 1);
  archive_bool(ar, "diverged", &m->diverged);
  archive_f64(ar, "eval_mean", &m->eval_mean, 1);
  archive_i64(ar, "episodes_ended", &m->episodes_ended, 1);
  archive_f64(ar, "real_ratio", &m->real_ratio, 1);
  archive_i32(ar, "policy_updates", &m->policy_updates, 1);
  archive_i32(ar, "rollout_length", &m->rollout_length, 1);
}

void mbpo_visit(Mbpo* m, Archive* ar) {
  archive_enter(ar, "mbpo");
  visit_position(m, ar);
  mbpo_epoch_visit(&m->running, ar, "running");
  mbpo_epoch_visit(&m->result, ar, "result");
  visit_streams(m, ar);
  env_visit(&m->env, ar, "env");
  env_visit(&m->eval_env, ar, "eval_env");
  real_episode_visit(&m->episode, ar);
  sac_visit(&m->sac, ar, "sac");
  replay_visit(&m->real, ar, "real");
  if (m->uses_model) {
    ensemble_visit(&m->ensemble, ar, "ensemble");
    imagined_visit(&m->imagined, ar, "imagined");
  }
  archive_leave(ar);
}
