// run_files.h - what makes a directory a run: run.yaml, and copies of the run's inputs.
//
// run.yaml is written last, so that a directory without it is not a run yet. It ends with the hash
// of all that results depend on. From then on nothing outside of the directory is needed.
#ifndef RUN_RUN_FILES_H
#define RUN_RUN_FILES_H

#include "run/run_config.h"

// Reads DIR/run.yaml, then operands key=value, and points to the inputs that DIR holds. Outside of
// DIR only what an operand names is followed.
bool run_files_read(RunConfig* config, const char* directory, int count, char* const* operands,
                    Error* error);

// Whether the operands name the controller outside of the program that a run is to go on with.
bool run_files_check_controller(const RunConfig* config, int count, char* const* operands,
                                Error* error);

// Makes the directory of a resolved configuration a run, or checks that it is this run.
bool run_files_open(RunConfig* config, Error* error);

// Whether the directory of a resolved configuration holds a run of it, and not of another one.
bool run_files_compare(RunConfig* config, Error* error);

#endif  // RUN_RUN_FILES_H
