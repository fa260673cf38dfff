// checkpoint.c - generations of a hyper-episode's state: which to write, keep, load and remove.
//
// What is in a generation is state_file.c's; here are numbers and names. A new one gets the next
// free number, and then all but two are removed, never the other way round: at every moment there
// is one that is whole. The budget of bytes counts what a new one needs beside those that stand.
//
// Loading goes from the newest to older ones, and tells three kinds of failure apart. A damaged
// file is passed over with a warning. One that is whole but not of this run or program ends the
// start: an older one would be no better, and to begin again would throw work away. One that the
// disk did not give may be good: then nothing is begun again, and the same command may succeed
// later.
#include "hyper/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "hyper/state_file.h"
#include "store/h5.h"

#define GENERATIONS_KEPT 2
#define LAST_GENERATION 999999L
#define MAX_GENERATIONS 64  // that a directory may hold

// Generation numbers of a hyper-episode's checkpoints, newest first. Returns how many; -1: they
// cannot be listed.
static int list_generations(long numbers[MAX_GENERATIONS], const char* path, Arena* scratch,
                            Error* error) {
  char** names;
  int count = 0, found = 0;
  bool there;
  if (!files_look(&there, path, error) ||
      (there && !files_list(&names, &count, path, ".h5", scratch, error))) {
    return -1;
  }
  for (int i = 0; i < count && found < MAX_GENERATIONS; i++) {
    long number;
    int end = 0;
    if (sscanf(names[i], "gen-%ld.h5%n", &number, &end) == 1 && names[i][end] == '\0') {
      int at = found++;
      for (; at > 0 && numbers[at - 1] < number; at--) {
        numbers[at] = numbers[at - 1];
      }
      numbers[at] = number;
    }
  }
  return found;
}

static void generation_path(char out[RUN_PATH_SIZE], const char* directory, long number) {
  int length = snprintf(out, RUN_PATH_SIZE, "%s/gen-%06ld.h5", directory, number);
  CHECK(length < RUN_PATH_SIZE, "path too long: %s", out);
}

// Bytes of all checkpoints of a run.
static int64_t bytes_in_use(const RunDirectory* directory, Arena* scratch) {
  char parent[RUN_PATH_SIZE];
  char **episodes, **files;
  int episode_count = 0, file_count = 0;
  int64_t sum = 0;
  Error ignored;
  struct stat info;
  run_file(parent, directory, "checkpoint");
  if (!files_list(&episodes, &episode_count, parent, "", scratch, &ignored)) {
    return 0;
  }
  for (int i = 0; i < episode_count; i++) {
    const char* inside = text_format(scratch, "%s/%s", parent, episodes[i]);
    if (!files_list(&files, &file_count, inside, "", scratch, &ignored)) {
      continue;
    }
    for (int f = 0; f < file_count; f++) {
      bool found = stat(text_format(scratch, "%s/%s", inside, files[f]), &info) == 0;
      sum += found ? (int64_t)info.st_size : 0;
    }
  }
  return sum;
}

