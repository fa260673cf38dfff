// mbpo.c - the inner loops of the paper's Algorithm 1, as a state machine.
//
// mbpo_advance does one unit of work and says what it was: a step of exploration, a real step with
// the model work before it and the policy updates after it, an evaluation. Before each decision it
// only stops; whoever called may then change hyperparameters or train the model, and calls again.
//
// It is a machine, and not loops with a callback, because a decision may come from another rank or
// program, hours later, and because a run may be saved between any two units: where the loops would
// be is `phase`, `epoch` and `step`, plain numbers in Mbpo.
//
// What no scheduler sets follows MBPO's own schedule (follow_own_schedule), so that MBPO, SAC and
// every controller are this file. Figures of an epoch gather in `running`, and become `result` at
// its end.
#include "mbpo/mbpo.h"

#include <math.h>

#include "base/stopwatch.h"
#include "mbpo/evaluate.h"
#include "mbpo/sizes.h"

// Log-density that the release stores for uniform exploration actions, whatever their dimension
// (docs/algorithms.md, D3).
#define EXPLORATION_LOGP ((Real)-0.69314718055994530942)

double mbpo_progress(const Mbpo* m) {
  double epoch = m->epoch + (double)m->step / m->options.epoch_length;
  return m->epochs > 0 ? epoch / m->epochs : 1.0;
}

double mbpo_recent_reward(const Mbpo* m, int steps) {
  int running = m->episode.running ? m->episode.length : 0;
  int64_t ended = m->real.size;
  double sum = 0;
  int count = 0;
  for (; count < steps && count < running; count++) {
    const Real* row = real_episode_row(&m->episode, running - 1 - count);
    sum += (double)transition_rew(&m->episode.row, row);
  }
  for (; count < steps && ended > 0; count++) {
    sum += (double)transition_rew(&m->real.row, replay_row(&m->real, --ended));
  }
  return count > 0 ? sum / count : NAN;
}

// Policy updates ----------------------------------------------------------------------------------

// The rest of a batch is imaginary.
static void sample_batch(Mbpo* m) {
  int B = m->batch.size;
  int real = m->imagined.size > 0 ? mbpo_real_in_batch(B, m->real_ratio) : B;
  replay_sample(&m->batch, 0, real, &m->real, &m->sac_rng);
  if (real < B) {
    imagined_sample(&m->batch, real, B - real, &m->imagined, &m->sac_rng);
  }
}

static void add_losses(SacLosses* sum, const SacLosses* losses) {
  sum->critic_loss += losses->critic_loss;
  sum->policy_loss += losses->policy_loss;
  sum->alpha_loss += losses->alpha_loss;
  sum->alpha += losses->alpha;
  sum->entropy += losses->entropy;
  sum->q_mean += losses->q_mean;
}

// Algorithm 1, lines 15 and 16, at every real step, without a cap an epoch (docs/algorithms.md,
// D12).
static void update_policy(Mbpo* m) {
  if (m->real.size < m->options.min_pool) {
    return;
  }
  Stopwatch watch = stopwatch_start();
  int64_t noise = (int64_t)m->batch.size * m->sac.act_size;
  for (int g = 0; g < m->policy_updates; g++) {
    SacLosses losses;
    sample_batch(m);
    rng_fill_normal(m->noise, 2 * noise, &m->sac_rng);
    sac_update(&losses, &m->sac, &m->batch, m->noise, m->noise + noise);
    add_losses(&m->running.losses, &losses);
  }
  m->running.sac_updates += m->policy_updates;
  stopwatch_lap(&watch, &m->times.sac);
}

// The model ---------------------------------------------------------------------------------------

