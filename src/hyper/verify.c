// verify.c - a sealed hyper-episode once more, and the comparison of two files.
//
// What was run again is written as a sealed file of its own, whole or unfinished, below a temporary
// directory. So there is one comparison for all that a file holds: dataset by dataset, and of a
// whole hyper-episode the checksum of the file as well, which covers attributes. Of an unfinished
// one, what only the end tells (advantages, what is in /final) is left out.
//
// Decisions go through the scheduler of the run, which takes them again as it took them then.
#include "hyper/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hyper/hyper_episode.h"
#include "hyper/sealed_check.h"
#include "hyper/sealed_root.h"
#include "hyper/snapshot.h"
#include "store/pack.h"

typedef struct {
  Verify* verify;
  Scheduler* scheduler;
  Arena arena;
  Error* error;
} Work;

bool verify_epochs(int* epochs, const Scheduler* s, int64_t e, Error* error) {
  Trajectory t;
  Arena arena;
  arena_init(&arena);
  bool good = sealed_read_episode(&t, s->directory, s->spec, e, &arena, error);
  *epochs = good && t.epochs > 0 ? t.epochs : 1;
  arena_free(&arena);
  return good;
}

// Running again -----------------------------------------------------------------------------------

static void decide(HyperEpisode* h, Scheduler* s) {
  SchedulerRequest request = {
      .hyper_episode = h->index,
      .decision = h->decisions,
      .version = h->policy_version,
      .state = &h->state,
      .notes = h->notes,
      .reward = h->decisions > 0 ? decision_reward(&h->decision[h->decisions - 1]) : 0};
  HyperAction action;
  scheduler_decide(&action, s, &request);
  hyper_episode_act(h, &action);
}

// Up to the end of an epoch, or to its own end.
static void advance(HyperEpisode* h, Scheduler* s, int epochs) {
  HyperEvent event = HYPER_STEPPED;
  while (event != HYPER_FINISHED && !(event == HYPER_EPOCH_END && h->epochs == epochs)) {
    event = hyper_episode_advance(h);
    if (event == HYPER_DECISION) {
      decide(h, s);
    }
  }
}

static bool make_parent(Work* w, int64_t e);

static bool begin(Work* w, HyperEpisode* h) {
  char path[RUN_PATH_SIZE];
  if (h->segment.parent < 0) {
    return true;
  }
  run_snapshot_path(path, w->scheduler->directory, h->segment.parent);
  const RunDirectory* from = files_exists(path) ? w->scheduler->directory : &w->verify->place;
  return (from != &w->verify->place || make_parent(w, h->segment.parent)) &&
         snapshot_load(h, from, &w->arena, w->error);
}

// Runs `epochs` of a hyper-episode (all: INT_MAX) and hands it to `write`.
static bool run_again(Work* w, int64_t e, int epochs,
                      bool (*write)(const Work* w, HyperEpisode* h)) {
  Scheduler* s = w->scheduler;
  HyperEpisode h;
  HyperSegment segment = scheduler_segment(s, e);
  int version = scheduler_version_of(&s->plan, e);
  ArenaMark mark = arena_mark(&w->arena);
  bool good = scheduler_load_version(s, version, w->error) &&
              hyper_episode_init(&h, s->spec, e, &segment, s->kind->has_versions ? version : -1,
                                 scheduler_sets(s, version), &w->arena, w->error);
  if (good) {
    good = begin(w, &h) && scheduler_load_version(s, version, w->error);
    if (good) {
      advance(&h, s, epochs);
      good = write(w, &h);
    }
    hyper_episode_free(&h);
  }
  arena_release(&w->arena, mark);
  return good;
}

static bool write_snapshot(const Work* w, HyperEpisode* h) {
  return snapshot_write(h, &w->verify->place, w->error);
}

// Makes the snapshot of its end, unless that was done.
static bool make_parent(Work* w, int64_t e) {
  char path[RUN_PATH_SIZE];
  run_snapshot_path(path, &w->verify->place, e);
  return files_exists(path) || run_again(w, e, INT32_MAX, write_snapshot);
}

static bool write_episode(const Work* w, HyperEpisode* h) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, &w->verify->place, h->index);
  return trajectory_write(h, path, w->error);
}

// Comparing ---------------------------------------------------------------------------------------

typedef struct {
  Verify* verify;
  const char* path;
  H5File sealed, again;
  bool whole;
  Arena arena;
} Pair;

static bool starts_with(const char* name, const char* group) {
  return strncmp(name, group, strlen(group)) == 0;
}

