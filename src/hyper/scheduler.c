// scheduler.c - the table of kinds, and what holds for all of them.
//
// A SchedulerKind is a struct of functions and flags, most of which a kind may leave out; the calls
// here fill in what is missing: no `open` is fine, no `decide` sets nothing, no `ask` answers at
// once. What depends on the kind asks for a flag or a function, never for a name, so that a new
// kind is one file and one row.
//
// The arithmetic of stages is here, because it must be the same for all: hyper-episode e acts with
// version max(0, floor((e - L) / K)), and is ready when that version exists (Algorithm 1, lines 2
// and 22, with K hyper-episodes an update and a look-ahead of L). The number of ranks does not
// enter.
#include "hyper/scheduler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hyper/policy_file.h"
#include "hyper/scheduler_kinds.h"
#include "hyper/sealed_root.h"

#define SCHEDULER_ADDRESS(name, meaning) &scheduler_##name,
static const SchedulerKind* const kinds[SCHEDULER_KINDS] = {SCHEDULER_TABLE(SCHEDULER_ADDRESS)};

const SchedulerKind* scheduler_kind_at(int i) {
  return i < SCHEDULER_KINDS ? kinds[i] : NULL;
}

static const SchedulerKind* find_kind(const char* name) {
  for (int i = 0; scheduler_kind_at(i); i++) {
    if (strcmp(kinds[i]->name, name) == 0) {
      return kinds[i];
    }
  }
  CHECK(false, "no scheduler '%s'", name);
}

const SchedulerKind* scheduler_kind(const RunSpec* x) { return find_kind(x->scheduler.kind); }

const void* scheduler_options(const RunSpec* x, const SchedulerKind* kind) {
  int i = 0;
  while (kinds[i] != kind) {
    i++;
  }
  CHECK(x->kind_options[i], "the options of scheduler.kind=%s are not there", kind->name);
  return x->kind_options[i];
}

SchedulerPlan scheduler_plan(const RunSpec* x) {
  SchedulerPlan plan = scheduler_kind(x)->plan(x);
  plan.run_epochs = plan.run_epochs > 0 ? plan.run_epochs : plan.epochs;
  return plan;
}

bool scheduler_may_set_head(const RunSpec* x, HyperHead h) {
  const SchedulerKind* kind = scheduler_kind(x);
  return kind->may_set ? kind->may_set(x, h) : hyper_schedules(&x->hyper, h);
}

MbpoScheduled scheduler_may_set(const RunSpec* x) {
  MbpoScheduled sets = {0};
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    hyper_set_scheduled(&sets, h, scheduler_may_set_head(x, h));
  }
  return sets;
}

SchedulerPlan scheduler_plain_plan(const RunSpec* x) {
  return (SchedulerPlan){.epochs = x->hyper.apply_epochs,
                         .hyper_episodes = x->scheduler.hyper_episodes};
}

Rng scheduler_stream(const Scheduler* s, const SchedulerRequest* request) {
  return rng_stream(s->spec->seed, request->hyper_episode, RNG_DECISION, request->decision);
}

static ControllerShape shape_of(const RunSpec* x, int max_stages) {
  return (ControllerShape){
      .groups = x->ppo.groups,
      .hidden_size = x->ppo.hidden_size,
      .learning_rate = x->ppo.learning_rate,
      .init_sd = x->ppo.init_sd,
      .max_batch = x->ppo.minibatch_size,
      .max_stages = max_stages,
  };
}

bool scheduler_init_controller(Controller* controller, const Scheduler* s, int max_stages,
                               Error* error) {
  ControllerShape shape = shape_of(s->spec, max_stages);
  return controller_init(controller, &s->spec->hyper, &shape, s->spec->seed, s->arena,
                         error);
}

double scheduler_controller_bytes(const RunSpec* x, int max_stages) {
  ControllerShape shape = shape_of(x, max_stages);
  return controller_bytes(&shape);
}

void scheduler_check_groups(int* groups, const RunSpec* x, OptionsCheck* check) {
  int group[HEAD_COUNT];
  Error error = {0};
  if (!controller_groups(groups, group, &x->hyper, x->ppo.groups, &error)) {
    *groups = 0;
    options_broken(check, "ppo.groups", "%s", error.text);
  }
}

bool scheduler_find_policy(SchedulerTrained* trained, const char* named, Arena* arena,
                           Error* error) {
  PolicyTraining training;
  if (!policy_file_find(trained->path, named, error) ||
      !policy_file_read_training(&training, trained->path, arena, error)) {
    return false;
  }
  trained->env = training.env;
  trained->config = training.config;
  trained->seed = training.seed;
  trained->baseline_seeds = training.baseline_seeds;
  return true;
}

