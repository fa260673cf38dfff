// ror: the trainer of RoR inside a hyper-episode.
//
// It learns at each decision from how the real reward of the last interval compares with that of
// the one before. What it is travels as the notes of the hyper-episode. In training, hyper-episodes
// follow each other, each with what the one before knew at its end, which is in its sealed file;
// with scheduler.controller, the trainer of that run acts in all of them, and goes on learning
// unless ror.learn is false.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hyper/ror_trainer.h"
#include "hyper/scheduler_kinds.h"
#include "hyper/sealed_check.h"
#include "hyper/sealed_root.h"
#include "store/h5.h"

#define NOTES ((int)(sizeof(RorTrainer) / sizeof(double)))

OPTION_TABLE(options, RorOptions, ROR_OPTIONS)

static const RorOptions* options_of(const RunSpec* x) {
  return scheduler_options(x, &scheduler_ror);
}

typedef struct {
  RorTrainer* trainers;  // (updates + 1) by version
  StageResult result;    // of the hyper-episode that was folded
} Ror;

static bool is_trained(const RunSpec* x) { return *x->scheduler.controller != '\0'; }

static SchedulerPlan plan(const RunSpec* x) {
  SchedulerPlan p = scheduler_plain_plan(x);
  p.notes = NOTES;
  if (!is_trained(x)) {
    p.epochs = x->hyper.train_epochs;
    p.updates = (int)p.hyper_episodes;
    p.stage_size = 1;
  }
  return p;
}

static double bytes(const RunSpec* x) { return (plan(x).updates + 1.0) * sizeof(RorTrainer); }

static bool take_trainer(RorTrainer* trainer, H5File* file, Error* error) {
  h5_read(file, "final/notes", H5_F64, NOTES, 0, trainer);
  return h5_close(file, error) ||
         error_line(error, "%s: holds no trainer of scheduler.kind=ror", file->path);
}

static bool read_trainer(RorTrainer* trainer, const char* path, Error* error) {
  H5File file;
  return h5_open(&file, path, EPISODE_FORMAT, SEALED_VERSION, error) &&
         take_trainer(trainer, &file, error);
}

static bool load_version(Scheduler* s, int version, Error* error) {
  const Ror* r = s->self;
  H5File file;
  return sealed_open_episode(&file, s->directory, s->spec, version - 1, error) &&
         take_trainer(&r->trainers[version], &file, error);
}

// The trainer of version v is what hyper-episode v - 1 left.
static bool open_run(Scheduler* s, Error* error) {
  const RunSpec* x = s->spec;
  Ror* r = ARENA_NEW(s->arena, 1, Ror);
  Rng rng = rng_stream(x->seed, 0, RNG_CONTROLLER, 0);
  s->self = r;
  r->trainers = ARENA_NEW(s->arena, s->plan.updates + 1, RorTrainer);
  ror_begin(&r->trainers[0], &rng);
  if (is_trained(x)) {
    return read_trainer(&r->trainers[0], x->scheduler.controller, error);
  }
  bool there = true;
  while (there && s->version < s->plan.updates) {
    if (!run_look_sealed(&there, s->directory, s->version, error) ||
        (there && !load_version(s, s->version + 1, error))) {
      return false;
    }
    s->version += there;
  }
  return true;
}

static unsigned scheduled_heads(const Scheduler* s) {
  unsigned mask = 0;
  for (int h = 0; h < HEAD_COUNT; h++) {
    mask |= hyper_schedules(&s->spec->hyper, (HyperHead)h) ? 1u << h : 0;
  }
  return mask;
}

// The model is trained or not; every other hyperparameter stands at one of two places of its range
// (docs/algorithms.md, D26).
static void set_levels(HyperAction* action, const Scheduler* s, const HyperState* state,
                       int levels) {
  const RunSpec* x = s->spec;
  SearchPoint point;
  for (int h = 0; h < HEAD_COUNT; h++) {
    point.place[h] = options_of(x)->levels.value[levels >> h & 1];
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    action->sets[h] = state->allowed[h] != 0;
    if (action->sets[h]) {
      action->value[h] = h == HEAD_TRAIN_MODEL
                             ? levels >> h & 1
                             : search_value(&point, (HyperHead)h, &x->search, &x->hyper);
    }
  }
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const Ror* r = s->self;
  RorTrainer trainer;
  if (request->decision == 0) {
    trainer = r->trainers[scheduler_version_of(&s->plan, request->hyper_episode)];
    ror_forget_last(&trainer);
  } else {
    memcpy(&trainer, request->notes, sizeof trainer);
  }
  Rng rng = scheduler_stream(s, request);
  int levels = ror_decide(&trainer, scheduled_heads(s), request->state->real_reward,
                          options_of(s->spec), &rng);
  set_levels(action, s, request->state, levels);
  memcpy(request->notes, &trainer, sizeof trainer);
}

static bool fold(Scheduler* s, const StageResult** result, Error* error) {
  Ror* r = s->self;
  Outcome outcome;
  if (!load_version(s, s->version + 1, error) ||
      !sealed_read_outcome(&outcome, s->directory, s->spec, s->version, error)) {
    return false;
  }
  r->result = scheduler_stage_result(s->version, outcome.diverged ? &(double){NAN} : &outcome.score,
                                     1);
  s->version++;
  *result = &r->result;
  return true;
}

static bool find_newest(char path[RUN_PATH_SIZE], const RunDirectory* directory, Error* error) {
  (void)error;
  int64_t e = 0;
  while (run_may_be_sealed(directory, e + 1)) {
    e++;
  }
  run_episode_path(path, directory, e);
  return true;
}

static bool find_trained(SchedulerTrained* trained, const char* named, Arena* arena,
                         Error* error) {
  H5File file;
  return scheduler_open_episode(&file, trained, named, find_newest, arena, error) &&
         take_trainer(ARENA_NEW(arena, 1, RorTrainer), &file, error);
}

static void check(OptionsCheck* check, const RunSpec* x) {
  if (options_of(x)->levels.count != 2) {
    options_broken(check, "ror.levels", "must have two items");
  }
}

const SchedulerKind scheduler_ror = {
    .name = "ror",
    .section = {.table = options},
    .check = check,
    .find_trained = find_trained,
    .plan = plan,
    .bytes = bytes,
    .open = open_run,
    .decide = decide,
    .fold = fold,
};