void mbpo_train_model(Mbpo* m) {
  Stopwatch watch = stopwatch_start();
  EnsembleTraining training;
  ensemble_train(&training, &m->ensemble, &m->real, &m->model_rng);
  m->diverged = m->diverged || training.diverged;
  m->validation_loss = training.validation_loss;
  m->trained_rows = m->real.size;
  m->model_trainings++;
  m->running.model_trainings++;
  m->running.model_epochs += training.epochs;
  int members = m->ensemble.options.members;
  m->running.model_steps += (training.member_steps + members - 1) / members;
  for (int e = 0; e < members; e++) {
    m->running.holdout_error[e] = training.holdout_error[e];
    m->running.elites[e] = m->ensemble.elites[e];
  }
  stopwatch_lap(&watch, &m->times.model_train);
}

// Algorithm 1, lines 12 to 14.
static void imagine(Mbpo* m) {
  if (m->model_trainings == 0) {
    mbpo_train_model(m);
  }
  Stopwatch watch = stopwatch_start();
  RolloutMeans means = {m->options.mean_actions, m->options.mean_predictions};
  imagined_set_capacity(&m->imagined, mbpo_imagined_rows(&m->options, m->rollout_length));
  model_rollout(&m->imagined, &m->real, &m->sac, &m->ensemble, m->env.spec.terminated,
                means, m->options.rollouts, m->rollout_length, &m->rollout_rng,
                m->rollout_scratch);
  stopwatch_lap(&watch, &m->times.rollout);
}

static bool is_controlled(const Mbpo* m) {
  const MbpoScheduled* s = &m->scheduled;
  return s->train_model || s->real_ratio || s->policy_updates || s->rollout_length;
}

bool mbpo_trains_itself(const Mbpo* m) {
  // the first of these trainings is made before the first hyper-state, for a controller to see it
  bool made = is_controlled(m) && m->epoch == 0 && m->step == 0;
  return m->uses_model && !m->scheduled.train_model && !made &&
         m->step % m->options.train_interval == 0;
}

// MBPO's own schedule of what no scheduler sets.
static void follow_own_schedule(Mbpo* m) {
  if (mbpo_trains_itself(m)) {
    mbpo_train_model(m);
  }
  if (!m->scheduled.rollout_length) {
    m->rollout_length = mbpo_scheduled_rollout_length(&m->options, m->epoch);
  }
}

// The real environment ----------------------------------------------------------------------------

static void choose_action(Real* logp, Mbpo* m) {
  Real noise[ENV_MAX_ACT];
  real_episode_policy_obs(m->policy_obs, &m->episode);
  rng_fill_normal(noise, m->sac.act_size, &m->act_rng);
  sac_act(m->act, logp, &m->sac, m->policy_obs, noise, 1);
}

static void choose_random_action(Real* logp, Mbpo* m) {
  rng_fill_uniform(m->act, m->sac.act_size, &m->explore_rng);
  for (int a = 0; a < m->sac.act_size; a++) {
    m->act[a] = 2 * m->act[a] - 1;
  }
  *logp = EXPLORATION_LOGP;
}

// Algorithm 1, line 6.
static void interact(Mbpo* m, void (*choose)(Real*, Mbpo*)) {
  Stopwatch watch = stopwatch_start();
  Real logp;
  real_episode_begin(&m->episode, &m->env, &m->env_rng);
  choose(&logp, m);
  EnvStep step = real_episode_step(&m->episode, &m->env, m->act, logp);
  m->env_step++;
  m->diverged = m->diverged || step.diverged;
  if (real_episode_ended(&m->episode, &step, &m->real)) {
    m->running.train_return += m->episode.total;
    m->episodes_ended++;
  }
  stopwatch_lap(&watch, &m->times.env);
}

// Epochs ------------------------------------------------------------------------------------------

static void evaluate(Mbpo* m) {
  Stopwatch watch = stopwatch_start();
  int episodes = m->options.evaluation_episodes;
  MbpoEpoch* r = &m->running;
  bool ok = evaluate_policy(r->eval_returns, r->eval_lengths, &m->sac, &m->eval_env, episodes,
                            m->options.max_path_length, &m->eval_rng, m->arena);
  m->diverged = m->diverged || !ok || !sac_is_finite(&m->sac);
  m->eval_mean = 0;
  for (int i = 0; i < episodes; i++) {
    m->eval_mean += r->eval_returns[i] / episodes;
  }
  stopwatch_lap(&watch, &m->times.evaluate);
}

