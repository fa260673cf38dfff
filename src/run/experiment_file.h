// experiment_file.h - what an experiment's file says, before it is expanded.
#ifndef RUN_EXPERIMENT_FILE_H
#define RUN_EXPERIMENT_FILE_H

#include "run/experiment.h"

// Fills in name, path, directory, first seeds, tasks and methods, of the file and of those that it
// includes: what comes later replaces what has the same name.
bool experiment_file_read(Experiment* experiment, const char* path, Arena* arena, Error* error);

// A file beside that of the experiment, or of one that it includes; else the name as it is.
const char* experiment_file_beside(const char* file, const char* name, Arena* arena);

#endif  // RUN_EXPERIMENT_FILE_H