bool scheduler_open_episode(H5File* file, SchedulerTrained* trained, const char* named,
                            bool (*choose)(char path[RUN_PATH_SIZE], const RunDirectory* directory,
                                           Error* error),
                            Arena* arena, Error* error) {
  char* path = trained->path;
  RunDirectory directory;
  if (snprintf(directory.path, RUN_PATH_SIZE, "%s", named) >= RUN_PATH_SIZE - 64) {
    return error_set(error, "%s: name too long", named);
  }
  run_file(path, &directory, "episodes");
  bool is_run = files_exists(path);
  snprintf(path, RUN_PATH_SIZE, "%s", named);
  if ((is_run && !choose(path, &directory, error)) ||
      !h5_open(file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  trained->env = h5_get_text(file, "", "env", arena);
  trained->seed = h5_get_i64(file, "", "seed");
  return true;
}

StageResult scheduler_stage_result(int stage, const double* scores, int count) {
  StageResult result = {.stage = stage, .first_episode = stage * count, .episodes = count};
  result.baseline_score = NAN;
  for (int h = 0; h < HEAD_COUNT; h++) {
    result.entropy[h] = NAN;
  }
  for (int i = 0; i < count; i++) {
    result.diverged += isnan(scores[i]);
    result.score += isnan(scores[i]) ? 0 : scores[i];
  }
  result.score /= count - result.diverged;
  return result;
}

HyperSegment scheduler_whole_run(const RunSpec* x) {
  return (HyperSegment){.parent = -1, .last_epoch = scheduler_plan(x).epochs};
}

int64_t scheduler_at_once(const SchedulerPlan* plan) {
  int64_t stage = (int64_t)plan->stage_size + plan->look_ahead;
  return plan->updates > 0 && stage < plan->hyper_episodes ? stage : plan->hyper_episodes;
}

int scheduler_version_of(const SchedulerPlan* plan, int64_t e) {
  int64_t behind = e - plan->look_ahead;
  return plan->updates > 0 && behind > 0 ? (int)(behind / plan->stage_size) : 0;
}

static void init(Scheduler* s, const RunSpec* x, const RunDirectory* directory, Arena* arena) {
  *s = (Scheduler){.kind = scheduler_kind(x), .spec = x, .directory = directory,
                   .arena = arena};
  s->plan = scheduler_plan(x);
}

static bool open_run(Scheduler* s, Error* error) {
  return !s->kind->open || s->kind->open(s, error);
}

bool scheduler_open(Scheduler* s, const RunSpec* x, const RunDirectory* directory, Arena* arena,
                    Error* error) {
  init(s, x, directory, arena);
  return open_run(s, error);
}

bool scheduler_begin(Scheduler* s, Error* error) {
  return !s->kind->begin || s->kind->begin(s, error);
}

bool scheduler_open_version(Scheduler* s, const RunSpec* x, const RunDirectory* directory,
                            int version, Arena* arena, Error* error) {
  init(s, x, directory, arena);
  return s->kind->open_version ? s->kind->open_version(s, version, error) : open_run(s, error);
}

bool scheduler_is_ready(const Scheduler* s, int64_t e) {
  return e < s->plan.hyper_episodes && scheduler_version_of(&s->plan, e) <= s->version;
}

HyperSegment scheduler_segment(const Scheduler* s, int64_t e) {
  HyperSegment segment = scheduler_whole_run(s->spec);
  segment.streams = e;
  if (s->kind->segment) {
    s->kind->segment(&segment, s, e);
  }
  return segment;
}

bool scheduler_load_version(Scheduler* s, int version, Error* error) {
  return !s->kind->load_version || s->kind->load_version(s, version, error);
}

bool scheduler_sets_head(const Scheduler* s, HyperHead head, int version) {
  return s->kind->sets ? s->kind->sets(s, head, version) : scheduler_may_set_head(s->spec, head);
}

MbpoScheduled scheduler_sets(const Scheduler* s, int version) {
  MbpoScheduled sets = {0};
  for (HyperHead h = 0; h < HEAD_COUNT; h++) {
    hyper_set_scheduled(&sets, h, scheduler_sets_head(s, h, version));
  }
  return sets;
}

void scheduler_decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  hyper_action_none(action);
  if (s->kind->decide) {
    s->kind->decide(action, s, request);
  }
}

bool scheduler_ask(HyperAction* action, bool* later, Scheduler* s,
                   const SchedulerRequest* request, Error* error) {
  *later = false;
  if (s->kind->outside.ask) {
    hyper_action_none(action);
    return s->kind->outside.ask(action, later, s, request, error);
  }
  scheduler_decide(action, s, request);
  return true;
}

bool scheduler_listen(int64_t* answered, Scheduler* s, double patience, Error* error) {
  *answered = -1;
  return !s->kind->outside.listen || s->kind->outside.listen(answered, s, patience, error);
}

void scheduler_sealed(Scheduler* s, const SchedulerOutcome* outcome) {
  if (s->kind->outside.sealed) {
    s->kind->outside.sealed(s, outcome);
  }
}

void scheduler_close(Scheduler* s) {
  if (s->kind->outside.close) {
    s->kind->outside.close(s);
  }
}

bool scheduler_fold(Scheduler* s, int64_t sealed, const StageResult** result, Error* error) {
  *result = NULL;
  bool due = !scheduler_is_done(s) && sealed >= (int64_t)(s->version + 1) * s->plan.stage_size;
  return !due || s->kind->fold(s, result, error);
}

bool scheduler_is_done(const Scheduler* s) { return s->version >= s->plan.updates; }
