// fixed: MBPO's own schedule, which the run follows by itself.
#include "hyper/scheduler_kinds.h"

static bool may_set(const RunSpec* x, HyperHead head) {
  (void)x, (void)head;
  return false;
}

const SchedulerKind scheduler_fixed = {
    .name = "fixed", .own_rollouts = true, .plan = scheduler_plain_plan, .may_set = may_set};