static int64_t file_bytes(const char* path) {
  struct stat info;
  return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

// Another checkpoint is as large as the last one, and one more is kept until it stands.
static bool check_budget(const RunDirectory* directory, const char* newest, int64_t max_bytes,
                         Arena* scratch, Error* error) {
  if (max_bytes <= 0) {
    return true;
  }
  int64_t used = bytes_in_use(directory, scratch), more = file_bytes(newest);
  return used + more <= max_bytes ||
         error_set(error,
                   "%s: no checkpoint is written: all checkpoints take %.3f GB, and this one would "
                   "add about %.3f to the %.3f GB of checkpoint.max_gb; raise it, or use fewer "
                   "ranks",
                   directory->path, (double)used / 1e9, (double)more / 1e9,
                   (double)max_bytes / 1e9);
}

// checkpoint/episode-NNNNNN; never the run directory itself, which somebody may have removed.
static bool make_parent(char parent[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index,
                        Error* error) {
  char above[RUN_PATH_SIZE];
  run_file(above, directory, "checkpoint");
  run_checkpoint_path(parent, directory, index);
  if (!files_exists(above)) {
    return error_set(error, "%s: the run directory has vanished, or is not mounted any more",
                     above);
  }
  return files_make_directory(parent, error);
}

bool checkpoint_write(CheckpointCost* cost, HyperEpisode* h, const RunDirectory* directory,
                      int64_t max_bytes, Error* error) {
  double start = clock_wall();
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  if (!make_parent(parent, directory, h->index, error)) {
    return false;
  }
  Arena scratch;
  arena_init(&scratch);
  int count = list_generations(numbers, parent, &scratch, error);
  generation_path(path, parent, count > 0 ? numbers[0] : 0);
  bool ok = count >= 0 && check_budget(directory, path, max_bytes, &scratch, error);
  if (ok) {
    // somebody who runs the same hyper-episode may be faster: then the next number
    long next = count > 0 ? numbers[0] + 1 : 0;
    generation_path(path, parent, next);
    ok = state_file_write(h, path, &scratch, error);
    while (!ok && !error->transient && files_exists(path) && next < LAST_GENERATION) {
      generation_path(path, parent, ++next);
      ok = state_file_write(h, path, &scratch, error);
    }
  }
  arena_free(&scratch);
  *cost = (CheckpointCost){.seconds = clock_wall() - start, .bytes = ok ? file_bytes(path) : 0};
  for (int i = GENERATIONS_KEPT - 1; ok && i < count; i++) {
    generation_path(path, parent, numbers[i]);
    unlink(path);
  }
  return ok;
}

// Removes the files of a directory whose names end in `suffix`.
static void remove_files(const char* parent, const char* suffix, Arena* scratch) {
  Error ignored;
  char** names;
  int count = 0;
  if (files_list(&names, &count, parent, suffix, scratch, &ignored)) {
    for (int i = 0; i < count; i++) {
      unlink(text_format(scratch, "%s/%s", parent, names[i]));
    }
  }
}

// Loading -----------------------------------------------------------------------------------------

bool checkpoint_load(HyperEpisode* h, const RunDirectory* directory, bool* found,
                     void (*warn)(const char* message), Arena* scratch, Error* error) {
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  run_checkpoint_path(parent, directory, h->index);
  *found = false;
  if (files_stands(parent) && access(parent, R_OK | X_OK) != 0) {
    return error_errno(error, parent);
  }
  ArenaMark mark = arena_mark(scratch);
  remove_files(parent, ".tmp", scratch);  // of a process that was killed
  int count = list_generations(numbers, parent, scratch, error);
  bool unread = count < 0;
  StateVerdict verdict = STATE_BAD;
  for (int i = 0; i < count && verdict == STATE_BAD; i++) {
    generation_path(path, parent, numbers[i]);
    verdict = state_file_read(h, path, h->index, scratch, error);
    if (verdict == STATE_BAD) {
      unread = unread || error->transient;
      error_line(error, "This checkpoint is passed over: an older one is used if there is one%s",
                 unread ? "" : ", else the hyper-episode starts again");
      warn(error->text);
    }
  }
  *found = verdict == STATE_GOOD;
  unread = unread && verdict == STATE_BAD;
  if (unread) {
    error_add(error, "%s: no checkpoint could be read, and hyper-episode %lld is not begun again",
              parent, (long long)h->index);
  }
  arena_release(scratch, mark);
  return verdict != STATE_FOREIGN && !unread;
}

bool checkpoint_peek(long* generation, int64_t* env_step, const RunDirectory* directory,
                     int64_t hyper_episode) {
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  Arena scratch;
  Error ignored;
  bool found = false;
  arena_init(&scratch);
  run_checkpoint_path(parent, directory, hyper_episode);
  int count = list_generations(numbers, parent, &scratch, &ignored);
  for (int i = 0; i < count && !found; i++) {
    H5File file;
    generation_path(path, parent, numbers[i]);
    if (h5_open(&file, path, STATE_FORMAT, STATE_VERSION, &ignored)) {
      *generation = numbers[i];
      *env_step = h5_get_i64(&file, "", "env_step");
      found = h5_close(&file, &ignored);
    }
  }
  arena_free(&scratch);
  return found;
}

void checkpoint_remove(const RunDirectory* directory, int64_t hyper_episode) {
  fault_point("after-seal-before-remove");
  char parent[RUN_PATH_SIZE];
  Arena scratch;
  arena_init(&scratch);
  run_checkpoint_path(parent, directory, hyper_episode);
  remove_files(parent, "", &scratch);
  rmdir(parent);
  arena_free(&scratch);
}
