#include "hyper/run_spec.h"

#include <limits.h>
#include <math.h>

#include "hyper/scheduler.h"
#include "mbpo/sizes.h"

MbpoOptions run_spec_mbpo(const RunSpec* x) {
  MbpoOptions o = x->mbpo;
  if (scheduler_kind(x)->own_rollouts) {
    return o;
  }
  const HyperOptions* h = &x->hyper;
  o.rollout_interval = h->rollout_each_decision ? h->decision_interval : h->rollout_interval;
  o.rollouts = h->rollouts;
  if (o.rollouts == 0) {
    int64_t states =
        (int64_t)x->mbpo.rollouts * mbpo_times_per_epoch(&o, x->mbpo.rollout_interval);
    int64_t times = mbpo_times_per_epoch(&o, o.rollout_interval);
    o.rollouts = (int)fmin((double)((states + times - 1) / times), INT_MAX);
  }
  return o;
}

int run_spec_longest_rollout(const RunSpec* x, MbpoScheduled scheduled) {
  if (scheduled.rollout_length) {
    return x->hyper.rollout_length_max;
  }
  int last = scheduler_plan(x).run_epochs - 1;
  int k = mbpo_scheduled_rollout_length(&x->mbpo, 0);
  int k_last = mbpo_scheduled_rollout_length(&x->mbpo, last > 0 ? last : 0);
  return k > k_last ? k : k_last;
}
