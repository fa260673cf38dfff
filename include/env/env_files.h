// env_files.h - the files that a task is made of beside the program (EnvSpec.files).
#ifndef ENV_ENV_FILES_H
#define ENV_ENV_FILES_H

#include "env/env.h"

// For engines: notes a file of the task. Those that no place is left for are one, "and more".
bool env_note_file(EnvSpec* spec, const char* path, Error* error);

// The name of a file of the task that differs from `expected`; NULL = none.
const char* env_changed_file(const EnvSpec* spec, const EnvFile expected[ENV_MAX_FILES]);

#endif  // ENV_ENV_FILES_H