// How many rows of an unfinished hyper-episode's dataset are as they will be: the last sample is
// the end of an episode there, and some others are told by the end alone.
static int64_t settled_rows(const char* name, int64_t rows) {
  if (starts_with(name, "final/") || strcmp(name, "decisions/advantage") == 0) {
    return 0;
  }
  return starts_with(name, "env/") && rows > 0 ? rows - 1 : rows;
}

static void report(Pair* p, const char* name, int64_t row, const char* what) {
  p->verify->differences++;
  text_add(p->verify->report, "%s: %s, row %" PRId64 ": %s\n", p->path, name, row, what);
}

static void compare_rows(Pair* p, const char* name, const char* sealed, const char* again,
                         int64_t rows, size_t size) {
  int64_t differing = 0, first = 0;
  for (int64_t r = rows - 1; r >= 0; r--) {
    bool same = memcmp(sealed + (size_t)r * size, again + (size_t)r * size, size) == 0;
    differing += !same;
    first = same ? first : r;
  }
  if (differing > 0) {
    char what[96];
    snprintf(what, sizeof what, "other bits; %" PRId64 " of %" PRId64 " rows differ", differing,
             rows);
    report(p, name, first, what);
  }
}

static void compare_dataset(void* context, const char* name, H5Type type, int64_t rows,
                            int64_t columns) {
  Pair* p = context;
  int64_t sealed_rows, sealed_columns;
  int64_t compared = p->whole ? rows : settled_rows(name, rows);
  if (compared == 0 && rows > 0) {
    return;
  }
  if (!h5_shape(&p->sealed, name, &sealed_rows, &sealed_columns) || sealed_columns != columns ||
      sealed_rows < rows || (p->whole && sealed_rows != rows)) {
    report(p, name, rows, "another shape");
    return;
  }
  size_t size = h5_type_size(type) * (size_t)(columns ? columns : 1);
  ArenaMark mark = arena_mark(&p->arena);
  char* sealed = arena_alloc(&p->arena, (size_t)sealed_rows * size);
  char* again = arena_alloc(&p->arena, (size_t)rows * size);
  h5_read(&p->sealed, name, type, sealed_rows, sealed_columns, sealed);
  h5_read(&p->again, name, type, rows, columns, again);
  if (!p->sealed.failed && !p->again.failed) {
    compare_rows(p, name, sealed, again, compared, size);
    p->verify->numbers += compared * (columns ? columns : 1);
  }
  arena_release(&p->arena, mark);
}

// What no dataset holds: attributes.
static bool compare_bytes(Pair* p, const char* again, Error* error) {
  uint64_t sealed_hash, again_hash;
  if (!pack_hash(&sealed_hash, p->path, error) || !files_hash(&again_hash, again, error)) {
    return false;
  }
  if (sealed_hash != again_hash && p->verify->differences == 0) {
    p->verify->differences++;
    text_add(p->verify->report, "%s: attributes differ\n", p->path);
  }
  return true;
}

static bool compare(Work* w, int64_t e, bool whole) {
  char again[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  Pair p = {.verify = w->verify, .path = path, .whole = whole};
  int64_t before = w->verify->differences;
  run_episode_path(again, &w->verify->place, e);
  run_episode_path(path, w->scheduler->directory, e);
  bool good = h5_open(&p.again, again, EPISODE_FORMAT, SEALED_VERSION, w->error);
  if (good) {
    good = h5_open(&p.sealed, path, EPISODE_FORMAT, SEALED_VERSION, w->error);
    if (good) {
      arena_init(&p.arena);
      h5_each_dataset(&p.again, compare_dataset, &p);
      arena_free(&p.arena);
      good = h5_close(&p.sealed, w->error);
    }
    good = h5_close(&p.again, good ? w->error : &(Error){0}) && good;
  }
  return good && (!whole || w->verify->differences > before || compare_bytes(&p, again, w->error));
}

// -------------------------------------------------------------------------------------------------

bool verify_episode(Verify* verify, Scheduler* s, int64_t e, int epochs, Error* error) {
  char path[RUN_PATH_SIZE];
  Work w = {.verify = verify, .scheduler = s, .error = error};
  int all;
  if (!sealed_check_episode(s->directory, s->spec, e, error) || !verify_epochs(&all, s, e, error)) {
    return false;
  }
  arena_init(&w.arena);
  bool whole = epochs >= all;
  bool good = run_again(&w, e, whole ? INT32_MAX : epochs, write_episode) && compare(&w, e, whole);
  arena_free(&w.arena);
  run_episode_path(path, &verify->place, e);
  unlink(path);
  return good;
}