static void begin_epoch(Mbpo* m) {
  m->running = (MbpoEpoch){0};
  m->episodes_ended = 0;
  for (int e = 0; e < ENSEMBLE_MAX_MEMBERS; e++) {
    m->running.holdout_error[e] = NAN;
  }
}

static void divide_losses(SacLosses* losses, int64_t updates) {
  double count = updates > 0 ? (double)updates : NAN;
  losses->critic_loss /= count;
  losses->policy_loss /= count;
  losses->alpha_loss /= count;
  losses->alpha /= count;
  losses->entropy /= count;
  losses->q_mean /= count;
}

static void end_epoch(Mbpo* m) {
  MbpoEpoch* r = &m->running;
  r->env_step = m->env_step;
  r->train_return = m->episodes_ended > 0 ? r->train_return / (double)m->episodes_ended : NAN;
  r->model_validation_loss = m->validation_loss;
  r->real_ratio = m->real_ratio;
  r->policy_updates = m->policy_updates;
  r->rollout_length = m->rollout_length;
  r->model_rows = m->imagined.size;
  divide_losses(&r->losses, r->sac_updates);
  m->result = *r;
  m->epoch++;
  m->step = 0;
  begin_epoch(m);
}

// The state machine: Algorithm 1 of the paper -----------------------------------------------------

static MbpoEvent explore(Mbpo* m) {
  interact(m, choose_random_action);
  if (!m->episode.running && m->env_step >= m->options.exploration_steps) {
    m->phase = MBPO_BEGIN;
  }
  return MBPO_STEPPED;
}

// The untrained policy's return and a first model are part of the first hyper-state.
static MbpoEvent begin(Mbpo* m) {
  if (m->uses_model && is_controlled(m)) {
    mbpo_train_model(m);
  }
  evaluate(m);
  begin_epoch(m);
  m->phase = m->epochs > 0 ? MBPO_DECIDE : MBPO_END;
  return MBPO_STEPPED;
}

// One turn of the loop of Algorithm 1, line 5: what follows from the decision comes first, the real
// step after it (docs/algorithms.md, D20).
static MbpoEvent step(Mbpo* m) {
  if (m->uses_model) {
    follow_own_schedule(m);
    if (m->step % m->options.rollout_interval == 0) {
      imagine(m);
    }
  }
  interact(m, choose_action);
  update_policy(m);
  m->step++;
  m->phase = m->step == m->options.epoch_length ? MBPO_EVALUATE : MBPO_DECIDE;
  return MBPO_STEPPED;
}

// The end of an epoch (Algorithm 1, lines 4, 17 and 18). One whose evaluation finds that the run
// diverged is none.
static MbpoEvent finish_epoch(Mbpo* m) {
  evaluate(m);
  if (m->diverged) {
    return MBPO_DIVERGED;
  }
  end_epoch(m);
  m->phase = m->epoch == m->epochs ? MBPO_END : MBPO_DECIDE;
  return MBPO_EPOCH_END;
}

MbpoEvent mbpo_advance(Mbpo* m) {
  if (m->diverged) {
    return MBPO_DIVERGED;
  }
  switch (m->phase) {
    case MBPO_EXPLORE:
      return explore(m);
    case MBPO_BEGIN:
      return begin(m);
    case MBPO_DECIDE:
      m->phase = MBPO_STEP;
      if (m->step % m->decision_interval == 0) {  // Algorithm 1, line 7
        return MBPO_DECISION;
      }
      return step(m);
    case MBPO_STEP:
      return step(m);
    case MBPO_EVALUATE:
      return finish_epoch(m);
    case MBPO_END:
      return MBPO_FINISHED;
  }
  CHECK(false, "phase %d", (int)m->phase);
}
