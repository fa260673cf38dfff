// run_directory.h - names of the files of a run (docs/formats.md section 1).
#ifndef HYPER_RUN_DIRECTORY_H
#define HYPER_RUN_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/files.h"

#define RUN_PATH_SIZE FILES_PATH_SIZE

typedef struct {
  char path[RUN_PATH_SIZE];
} RunDirectory;

// The directory of a run that has begun. Refuses what is none: it has neither run.yaml nor
// episodes/.
bool run_directory_find(RunDirectory* directory, const char* path, Error* error);

// Creates the directory and its parts where they are missing.
bool run_directory_make(const RunDirectory* directory, Error* error);

// Refuses a directory where something that is no regular file has the name of one of a run. (Files
// in its parts are checked when they are opened.)
bool run_directory_check(const RunDirectory* directory, Error* error);

// Writes DIR/NAME into out. CHECKs that it fits.
void run_file(char out[RUN_PATH_SIZE], const RunDirectory* directory, const char* name);

// Removes what killed processes have left in a run that is complete: unfinished files outside of
// checkpoint/, and leases. Nobody who is alive may be about to publish something.
void run_directory_sweep(const RunDirectory* directory);

typedef void RunPath(char out[RUN_PATH_SIZE], const RunDirectory* directory, int64_t index);
RunPath run_episode_path, run_policy_path, run_snapshot_path, run_answers_path, run_checkpoint_path;

// The indices that are there, ascending.
typedef struct {
  int64_t count;
  int64_t* index;
} RunIndices;

// Those that stand under the name that path_of gives. A run may have a million hyper-episodes, of
// which few are there: whoever looks at all of them asks for this list, and not for each.
bool run_list(RunIndices* there, RunPath* path_of, const RunDirectory* directory, Arena* arena,
              Error* error);

// Whether hyper-episode e is sealed; as files_look, files_exists and files_stands tell it. Whoever
// wants to know what is sealed asks these and run_list, and opens what run_episode_path names: none
// lists or tests the files of episodes/ itself.
bool run_look_sealed(bool* there, const RunDirectory* directory, int64_t e, Error* error);
bool run_may_be_sealed(const RunDirectory* directory, int64_t e);
bool run_is_sealed(const RunDirectory* directory, int64_t e);

#endif  // HYPER_RUN_DIRECTORY_H
