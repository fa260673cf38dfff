// experiment_forecast.h - what runs of an experiment will take, by a measurement of some seconds.
#ifndef CLI_EXPERIMENT_FORECAST_H
#define CLI_EXPERIMENT_FORECAST_H

#include "cli/experiment_costs.h"

// Forecasts the first run of each task, method and step that is neither finished nor known.
bool experiment_measure(const Experiment* experiment, double seconds, Arena* arena, Error* error);

// The most time of a run, and the most memory, of all that is known; 0 = nothing is.
bool experiment_largest(ExperimentForecast* largest, const Experiment* experiment, Arena* arena,
                        Error* error);

#endif  // CLI_EXPERIMENT_FORECAST_H
