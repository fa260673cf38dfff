// replay: a schedule that is known beforehand, from a file: what another run used, or written by
// hand.
//
// It looks at nothing but how far the run is. Compared with the controller whose schedule it
// repeats, it tells what feedback is worth; with the seed and the index of the hyper-episode that
// it was exported from, the results are the same bits.
#include "hyper/scheduler_kinds.h"

static bool may_set(const RunSpec* x, HyperHead head) {
  return x->schedule && x->schedule->has[head];
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    action->sets[h] = request->state->allowed[h] != 0;
    if (action->sets[h]) {
      action->value[h] = schedule_value(s->spec->schedule, (HyperHead)h, request->decision,
                                        request->state->raw[FEATURE_PROGRESS]);
    }
  }
}

static void check_inputs(OptionsCheck* check, const RunSpec* x) {
  if (!*x->scheduler.schedule) {
    options_broken(check, "scheduler.schedule", "must name the file of a schedule (`autombpo "
                   "schedule RUN -o FILE.csv` makes one)");
  }
}

const SchedulerKind scheduler_replay = {
    .name = "replay",
    .needs_schedule = true,
    .check_inputs = check_inputs,
    .plan = scheduler_plain_plan,
    .may_set = may_set,
    .decide = decide,
};
