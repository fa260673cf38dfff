// env_replay.h - recorded start states and actions through one of our tasks.
#ifndef CLI_ENV_REPLAY_H
#define CLI_ENV_REPLAY_H

#include <stdbool.h>

#include "base/error.h"

// Replays the actions of `input` from its start states and writes what the task returned to
// `output`, both HDF5 (docs/formats.md).
bool env_replay(const char* id, const char* assets, const char* input, const char* output,
                Error* error);

#endif  // CLI_ENV_REPLAY_H
