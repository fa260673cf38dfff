// scratch_directory.h - a run directory for what is thrown away again, in TMPDIR.
#ifndef HYPER_SCRATCH_DIRECTORY_H
#define HYPER_SCRATCH_DIRECTORY_H

#include "hyper/run_directory.h"

// False: failed, and nothing is left.
bool scratch_directory_make(RunDirectory* directory, Error* error);

// Removes it with all that it holds.
void scratch_directory_remove(const RunDirectory* directory);

#endif  // HYPER_SCRATCH_DIRECTORY_H
