// experiment_costs.h - what runs of an experiment have cost: DIR/costs.jsonl (docs/formats.md).
#ifndef CLI_EXPERIMENT_COSTS_H
#define CLI_EXPERIMENT_COSTS_H

#include "run/experiment.h"

// One line of DIR/costs.jsonl: what a process has used for a run.
typedef struct {
  const char* directory;  // of the run, within that of the experiment
  double cpu_seconds, wall_seconds;
  int code;
} ExperimentCost;

bool experiment_cost_add(const Experiment* experiment, const ExperimentCost* cost, Error* error);

// Processor seconds that were used so far for each run; (run_count).
bool experiment_costs_read(double* cpu_seconds, const Experiment* experiment, Arena* arena,
                           Error* error);

#endif  // CLI_EXPERIMENT_COSTS_H
