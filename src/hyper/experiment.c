#include "hyper/experiment.h"

#include "hyper/scheduler.h"

// Rollouts of an epoch: at its first step, and every `interval` steps.
static int rollouts_per_epoch(const MbpoOptions* o, int interval) {
  return (o->epoch_length + interval - 1) / interval;
}

MbpoOptions experiment_mbpo(const Experiment* x) {
  MbpoOptions o = x->mbpo;
  if (scheduler_kind(x)->own_rollouts) {
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
