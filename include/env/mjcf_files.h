// mjcf_files.h - the files that a MuJoCo model consists of.
#ifndef ENV_MJCF_FILES_H
#define ENV_MJCF_FILES_H

#include "env/env.h"

// Notes in the spec a model, and what it includes or names (meshes, textures, height fields).
bool mjcf_note_files(EnvSpec* spec, const char* path, Error* error);

#endif  // ENV_MJCF_FILES_H
