// machine.h - what results depend on beside the configuration: the program and the machine.
#ifndef RUN_MACHINE_H
#define RUN_MACHINE_H

#include "run/run_config.h"

#define MACHINE_SIZE 800

// What results depend on beside the configuration: the program, the physics, with bfloat16 the
// matrix kernel, and the files of the task, by what they say.
bool machine_describe(char machine[MACHINE_SIZE], const RunConfig* config, Error* error);

// Whether results of `first` (of `who`) and of `here` may be of one run: all parts are the same, or
// the options allow that they differ (a warning).
bool machines_compare(const RunConfig* config, const char* who, const char* first,
                      const char* here, Error* error);

// Notes the machine in the directory, or compares it with that of the first start.
bool machine_check(const RunConfig* config, const char* machine, Error* error);

#endif  // RUN_MACHINE_H
