// static: hyperparameters that are drawn once a run, and held: random search.
//
// A point of the search space comes from (seed, hyper-episode), so that more hyper-episodes are
// more points, in an order that never changes. With scheduler.controller, the point of the best
// hyper-episode of that run is held in all, on other seeds: a search is what a configuration is
// chosen by, and what the choice is worth must be seen elsewhere.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hyper/scheduler_kinds.h"
#include "hyper/sealed_check.h"
#include "hyper/sealed_root.h"
#include "store/h5.h"

typedef struct {
  uint64_t seed;  // that the point is drawn with
  int64_t hyper_episode;
} Chosen;

static bool open_run(Scheduler* s, Error* error) {
  const char* path = s->spec->scheduler.controller;
  H5File file;
  if (!*path) {
    return true;
  }
  Chosen* chosen = ARENA_NEW(s->arena, 1, Chosen);
  if (!h5_open(&file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  chosen->seed = (uint64_t)h5_get_i64(&file, "", "seed");
  chosen->hyper_episode = h5_get_i64(&file, "", "hyper_episode");
  s->self = chosen;
  return h5_close(&file, error);
}

static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  const RunSpec* x = s->spec;
  const Chosen* chosen = s->self;
  SearchPoint point;
  Rng rng = chosen ? rng_stream(chosen->seed, chosen->hyper_episode, RNG_POPULATION, 0)
                   : rng_stream(x->seed, request->hyper_episode, RNG_POPULATION, 0);
  search_draw(&point, &rng);
  search_decide(action, &point, request->decision, request->state, &x->search, &x->hyper);
}

// The hyper-episode of a run with the largest score; one that diverged never is.
static bool find_best(char best[RUN_PATH_SIZE], const RunDirectory* directory, Error* error) {
  double score = -INFINITY;
  bool found = false;
  for (int64_t e = 0; run_may_be_sealed(directory, e); e++) {
    Outcome outcome;
    if (!sealed_read_outcome(&outcome, directory, NULL, e, error)) {
      return false;
    }
    if (!outcome.diverged && outcome.score > score) {
      score = outcome.score;
      found = true;
      run_episode_path(best, directory, e);
    }
  }
  return found || error_set(error, "%s: no finished hyper-episode to choose from",
                            directory->path);
}

static bool find_trained(SchedulerTrained* trained, const char* named, Arena* arena,
                         Error* error) {
  H5File file;
  return scheduler_open_episode(&file, trained, named, find_best, arena, error) &&
         h5_close(&file, error);
}

const SchedulerKind scheduler_static = {.name = "static",
                                        .find_trained = find_trained,
                                        .plan = scheduler_plain_plan,
                                        .open = open_run,
                                        .decide = decide};
