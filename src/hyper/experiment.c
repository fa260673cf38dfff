#include "hyper/experiment.h"

#include <string.h>

#include "hyper/ppo.h"

static bool is_kind(const Experiment* x, const char* kind) {
  return strcmp(x->scheduler.kind, kind) == 0;
}

// Rollouts of an epoch: at its first step, and every `interval` steps.
static int rollouts_per_epoch(const MbpoOptions* o, int interval) {
  return (o->epoch_length + interval - 1) / interval;
}

MbpoOptions experiment_mbpo(const Experiment* x) {
  MbpoOptions o = x->mbpo;
  if (is_kind(x, "fixed")) {
    return o;
  }
  const HyperOptions* h = &x->hyper;
  o.rollout_interval = h->rollout_each_decision ? h->decision_interval : h->rollout_interval;
  o.rollouts = h->rollouts;
  if (o.rollouts == 0) {
    int64_t states = (int64_t)x->mbpo.rollouts * rollouts_per_epoch(&o, x->mbpo.rollout_interval);
    int64_t times = rollouts_per_epoch(&o, o.rollout_interval);
    o.rollouts = (int)((states + times - 1) / times);
  }
  return o;
}

int experiment_epochs(const Experiment* x) {
  return is_kind(x, "ppo") ? x->hyper.train_epochs : x->hyper.apply_epochs;
}

int experiment_updates(const Experiment* x) {
  return is_kind(x, "ppo") ? ppo_total_stages(&x->ppo) : 0;
}

int64_t experiment_hyper_episodes(const Experiment* x) {
  if (is_kind(x, "ppo")) {
    return (int64_t)experiment_updates(x) * x->ppo.episodes_per_update;
  }
  return x->scheduler.hyper_episodes;
}

int experiment_policy_version(const Experiment* x, int64_t hyper_episode) {
  if (!is_kind(x, "ppo")) {
    return 0;
  }
  int64_t behind = hyper_episode - x->ppo.look_ahead;
  return behind > 0 ? (int)(behind / x->ppo.episodes_per_update) : 0;
}
