// apply: a trained controller, without learning. Of its heads those act that hyper.apply_* names;
// MBPO's own schedule sets the rest (the ablations AutoMBPO-R, -M, -P, -L).
#include <string.h>

#include "hyper/policy_file.h"
#include "hyper/scheduler_kinds.h"

static bool open_trained(Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE];
  Controller* c = ARENA_NEW(s->arena, 1, Controller);
  s->self = c;
  s->trained = c;
  return scheduler_init_controller(c, s, LARGEST_TRAINED, error) &&
         policy_file_find(path, s->spec->scheduler.controller, error) &&
         policy_file_read(c, path, error);
}

static bool may_set(const RunSpec* x, HyperHead head) {
  return hyper_schedules(&x->hyper, head) && hyper_applies(&x->hyper, head);
}

static bool sets(const Scheduler* s, HyperHead head, int version) {
  (void)version;
  return controller_schedules(s->trained, head) && hyper_applies(&s->spec->hyper, head);
}

static double bytes(const RunSpec* x) { return scheduler_controller_bytes(x, LARGEST_TRAINED); }

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  bool best = strcmp(s->spec->scheduler.controller_version, "best") == 0;
  Rng rng = scheduler_stream(s, request);
  controller_act(action, s->self, request->state, 0, best, &rng);
}

static void check(OptionsCheck* check, const RunSpec* x) {
  int groups;
  scheduler_check_groups(&groups, x, check);
}

static void check_inputs(OptionsCheck* check, const RunSpec* x) {
  if (!*x->scheduler.controller) {
    options_broken(check, "scheduler.controller",
                   "must name a run directory or a policy file of a trained controller");
  }
}

const SchedulerKind scheduler_apply = {
    .name = "apply",
    .steps = true,
    .has_versions = true,
    .can_fork = true,
    .check = check,
    .check_inputs = check_inputs,
    .find_trained = scheduler_find_policy,
    .plan = scheduler_plain_plan,
    .bytes = bytes,
    .open = open_trained,
    .may_set = may_set,
    .sets = sets,
    .decide = decide,
};
