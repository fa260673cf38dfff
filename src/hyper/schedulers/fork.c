// fork: a hyper-episode of another run once more, as it was (unit 0), and with one decision
// otherwise (a unit for each alternative).
//
// Each unit has the streams of the hyper-episode that is forked, and asks who scheduled there, in
// the version that acted there. So unit 0 has its bits, which `autombpo fork` compares, and until
// the decision all units do.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hyper/policy_file.h"
#include "hyper/ppo.h"
#include "hyper/scheduler_kinds.h"

typedef struct {
  RunSpec spec;      // of the run that is forked
  Scheduler inner;   // who schedules there
  Controller* acts;  // where that is a controller; else NULL
  ForkChoice choices[FORK_MOST_CHOICES];
} Fork;

static RunSpec forked(const RunSpec* x) {
  RunSpec inner = *x;
  snprintf(inner.scheduler.kind, sizeof inner.scheduler.kind, "%s", x->fork.of);
  return inner;
}

static SchedulerPlan plan(const RunSpec* x) {
  RunSpec inner = forked(x);
  SchedulerPlan p = {.epochs = scheduler_plan(&inner).epochs};
  ForkChoice choices[FORK_MOST_CHOICES];
  Error ignored;
  int count;
  p.hyper_episodes = fork_read_choices(choices, &count, x->fork.choices, &ignored) ? 1 + count : 1;
  return p;
}

static bool open_fork(Scheduler* s, Error* error) {
  Fork* f = ARENA_NEW(s->arena, 1, Fork);
  int count;
  s->self = f;
  f->spec = forked(s->spec);
  f->inner = (Scheduler){.kind = scheduler_kind(&f->spec), .spec = &f->spec,
                         .directory = s->directory, .arena = s->arena};
  f->inner.plan = scheduler_plan(&f->spec);
  if (!fork_read_choices(f->choices, &count, s->spec->fork.choices, error)) {
    return false;
  }
  if (f->inner.kind->has_versions) {
    f->acts = ARENA_NEW(s->arena, 1, Controller);
    return scheduler_init_controller(f->acts, &f->inner, LARGEST_TRAINED, error) &&
           policy_file_read(f->acts, s->spec->scheduler.controller, error);
  }
  return !f->inner.kind->open || f->inner.kind->open(&f->inner, error);
}

static void segment(HyperSegment* segment, const Scheduler* s, int64_t e) {
  (void)e;
  segment->streams = s->spec->fork.episode;
}

static bool learns(const Fork* f) { return f->inner.kind->fold != NULL; }

static bool sets(const Scheduler* s, HyperHead head, int version) {
  const Fork* f = s->self;
  if (!f->acts) {
    return f->inner.kind->sets(&f->inner, head, version);
  }
  return controller_schedules(f->acts, head) &&
         (learns(f) || hyper_applies(&s->spec->hyper, head));
}

static void act(HyperAction* action, Fork* f, const SchedulerRequest* request) {
  const RunSpec* x = &f->spec;
  bool best = !learns(f) && strcmp(x->scheduler.controller_version, "best") == 0;
  double explores = learns(f) ? ppo_exploration(&x->ppo, x->fork.version) : 0;
  Rng rng = scheduler_stream(&f->inner, request);
  controller_act(action, f->acts, request->state, explores, best, &rng);
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  Fork* f = s->self;
  const ForkOptions* o = &s->spec->fork;
  SchedulerRequest as_it_was = *request;
  as_it_was.hyper_episode = o->episode;
  as_it_was.version = o->version;
  if (f->acts) {
    act(action, f, &as_it_was);
  } else {
    f->inner.kind->decide(action, &f->inner, &as_it_was);
  }
  if (request->decision == o->decision && request->hyper_episode > 0) {
    const ForkChoice* other = &f->choices[request->hyper_episode - 1];
    if (request->state->allowed[other->head] >> other->choice & 1) {
      action->choice[other->head] = (int8_t)other->choice;
      action->logp[other->head] = NAN;
    }
  }
}

static bool find_policy(char path[RUN_PATH_SIZE], const char** env, const char* named,
                        Arena* arena, Error* error) {
  PolicyTraining training;
  if (!policy_file_find(path, named, error) ||
      !policy_file_read_training(&training, path, arena, error)) {
    return false;
  }
  *env = training.env;
  return true;
}

const SchedulerKind scheduler_fork = {
    .name = "fork",
    .steps = true,
    .plan = plan,
    .find_trained = find_policy,
    .segment = segment,
    .open = open_fork,
    .sets = sets,
    .decide = decide,
};
