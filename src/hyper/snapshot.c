#include "hyper/snapshot.h"

#include <unistd.h>

#include "hyper/state_file.h"

// One that stands is of an earlier try, or of somebody else, and has the same state.
bool snapshot_write(HyperEpisode* h, const RunDirectory* directory, Error* error) {
  char parent[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  bool there;
  Arena scratch;
  run_file(parent, directory, "snapshot");
  run_snapshot_path(path, directory, h->index);
  arena_init(&scratch);
  bool good = files_make_directory(parent, error) && files_settle(&there, path, error);
  if (good && !there) {
    Error ignored;
    good = state_file_write(h, path, &scratch, error) ||
           (files_settle(&there, path, &ignored) && there);
  }
  arena_free(&scratch);
  return good;
}

bool snapshot_load(HyperEpisode* h, const RunDirectory* directory, Arena* scratch, Error* error) {
  char path[RUN_PATH_SIZE];
  int64_t parent = h->segment.parent;
  run_snapshot_path(path, directory, parent);
  ArenaMark mark = arena_mark(scratch);
  bool good = state_file_read(h, path, parent, scratch, error) == STATE_GOOD;
  arena_release(scratch, mark);
  if (good) {
    hyper_episode_begin(h);
  }
  return good || (!error->transient &&
                  error_line(error,
                             "Hyper-episode %lld begins where %lld ended. Remove that one's "
                             "episodes/%06lld.h5 and its snapshot, if it is there, and repeat the "
                             "command: it is then run again, to the same bits",
                             (long long)h->index, (long long)parent, (long long)parent));
}

void snapshot_remove(const RunDirectory* directory, int64_t hyper_episode) {
  char path[RUN_PATH_SIZE];
  run_snapshot_path(path, directory, hyper_episode);
  unlink(path);
}
