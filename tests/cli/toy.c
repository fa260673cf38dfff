// toy: the real ratio walks between two bounds, at random, from where the decision before left it.
//
// A scheduler as somebody might add it: this file and a row of hyper/scheduler_table.h. It has
// options, a rule between them, and a state in the hyper-episode (tests/cli/toy_test.sh).
#include "hyper/scheduler_kinds.h"

#define TOY_OPTIONS(OPT) \
  OPT(REAL, low, 0.1, 0, 1, "", "least real ratio") \
  OPT(REAL, high, 0.5, 0, 1, "", "largest real ratio")

typedef struct {
  TOY_OPTIONS(OPTION_FIELD)
} ToyOptions;

OPTION_TABLE(options, ToyOptions, TOY_OPTIONS)

typedef struct {
  double place;  // in [0, 1] between the bounds
  double decisions;
} Walk;

static SchedulerPlan plan(const RunSpec* x) {
  SchedulerPlan p = scheduler_plain_plan(x);
  p.notes = sizeof(Walk) / sizeof(double);
  return p;
}

static void check(OptionsCheck* check, const RunSpec* x) {
  const ToyOptions* o = scheduler_options(x, &scheduler_toy);
  if (o->low >= o->high) {
    options_broken(check, "toy.low", "must be below toy.high=%g", o->high);
  }
}

static bool may_set(const RunSpec* x, HyperHead head) {
  return head == HEAD_REAL_RATIO && x->hyper.schedule_real_ratio;
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const ToyOptions* o = scheduler_options(s->spec, &scheduler_toy);
  Walk* walk = (Walk*)request->notes;
  Rng rng = scheduler_stream(s, request);
  double step = 0.5 * rng_uniform(&rng);
  walk->place = walk->place + step < 1 ? walk->place + step : step;
  walk->decisions++;
  action->sets[HEAD_REAL_RATIO] = request->state->allowed[HEAD_REAL_RATIO] != 0;
  action->value[HEAD_REAL_RATIO] = o->low + walk->place * (o->high - o->low);
}

const SchedulerKind scheduler_toy = {
    .name = "toy",
    .section = {.table = options},
    .check = check,
    .plan = plan,
    .may_set = may_set,
    .decide = decide,
};
