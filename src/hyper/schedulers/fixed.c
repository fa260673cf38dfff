// fixed: MBPO's own schedule, which the run follows by itself.
#include "hyper/scheduler_kinds.h"

static bool sets(const Scheduler* s, HyperHead head, int version) {
  (void)s, (void)head, (void)version;
  return false;
}

const SchedulerKind scheduler_fixed = {
    .name = "fixed", .own_rollouts = true, .plan = scheduler_plain_plan, .sets = sets};
