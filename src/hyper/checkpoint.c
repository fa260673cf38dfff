#include "hyper/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/h5_archive.h"

#define FORMAT "autombpo.checkpoint"
#define VERSION 1
#define GENERATIONS_KEPT 2
#define MAX_GENERATIONS 64  // that a directory may hold

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Generation numbers of a hyper-episode's checkpoints, newest first. Returns how many.
static int list_generations(long numbers[MAX_GENERATIONS], const char* path, Arena* scratch) {
  Error ignored;
  char** names;
  int count = 0, found = 0;
  if (!files_exists(path) || !files_list(&names, &count, path, ".h5", scratch, &ignored)) {
    return 0;
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

static bool write_generation(HyperEpisode* h, const char* path, Arena* scratch, Error* error) {
  H5File file;
  if (!h5_create(&file, path, FORMAT, VERSION, error)) {
    return false;
  }
  file.plain = true;
  h5_set_text(&file, "", "config_hash", h->experiment->config_hash);
  h5_set_text(&file, "", "env_engine", h->mbpo.env.spec.engine);
  h5_set_i64(&file, "", "hyper_episode", h->index);
  h5_set_i64(&file, "", "env_step", h->mbpo.env_step);
  Archive ar;
  h5_archive_init(&ar, ARCHIVE_SAVE, &file, scratch);
  hyper_episode_visit(h, &ar);
  if (!h5_archive_end(&ar, error)) {
    Error ignored;
    h5_close(&file, &ignored);
    return false;
  }
  return h5_seal(&file, error);
}

bool checkpoint_write(CheckpointCost* cost, HyperEpisode* h, const RunDirectory* directory,
                      Error* error) {
  double start = seconds();
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  run_checkpoint_path(parent, directory, h->index);
  if (!files_make_directory(parent, error)) {
    return false;
  }
  Arena scratch;
  arena_init(&scratch);
  int count = list_generations(numbers, parent, &scratch);
  generation_path(path, parent, count > 0 ? numbers[0] + 1 : 0);
  bool ok = write_generation(h, path, &scratch, error);
  arena_free(&scratch);
  struct stat info;
  *cost = (CheckpointCost){.seconds = seconds() - start,
                           .bytes = ok && stat(path, &info) == 0 ? (int64_t)info.st_size : 0};
  for (int i = GENERATIONS_KEPT - 1; ok && i < count; i++) {
    generation_path(path, parent, numbers[i]);
    unlink(path);
  }
  return ok;
}

// Whether an open checkpoint belongs to this run: the reasons that no older one could mend.
static bool check_owner(H5File* file, const HyperEpisode* h, const char* path, Arena* scratch,
                        Error* error) {
  const char* hash = h5_get_text(file, "", "config_hash", scratch);
  const char* engine = h5_get_text(file, "", "env_engine", scratch);
  if (!hash || strcmp(hash, h->experiment->config_hash) != 0) {
    return error_set(error, "%s: made by a run of another configuration (%s, expected %s)", path,
                     hash ? hash : "none", h->experiment->config_hash);
  }
  if (!engine || strcmp(engine, h->mbpo.env.spec.engine) != 0) {
    return error_set(error, "%s: made with %s, this program has %s; resume with the same physics",
                     path, engine ? engine : "no engine", h->mbpo.env.spec.engine);
  }
  return true;
}

typedef enum { LOADED, BAD, FOREIGN } LoadResult;

static LoadResult load_generation(HyperEpisode* h, const char* path, Arena* scratch, Error* error) {
  H5File file;
  Error ignored;
  if (!h5_open(&file, path, FORMAT, VERSION, error)) {
    return BAD;
  }
  if (!check_owner(&file, h, path, scratch, error)) {
    h5_close(&file, &ignored);
    return FOREIGN;
  }
  Archive ar;
  h5_archive_init(&ar, ARCHIVE_LOAD, &file, scratch);
  hyper_episode_visit(h, &ar);
  bool good = h5_archive_end(&ar, error);
  if (!good) {
    error_add(error, "%s", path);
  }
  good = h5_close(&file, good ? error : &ignored) && good;
  return good ? LOADED : BAD;
}

// Whether every stored value is what was written, before any of it is taken over.
static bool verify_generation(const char* path, Error* error) {
  H5File file;
  if (!h5_open(&file, path, FORMAT, VERSION, error)) {
    return false;
  }
  h5_verify(&file, NULL);
  return h5_close(&file, error);
}

bool checkpoint_load(HyperEpisode* h, const RunDirectory* directory, bool* found,
                     void (*warn)(const char* message), Arena* scratch, Error* error) {
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  run_checkpoint_path(parent, directory, h->index);
  ArenaMark mark = arena_mark(scratch);
  int count = list_generations(numbers, parent, scratch);
  *found = false;
  LoadResult result = BAD;
  for (int i = 0; i < count && result == BAD; i++) {
    generation_path(path, parent, numbers[i]);
    result = verify_generation(path, error) ? load_generation(h, path, scratch, error) : BAD;
    if (result == BAD) {
      warn(error->text);
    }
  }
  *found = result == LOADED;
  arena_release(scratch, mark);
  return result != FOREIGN;
}

void checkpoint_remove(const RunDirectory* directory, int64_t hyper_episode) {
  fault_point("after-seal-before-remove");
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  long numbers[MAX_GENERATIONS];
  Arena scratch;
  arena_init(&scratch);
  run_checkpoint_path(parent, directory, hyper_episode);
  int count = list_generations(numbers, parent, &scratch);
  for (int i = 0; i < count; i++) {
    generation_path(path, parent, numbers[i]);
    unlink(path);
  }
  rmdir(parent);
  arena_free(&scratch);
}
