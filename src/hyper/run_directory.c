// run_directory.c - the paths of a run, and the sweeping of what was left in it.
//
// Paths with an index are put together here and nowhere else, so that the layout of docs/formats.md
// can be compared with one screen of code. Names hold indices with leading zeros: listings are in
// order.
//
// Sweeping removes temporary files, with the leases, when a run is complete: before, one that looks
// dead may only have been frozen, and come back for its file. Before a run is opened its files must
// be regular: a directory from elsewhere could hold links to anywhere, and this program overwrites
// some of them.
#include "hyper/run_directory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/files.h"
#include "store/pack.h"

static void format_path(char out[RUN_PATH_SIZE], const char* format, ...)
    __attribute__((format(printf, 2, 3)));

static void format_path(char out[RUN_PATH_SIZE], const char* format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(out, RUN_PATH_SIZE, format, args);
  va_end(args);
  CHECK(length >= 0 && length < RUN_PATH_SIZE, "path too long: %s", out);
}

bool run_directory_find(RunDirectory* directory, const char* path, Error* error) {
  static const char* const marks[] = {"run.yaml", "episodes"};
  struct stat info;
  bool found = false;
  if (stat(path, &info) != 0) {
    return error_errno(error, path);
  }
  if (strlen(path) >= sizeof directory->path - 64) {
    return error_set(error, "%s: name too long", path);
  }
  strcpy(directory->path, path);
  for (size_t i = 0; i < sizeof marks / sizeof *marks && !found; i++) {
    char file[RUN_PATH_SIZE];
    run_file(file, directory, marks[i]);
    if (!files_look(&found, file, error)) {
      return false;
    }
  }
  return found || error_set(error, "%s: is no run directory (it has no run.yaml)", path);
}

bool run_directory_make(const RunDirectory* directory, Error* error) {
  static const char* const parts[] = {"episodes", "policy", "checkpoint", "lease"};
  // by itself, too: who made it may have died, or be held, before its name was synced
  if (!files_make_directory(directory->path, error)) {
    return false;
  }
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char path[RUN_PATH_SIZE];
    run_file(path, directory, parts[i]);
    if (!files_make_directory(path, error)) {
      return false;
    }
  }
  return true;
}

bool run_directory_check(const RunDirectory* directory, Error* error) {
  static const char* const files[] = {"run.yaml",     "baseline.yaml", "controller.h5", "machine",
                                      "starts.jsonl", "status.json",   "metrics.jsonl", "COMPLETE"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[RUN_PATH_SIZE];
    run_file(path, directory, files[i]);
    if (!files_check(path, error)) {
      return error_line(error, "Nothing in a run directory is followed; remove it, or choose "
                               "another run.dir");
    }
  }
  return true;
}

static void sweep(const RunDirectory* directory, const char* part, const char* suffix,
                  Arena* arena) {
  Error ignored;
  char path[RUN_PATH_SIZE];
  char** names;
  int count = 0;
  run_file(path, directory, part);
  if (!files_list(&names, &count, path, suffix, arena, &ignored)) {
    return;
  }
  for (int i = 0; i < count; i++) {
    unlink(text_format(arena, "%s/%s", path, names[i]));
  }
}

void run_directory_sweep(const RunDirectory* directory) {
  static const char* const parts[] = {"episodes", "episodes/packed", "policy", "snapshot", "."};
  Arena arena;
  arena_init(&arena);
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    sweep(directory, parts[i], ".tmp", &arena);
  }
  // one that is left is of a process that was killed after somebody else had done its work
  sweep(directory, "lease", "", &arena);
  arena_free(&arena);
}

void run_file(char out[RUN_PATH_SIZE], const RunDirectory* directory, const char* name) {
  format_path(out, "%s/%s", directory->path, name);
}

void run_episode_path(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index) {
  format_path(out, "%s/episodes/%06lld.h5", directory->path, (long long)index);
}

void run_policy_path(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t version) {
  format_path(out, "%s/policy/v%06lld.h5", directory->path, (long long)version);
}

void run_snapshot_path(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index) {
  format_path(out, "%s/snapshot/%06lld.h5", directory->path, (long long)index);
}

void run_answers_path(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index) {
  format_path(out, "%s/answers/%06lld.jsonl", directory->path, (long long)index);
}

void run_checkpoint_path(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index) {
  format_path(out, "%s/checkpoint/episode-%06lld", directory->path, (long long)index);
}

static void add_index(RunIndices* there, int64_t index, int64_t* capacity, Arena* arena) {
  if (there->count == *capacity) {
    int64_t* larger = ARENA_NEW(arena, 2 * *capacity, int64_t);
    there->index = memcpy(larger, there->index, (size_t)there->count * sizeof *larger);
    *capacity *= 2;
  }
  there->index[there->count++] = index;
}

static int compare_indices(const void* a, const void* b) {
  int64_t left = *(const int64_t*)a, right = *(const int64_t*)b;
  return (left > right) - (left < right);
}

// In ascending order, each once.
static void put_in_order(RunIndices* there) {
  int64_t kept = 0;
  qsort(there->index, (size_t)there->count, sizeof *there->index, compare_indices);
  for (int64_t i = 0; i < there->count; i++) {
    if (kept == 0 || there->index[kept - 1] != there->index[i]) {
      there->index[kept++] = there->index[i];
    }
  }
  there->count = kept;
}

// Those that stand by themselves first: what is packed meanwhile is then found in its pack.
bool run_list(RunIndices* there, RunPath* path_of, const RunDirectory* directory, Arena* arena,
              Error* error) {
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  char** names;
  PackRange* packs;
  int count = 0, pack_count;
  bool exists;
  path_of(parent, directory, 0);
  *strrchr(parent, '/') = '\0';
  if (!files_look(&exists, parent, error) ||
      (exists && !files_list(&names, &count, parent, "", arena, error)) ||
      !pack_list(&packs, &pack_count, parent, arena, error)) {
    return false;
  }
  int64_t capacity = count + 1;
  *there = (RunIndices){.index = ARENA_NEW(arena, capacity, int64_t)};
  for (int i = 0; i < count; i++) {
    int64_t index = strtoll(names[i] + strcspn(names[i], "0123456789"), NULL, 10);
    path_of(path, directory, index);
    if (strcmp(strrchr(path, '/') + 1, names[i]) == 0) {
      add_index(there, index, &capacity, arena);
    }
  }
  for (int i = 0; i < pack_count; i++) {
    for (int64_t e = packs[i].first; e <= packs[i].last; e++) {
      add_index(there, e, &capacity, arena);
    }
  }
  put_in_order(there);
  return true;
}

bool run_look_sealed(bool* there, const RunDirectory* directory, int64_t e, Error* error) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, directory, e);
  return pack_look(there, path, error);
}

bool run_may_be_sealed(const RunDirectory* directory, int64_t e) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, directory, e);
  return pack_exists(path);
}

bool run_is_sealed(const RunDirectory* directory, int64_t e) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, directory, e);
  return pack_stands(path);
}
