// plugin_task.h - opens tasks of the user's own from shared objects (env/plugin.h).
#ifndef ENV_PLUGIN_TASK_H
#define ENV_PLUGIN_TASK_H

#include "env/env.h"

#define PLUGIN_PREFIX "plugin:"

// Opens the task of the shared object `path`. The id becomes "plugin:" and the task's name, so that
// no result depends on where the file lies.
bool plugin_open(Env* env, const char* path, Arena* arena, Error* error);

#endif  // ENV_PLUGIN_TASK_H
