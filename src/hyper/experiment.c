#include "hyper/experiment.h"

#include <string.h>

#include "hyper/ppo.h"

static bool is_kind(const Experiment* x, const char* kind) {
  return strcmp(x->scheduler.kind, kind) == 0;
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
