#include "hyper/experiment.h"

#include <math.h>

#include "hyper/scheduler.h"

MbpoOptions experiment_mbpo(const Experiment* x) {
  MbpoOptions o = x->mbpo;
  if (scheduler_kind(x)->own_rollouts) {
    return o;
  }
  const HyperOptions* h = &x->hyper;
  o.rollout_interval = h->rollout_each_decision ? h->decision_interval : h->rollout_interval;
  o.rollouts = h->rollouts;
  if (o.rollouts == 0) {
    int64_t states =
        (int64_t)x->mbpo.rollouts * mbpo_rollouts_per_epoch(&o, x->mbpo.rollout_interval);
    int64_t times = mbpo_rollouts_per_epoch(&o, o.rollout_interval);
    o.rollouts = (int)((states + times - 1) / times);
  }
  return o;
}

int experiment_longest_rollout(const Experiment* x) {
  const double* schedule = x->mbpo.rollout_schedule.value;
  int own = (int)fmax(schedule[2], schedule[3]);
  return own > x->hyper.rollout_length_max ? own : x->hyper.rollout_length_max;
}
