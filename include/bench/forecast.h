// forecast.h - what a run takes, before it is run: processor time, hours on so many ranks, files.
//
// What each part of Algorithm 1 costs is measured (probe.h). How often each part happens in a whole
// run follows from walking through its loops without doing the work: the scheduler decides, the
// pool grows, models are trained on all of it.
#ifndef BENCH_FORECAST_H
#define BENCH_FORECAST_H

#include "bench/probe.h"

typedef struct {
  double seconds;  // of processor time that the measurement may take
  int ranks;       // of which one gives work to the others; 1 does both
} ForecastSetup;

typedef struct {
  Probe probe;
  SchedulerPlan plan;
  int workers;               // that have work at a time
  Work work;                 // of the whole run
  double unseen;             // share of the trainings' work on more rows than any measured one had
  double episode_seconds;    // processor time of a hyper-episode, in the mean
  double longest_seconds;    // of the longest
  double processor_seconds;  // of all of them
  double wall_seconds;       // until the last is sealed, if each worker has a core
  // bytes
  double sealed;             // of episodes/
  double policies;           // of policy/
  double log;                // of metrics.jsonl
} Forecast;

bool forecast_run(Forecast* forecast, const RunSpec* spec, const EnvSpec* env,
                  const ForecastSetup* setup, Error* error);

// Processor time of a unit of a part, as measured; 0 where it does not occur.
double forecast_unit_seconds(const Forecast* forecast, WorkPart part);

#endif  // BENCH_FORECAST_H
