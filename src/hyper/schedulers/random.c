// random: each head that is asked chooses uniformly.
#include <math.h>

#include "hyper/scheduler_kinds.h"

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const uint8_t* allowed = request->state->allowed;
  Rng rng = scheduler_stream(s, request);
  action->explored = true;
  for (int h = 0; h < HEAD_COUNT; h++) {
    double uniform = rng_uniform(&rng);
    int choices = hyper_choice_count(allowed[h]);
    if (choices > 0) {
      action->choice[h] = (int8_t)hyper_choice(allowed[h], (int)(uniform * choices));
      action->logp[h] = -log(choices);
      action->entropy[h] = log(choices);
    }
  }
}

const SchedulerKind scheduler_random = {
    .name = "random",
    .steps = true,
    .can_fork = true,
    .plan = scheduler_plain_plan,
    .decide = decide,
};
