// static: hyperparameters that are drawn once a run, and held: random search.
//
// A point of the search space comes from (seed, hyper-episode), so that more hyper-episodes are
// more points, in an order that never changes. `autombpo schedule` exports what the best of them
// held; scheduler.kind=replay holds it again, on other seeds.
#include "hyper/scheduler_kinds.h"

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const RunSpec* x = s->spec;
  SearchPoint point;
  Rng rng = rng_stream(x->seed, request->hyper_episode, RNG_POPULATION, 0);
  search_draw(&point, &rng);
  search_decide(action, &point, request->decision, request->state, &x->search, &x->hyper);
}

const SchedulerKind scheduler_static = {
    .name = "static", .plan = scheduler_plain_plan, .decide = decide};
