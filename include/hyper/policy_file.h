// policy_file.h - the sealed file of one version of the controller (docs/formats.md section 4).
#ifndef HYPER_POLICY_FILE_H
#define HYPER_POLICY_FILE_H

#include "hyper/controller.h"
#include "hyper/run_spec.h"
#include "hyper/run_directory.h"

bool policy_file_write(const Controller* controller, const RunSpec* spec, const char* path,
                       Error* error);

// Reads into a controller of the same shape; a file of another shape is an error.
bool policy_file_read(Controller* controller, const char* path, Error* error);

// What a controller was trained on.
typedef struct {
  const char* env;
  const char* config;  // the options that its training depended on, as YAML
  int64_t seed;
  const char* baseline_seeds;  // run.seed of R', "0,1,2"; "" if the file does not say
} PolicyTraining;

bool policy_file_read_training(PolicyTraining* training, const char* path, Arena* arena,
                               Error* error);

// The policy file that a user names: the file itself, or the newest of a run directory.
bool policy_file_find(char out[RUN_PATH_SIZE], const char* named, Error* error);

#endif  // HYPER_POLICY_FILE_H
