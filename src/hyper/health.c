// health.c - what a run should look like at the end of an epoch, and what is a flaw.
//
// A limit follows from what the run has seen (rewards, changes of observations) and from its own
// options (discount, scale of the rewards, temperature), not from the task: it is what no sound
// learner exceeds there. A flaw is said, and never steers. What a model is measured against is the
// error of predicting the mean of all real transitions.
#include "hyper/health.h"

#include <math.h>

// Target d of the model in one row: the reward, then the change of the observation.
static double target(const Replay* replay, const Real* row, int d) {
  if (d == 0) {
    return (double)transition_rew(&replay->row, row);
  }
  const Real* obs = transition_obs(&replay->row, row);
  return (double)transition_next_obs(&replay->row, row)[d - 1] - (double)obs[d - 1];
}

static double variance(const Replay* replay, int d) {
  double mean = 0, square = 0;
  for (int64_t i = 0; i < replay->size; i++) {
    double x = target(replay, replay_row(replay, i), d);
    double difference = x - mean;
    mean += difference / (double)(i + 1);
    square += difference * (x - mean);
  }
  return square / (double)replay->size;
}

static double mean_error(const Replay* replay) {
  double sum = 0;
  for (int d = 0; d <= replay->row.obs_size; d++) {
    sum += variance(replay, d);
  }
  return sum / (replay->row.obs_size + 1);
}

static double largest_reward(const Replay* replay) {
  double largest = 0;
  for (int64_t i = 0; i < replay->size; i++) {
    largest = fmax(largest, fabs(target(replay, replay_row(replay, i), 0)));
  }
  return largest;
}

static double action_range(const EnvSpec* spec) {
  double least = INFINITY;
  for (int a = 0; a < spec->act_size; a++) {
    least = fmin(least, spec->act_high[a] - spec->act_low[a]);
  }
  return least;
}

Health health_of(const HyperEpisode* h) {
  const Mbpo* m = &h->mbpo;
  const MbpoEpoch* e = &h->epoch[h->epochs - 1];
  const SacOptions* sac = &m->sac.options;
  // infinite without discount
  double rewards = sac->reward_scale * largest_reward(&m->real) / (1 - sac->discount);
  double first_alpha = isnan(sac->temperature) ? sac->initial_alpha : sac->temperature;
  // a uniform action has log 2 nats of entropy a component
  double entropy = fmax(fabs(e->losses.entropy), log(2) * m->sac.act_size) / (1 - sac->discount);
  return (Health){
      .model_error = e->model_validation_loss,
      .mean_error = m->uses_model ? mean_error(&m->real) : NAN,
      .sac_updates = e->sac_updates,
      .alpha = e->losses.alpha,
      .alpha_limit = fmax(first_alpha, rewards),
      .q_mean = e->losses.q_mean,
      .q_limit = 2 * (rewards + fmax(first_alpha, e->losses.alpha) * entropy),
      .model_rows = m->uses_model ? e->model_rows : -1,
      .rollouts = m->options.rollouts,
      .action_range = action_range(&m->env.spec),
  };
}

bool health_has(const Health* h, HealthFlaw flaw) {
  switch (flaw) {
    case HEALTH_USELESS_MODEL:
      return h->model_error >= h->mean_error;
    case HEALTH_NO_UPDATES:
      return h->sac_updates == 0;
    case HEALTH_NO_ACTION:
      return !(h->action_range > 0);
    case HEALTH_ALPHA_RUNS_AWAY:
      return h->sac_updates > 0 && !(h->alpha <= h->alpha_limit);
    case HEALTH_Q_RUNS_AWAY:
      return h->sac_updates > 0 && !(fabs(h->q_mean) <= h->q_limit);
    case HEALTH_SMALL_MODEL_BUFFER:
      return h->model_rows >= 0 && h->model_rows < h->rollouts;
    case HEALTH_FLAWS:
      break;
  }
  CHECK(false, "flaw %d", (int)flaw);
}

const char* health_text(HealthFlaw flaw) {
  static const char* const texts[HEALTH_FLAWS] = {
      [HEALTH_USELESS_MODEL] = "the model is no better than predicting the mean",
      [HEALTH_NO_UPDATES] = "no SAC update was done",
      [HEALTH_NO_ACTION] = "the range of an action is empty",
      [HEALTH_ALPHA_RUNS_AWAY] = "alpha exceeds all reward that can be earned",
      [HEALTH_Q_RUNS_AWAY] = "Q exceeds all reward that can be earned",
      [HEALTH_SMALL_MODEL_BUFFER] = "D_model is smaller than one rollout",
  };
  return texts[flaw];
}
