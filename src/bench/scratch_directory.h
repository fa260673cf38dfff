// scratch_directory.h - a run directory for a measurement, in TMPDIR.
#ifndef BENCH_SCRATCH_DIRECTORY_H
#define BENCH_SCRATCH_DIRECTORY_H

#include "hyper/run_directory.h"

bool scratch_directory_make(RunDirectory* directory, Error* error);

// Removes it with all that it holds.
void scratch_directory_remove(const RunDirectory* directory);

#endif  // BENCH_SCRATCH_DIRECTORY_H
