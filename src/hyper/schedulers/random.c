// random: each head that is asked chooses uniformly.
#include "hyper/scheduler_kinds.h"

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  Rng rng = scheduler_stream(s, request);
  hyper_choose_by_chance(action, request->state->allowed, &rng);
}

const SchedulerKind scheduler_random = {
    .name = "random",
    .steps = true,
    .can_fork = true,
    .plan = scheduler_plain_plan,
    .decide = decide,
};
