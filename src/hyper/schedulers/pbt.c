// pbt: population-based training. Its rules are in population.c; here is how they become units.
//
// Unit round x members + member is a hyper-episode: the epochs of one round of one member, which
// begins at the snapshot of its parent's end in the round before. A round is what a stage is for a
// controller: when its last unit is sealed, the next round follows from the scores in the sealed
// files. Nothing else is kept: a start goes through the rounds again. Then the snapshots of the
// round before go, and those of this round that nobody goes on from, so that at most two a member
// take room.
#include <math.h>
#include <string.h>

#include "base/fault.h"
#include "hyper/population.h"
#include "hyper/sealed_check.h"
#include "hyper/scheduler_kinds.h"
#include "hyper/snapshot.h"

OPTION_TABLE(options, PbtOptions, PBT_OPTIONS)

static const PbtOptions* options_of(const RunSpec* x) {
  return scheduler_options(x, &scheduler_pbt);
}

typedef struct {
  Member* members;     // (rounds + 1, members) who each is in a round
  double* scores;      // (members) of the round that is folded
  StageResult result;  // of that round
} Population;

static Member* round_of(const Scheduler* s, int round) {
  const Population* p = s->self;
  return p->members + (size_t)round * (size_t)s->plan.stage_size;
}

static SchedulerPlan plan(const RunSpec* x) {
  int run = x->hyper.apply_epochs, interval = options_of(x)->interval;
  int rounds = run > interval ? (run + interval - 1) / interval : 1;
  return (SchedulerPlan){.epochs = run < interval ? run : interval,
                         .run_epochs = run,
                         .hyper_episodes = (int64_t)rounds * options_of(x)->members,
                         .updates = rounds,
                         .stage_size = options_of(x)->members};
}

static double bytes(const RunSpec* x) {
  SchedulerPlan p = plan(x);
  return ((double)p.hyper_episodes + p.stage_size) * sizeof(Member);
}

static void segment(HyperSegment* segment, const Scheduler* s, int64_t e) {
  int size = s->plan.stage_size;
  int round = (int)(e / size), member = (int)(e % size);
  int64_t parent = (int64_t)(round - 1) * size + round_of(s, round)[member].parent;
  int first = round * options_of(s->spec)->interval, last = first + s->plan.epochs;
  *segment = (HyperSegment){
      .streams = e,
      .parent = round > 0 ? parent : -1,
      .first_epoch = first,
      .last_epoch = last < s->plan.run_epochs ? last : s->plan.run_epochs,
  };
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const RunSpec* x = s->spec;
  int size = s->plan.stage_size;
  int round = (int)(request->hyper_episode / size), member = (int)(request->hyper_episode % size);
  int64_t an_epoch = mbpo_times_per_epoch(&x->mbpo, x->hyper.decision_interval);
  int64_t decision = round * options_of(x)->interval * an_epoch + request->decision;
  search_decide(action, &round_of(s, round)[member].point, decision, request->state, &x->search,
                &x->hyper);
}

// Rounds ------------------------------------------------------------------------------------------

// NaN: it diverged.
static bool read_score(double* score, const Scheduler* s, int64_t e, Error* error) {
  Trajectory t;
  ArenaMark mark = arena_mark(s->arena);
  bool good = sealed_read_episode(&t, s->directory, s->spec, e, s->arena, error);
  *score = NAN;
  if (good && !t.outcome.diverged) {
    int count = options_of(s->spec)->score_epochs;
    count = count < t.epochs ? count : t.epochs;
    double sum = 0;
    for (int i = t.epochs - count; i < t.epochs; i++) {
      sum += t.eval_return_mean[i];
    }
    *score = count > 0 ? sum / count : 0;
  }
  arena_release(s->arena, mark);
  return good;
}

// All of the round before, and those of `round` that nobody goes on from. The seals of the round
// must last first: without its parent's snapshot a lost one could not be made again. (A start that
// opens the run may see one that another start has just named, and not synced.)
static bool remove_snapshots(const Scheduler* s, int round, Error* error) {
  char path[RUN_PATH_SIZE];
  int size = s->plan.stage_size;
  run_file(path, s->directory, "episodes");
  if (!files_sync(path, error)) {
    return false;
  }
  for (int i = 0; i < size; i++) {
    bool needed = false;
    for (int child = 0; child < size && round + 1 < s->plan.updates; child++) {
      needed |= round_of(s, round + 1)[child].parent == i;
    }
    if (!needed) {
      snapshot_remove(s->directory, (int64_t)round * size + i);
    }
    if (round > 0) {
      snapshot_remove(s->directory, (int64_t)(round - 1) * size + i);
    }
  }
  return true;
}

static bool fold(Scheduler* s, const StageResult** result, Error* error) {
  const RunSpec* x = s->spec;
  Population* p = s->self;
  int round = s->version, size = s->plan.stage_size;
  for (int i = 0; i < size; i++) {
    if (!read_score(&p->scores[i], s, (int64_t)round * size + i, error)) {
      return error_add(error, "round %d", round);
    }
  }
  fault_point("in-update");
  if (!population_evolve(round_of(s, round + 1), round_of(s, round), p->scores, round,
                         options_of(x), x->seed, s->arena, error)) {
    return false;
  }
  p->result = scheduler_stage_result(round, p->scores, size);
  s->version++;
  *result = &p->result;
  return remove_snapshots(s, round, error);
}

// Whether the next round is sealed. A disk that does not tell would make another population of it.
static bool look(bool* complete, const Scheduler* s, Error* error) {
  int size = s->plan.stage_size;
  bool good = true;
  *complete = s->version < s->plan.updates;
  for (int i = 0; good && *complete && i < size; i++) {
    good = run_look_sealed(complete, s->directory, (int64_t)s->version * size + i, error);
  }
  return good;
}

static bool open_run(Scheduler* s, Error* error) {
  const RunSpec* x = s->spec;
  Population* p = ARENA_NEW(s->arena, 1, Population);
  s->self = p;
  int rounds = s->plan.updates, size = s->plan.stage_size;
  p->members = ARENA_NEW(s->arena, ((size_t)rounds + 1) * (size_t)size, Member);
  p->scores = ARENA_NEW(s->arena, size, double);
  population_begin(p->members, options_of(x), x->seed);
  const StageResult* known;
  bool complete, good;
  while ((good = look(&complete, s, error)) && complete) {
    if (!fold(s, &known, error)) {
      return false;
    }
  }
  return good;
}

// Parts of a population that evolve in quarters.
static void check(OptionsCheck* check, const RunSpec* x) {
  const PbtOptions* p = options_of(x);
  int parts = p->frequencies.count;
  if (p->score_epochs > p->interval) {
    options_broken(check, "pbt.score_epochs", "must be at most pbt.interval=%d", p->interval);
  }
  if (parts == 0 || (parts > 1 && (p->members % parts != 0 || p->members / parts < 4))) {
    options_broken(check, "pbt.frequencies", "must have one item, or as many as divide "
                   "pbt.members=%d into equal parts of at least 4", p->members);
  }
  options_check_integers(check, "pbt.frequencies", &p->frequencies);
}

const SchedulerKind scheduler_pbt = {
    .name = "pbt",
    .section = {.table = options},
    .check = check,
    .plan = plan,
    .bytes = bytes,
    .segment = segment,
    .open = open_run,
    .decide = decide,
    .fold = fold,
};
