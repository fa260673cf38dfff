// assets.h - where the MJCF files are.
#ifndef CLI_ASSETS_H
#define CLI_ASSETS_H

#include "base/arena.h"
#include "base/error.h"

// The first directory that holds them: mjcf/ in a directory of AUTOMBPO_PATH, the installed
// share/autombpo/configs/mjcf beside this program, configs/mjcf of a source tree around it or the
// one it was built from. NULL and an error if there is none.
const char* assets_find(Arena* arena, Error* error);

#endif  // CLI_ASSETS_H
