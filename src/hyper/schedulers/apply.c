// apply: a trained controller, without learning. Of its heads those act that hyper.apply_* names;
// MBPO's own schedule sets the rest (the ablations AutoMBPO-R, -M, -P, -L).
#include <string.h>

#include "hyper/policy_file.h"
#include "hyper/scheduler_kinds.h"

// Stages that the file of a trained controller may hold.
#define LARGEST_TRAINED 10000

static bool open_trained(Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE];
  Controller* c = ARENA_NEW(s->arena, 1, Controller);
  s->self = c;
  s->trained = c;
  return scheduler_init_controller(c, s, LARGEST_TRAINED, error) &&
         policy_file_find(path, s->experiment->scheduler.controller, error) &&
         policy_file_read(c, path, error);
}

static bool sets(const Scheduler* s, HyperHead head, int version) {
  (void)version;
  const HyperOptions* o = &s->experiment->hyper;
  const bool applied[HEAD_COUNT] = {o->apply_train_model, o->apply_real_ratio,
                                    o->apply_policy_updates, o->apply_rollout_length};
  return controller_schedules(s->trained, head) && applied[head];
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  bool best = strcmp(s->experiment->scheduler.controller_version, "best") == 0;
  Rng rng = scheduler_stream(s, request);
  controller_act(action, s->self, request->state, 0, best, &rng);
}

const SchedulerKind scheduler_apply = {
    .name = "apply",
    .has_versions = true,
    .plan = scheduler_plain_plan,
    .open = open_trained,
    .sets = sets,
    .decide = decide,
};
