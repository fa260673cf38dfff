// assets.h - where the shipped files are: configurations and MJCF.
#ifndef RUN_ASSETS_H
#define RUN_ASSETS_H

#include "base/arena.h"
#include "base/error.h"

// The directory of the shipped configurations: the installed share/autombpo/configs beside this
// program, configs of a source tree around it or the one it was built from.
const char* assets_configs(Arena* arena);

// A file as it is named, or, if there is none, that of the shipped configurations.
const char* assets_find_shipped(const char* name, Arena* arena);

// The first directory that holds the MJCF files: mjcf/ in a directory of AUTOMBPO_PATH, or that of
// the shipped configurations. NULL and an error if there is none.
const char* assets_find(Arena* arena, Error* error);

#endif  // RUN_ASSETS_H
