#include "hyper/sealed_check.h"

#include <string.h>

#include "hyper/sealed_root.h"
#include "store/pack.h"

// Refuses an open file that another configuration has sealed, or that stands in another's place.
static bool check_content(H5File* file, const RunSpec* x, const char* index_name, int64_t index,
                          Error* error) {
  Arena arena;
  arena_init(&arena);
  const char* hash = h5_get_text(file, "", "config_hash", &arena);
  int64_t found = h5_get_i64(file, "", index_name);
  bool good = true;
  if (!file->failed && strcmp(hash, x->config_hash) != 0) {
    good = error_set(error, "%s: belongs to another configuration (hash %.32s, expected %s)",
                     file->path, hash, x->config_hash);
  } else if (!file->failed && found != index) {
    good = error_set(error, "%s: holds %s %lld, expected %lld", file->path, index_name,
                     (long long)found, (long long)index);
  }
  arena_free(&arena);
  return good;
}

// The seal vouches for every byte, and sealing has read the datasets back: that is not repeated.
static bool open_file(H5File* file, const char* path, const char* format, const RunSpec* x,
                      const char* index_name, int64_t index, Error* error) {
  Error ignored;
  if (!h5_open(file, path, format, SEALED_VERSION, error)) {
    return false;
  }
  bool good = !x || check_content(file, x, index_name, index, error);
  return good || (h5_close(file, &ignored), false);
}

// A file that the disk did not give may be good: nobody is told to remove it.
static bool may_be_removed(const char* path, const Error* error) {
  return !error->transient && pack_stands(path);
}

static bool suggest_repeating(const char* path, int64_t index, Error* error) {
  if (may_be_removed(path, error)) {
    error_line(error,
               "Remove or move this file and repeat the command: hyper-episode %lld is then "
               "run again, to the same bits",
               (long long)index);
    pack_add_way_out(path, error);
  }
  return false;
}

bool sealed_open_episode(H5File* file, const RunDirectory* directory, const RunSpec* x,
                         int64_t index, Error* error) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, directory, index);
  return open_file(file, path, EPISODE_FORMAT, x, "hyper_episode", index, error) ||
         suggest_repeating(path, index, error);
}

bool sealed_check_episode(const RunDirectory* directory, const RunSpec* x, int64_t index,
                          Error* error) {
  H5File file;
  return sealed_open_episode(&file, directory, x, index, error) && h5_close(&file, error);
}

bool sealed_read_episode(Trajectory* t, const RunDirectory* directory, const RunSpec* x,
                         int64_t index, Arena* arena, Error* error) {
  H5File file;
  if (!sealed_open_episode(&file, directory, x, index, error)) {
    return false;
  }
  trajectory_take(t, &file, arena);
  return h5_close(&file, error);
}

bool sealed_read_outcome(Outcome* outcome, const RunDirectory* directory, const RunSpec* x,
                         int64_t index, Error* error) {
  H5File file;
  if (!sealed_open_episode(&file, directory, x, index, error)) {
    return false;
  }
  trajectory_take_outcome(outcome, &file);
  return h5_close(&file, error);
}

bool sealed_check_policy(const RunDirectory* directory, const RunSpec* x, int version,
                         Error* error) {
  char path[RUN_PATH_SIZE];
  run_policy_path(path, directory, version);
  H5File file;
  return (open_file(&file, path, POLICY_FORMAT, x, "version", version, error) &&
          h5_close(&file, error)) ||
         (may_be_removed(path, error) &&
          error_line(error,
                     "Remove or move this file and repeat the command: the update is then made "
                     "again from the sealed hyper-episodes, to the same bits"));
}
