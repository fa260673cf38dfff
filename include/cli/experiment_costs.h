// experiment_costs.h - what runs of an experiment have cost, and what was forecast of them:
// DIR/costs.jsonl and DIR/forecasts.jsonl (docs/formats.md).
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

// One line of DIR/forecasts.jsonl: what a run takes by cli/campaign.h, on one rank.
typedef struct {
  double cpu_seconds;  // 0 = not known
  double disk_bytes, memory_bytes;
} ExperimentForecast;

bool experiment_forecast_add(const Experiment* experiment, int run,
                             const ExperimentForecast* forecast, Error* error);

// The newest forecast of each run; (run_count).
bool experiment_forecasts_read(ExperimentForecast* forecasts, const Experiment* experiment,
                               Arena* arena, Error* error);

#endif  // CLI_EXPERIMENT_COSTS_H
