// experiment_run.h - runs what is missing of an experiment, in processes of this machine.
//
// Several such workers, on one machine or many, may share an experiment's directory: each takes a
// run that nobody works on, and where none is left, joins one that has hyper-episodes for more.
#ifndef CLI_EXPERIMENT_RUN_H
#define CLI_EXPERIMENT_RUN_H

#include "run/experiment.h"

typedef struct {
  int jobs;             // processes at a time
  double max_seconds;   // save and stop by then; INFINITY = when all is done
  const char* program;  // absolute path of autombpo
  bool quiet;
} ExperimentRunOptions;

// Returns the exit code: 0 all runs are finished, 75 stopped with checkpoints, 1 some failed.
int experiment_run(const Experiment* experiment, const ExperimentRunOptions* options, Arena* arena,
                   Error* error);

#endif  // CLI_EXPERIMENT_RUN_H
