// fork: a hyper-episode of another run once more, as it was (unit 0), and with one decision
// otherwise (a unit for each alternative).
//
// Each unit has the streams of the hyper-episode that is forked, and asks who scheduled there, in
// the version that acted there, without knowing who that is. So unit 0 has its bits, which
// `autombpo fork` compares, and until the decision all units do.
#include <math.h>
#include <stdio.h>

#include "hyper/fork.h"
#include "hyper/scheduler_kinds.h"

OPTION_TABLE(options, ForkOptions, FORK_OPTIONS)

const ForkOptions* fork_options(const RunSpec* x) { return scheduler_options(x, &scheduler_fork); }

typedef struct {
  RunSpec spec;     // of the run that is forked
  Scheduler inner;  // who schedules there
  ForkChoice choices[FORK_MOST_CHOICES];
} Fork;

static RunSpec forked(const RunSpec* x) {
  RunSpec inner = *x;
  snprintf(inner.scheduler.kind, sizeof inner.scheduler.kind, "%s", fork_options(x)->of);
  return inner;
}

static SchedulerPlan plan(const RunSpec* x) {
  RunSpec inner = forked(x);
  const SchedulerKind* kind = scheduler_kind(&inner);
  SchedulerPlan p = {.epochs = kind->can_fork ? kind->plan(&inner).epochs : 0};
  ForkChoice choices[FORK_MOST_CHOICES];
  Error ignored;
  int count;
  bool known = fork_read_choices(choices, &count, fork_options(x)->choices, &ignored);
  p.hyper_episodes = known ? 1 + count : 1;
  return p;
}

static bool open_fork(Scheduler* s, Error* error) {
  Fork* f = ARENA_NEW(s->arena, 1, Fork);
  const ForkOptions* o = fork_options(s->spec);
  int count;
  s->self = f;
  f->spec = forked(s->spec);
  return fork_read_choices(f->choices, &count, o->choices, error) &&
         scheduler_open_version(&f->inner, &f->spec, s->directory, o->version, s->arena, error);
}

static void segment(HyperSegment* segment, const Scheduler* s, int64_t e) {
  (void)e;
  *segment = scheduler_segment(&((const Fork*)s->self)->inner, fork_options(s->spec)->episode);
}

static bool may_set(const RunSpec* x, HyperHead head) {
  RunSpec inner = forked(x);
  // a fork of forks, which `check` refuses, would ask itself for ever
  return scheduler_kind(&inner)->can_fork && scheduler_may_set_head(&inner, head);
}

static bool sets(const Scheduler* s, HyperHead head, int version) {
  (void)version;
  const Fork* f = s->self;
  return scheduler_sets_head(&f->inner, head, fork_options(s->spec)->version);
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  Fork* f = s->self;
  const ForkOptions* o = fork_options(s->spec);
  SchedulerRequest as_it_was = *request;
  as_it_was.hyper_episode = o->episode;
  as_it_was.version = o->version;
  scheduler_decide(action, &f->inner, &as_it_was);
  if (request->decision == o->decision && request->hyper_episode > 0) {
    const ForkChoice* other = &f->choices[request->hyper_episode - 1];
    if (request->state->allowed[other->head] >> other->choice & 1) {
      action->choice[other->head] = (int8_t)other->choice;
      action->logp[other->head] = NAN;
    }
  }
}

// The fork has the settings of the run already, and its seed.
static bool find_trained(SchedulerTrained* trained, const char* named, Arena* arena,
                         Error* error) {
  bool found = scheduler_find_policy(trained, named, arena, error);
  trained->config = NULL;
  trained->seed = -1;
  trained->baseline_seeds = "";
  return found;
}

static void check(OptionsCheck* check, const RunSpec* x) {
  RunSpec inner = forked(x);
  const SchedulerKind* kind = scheduler_kind(&inner);
  ForkChoice choices[FORK_MOST_CHOICES];
  int count;
  Error error = {0};
  if (!fork_read_choices(choices, &count, fork_options(x)->choices, &error)) {
    options_broken(check, "fork.choices", "%s", error.text);
  }
  if (!kind->can_fork) {
    options_broken(check, "fork.of", "its hyper-episodes cannot be forked");
  }
  if (kind->has_versions && fork_options(x)->version < 0) {
    options_broken(check, "fork.version", "must be the version that acted (fork.of=%s)",
                   kind->name);
  }
  if (kind->has_versions && !*x->scheduler.controller) {
    options_broken(check, "scheduler.controller",
                   "must name the controller that acted (fork.of=%s)", kind->name);
  }
}

// Its place does not count, what it holds is repeated.
static const char* const unhashed[] = {"fork.source", NULL};

const SchedulerKind scheduler_fork = {
    .name = "fork",
    .section = {.table = options, .unhashed = unhashed},
    .steps = true,
    .plan = plan,
    .check = check,
    .find_trained = find_trained,
    .segment = segment,
    .open = open_fork,
    .may_set = may_set,
    .sets = sets,
    .decide = decide,
};
