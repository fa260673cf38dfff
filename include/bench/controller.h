// controller.h - rank 0 under simulated workers.
//
// Rank 0 runs the campaign's own code, in a run directory of its own that is removed in the end.
// The other processes host the workers: each asks for a hyper-episode and sends real messages, but
// learns nothing. They measure rank 0 from outside: at first the workers are silent, then they
// report as often as real ones, then as fast as they are answered.
#ifndef BENCH_CONTROLLER_H
#define BENCH_CONTROLLER_H

#include "bench/bench.h"
#include "cluster/comm.h"

typedef struct {
  int workers;
  double seconds;   // of each of the three phases
  double interval;  // seconds between two decisions of a real worker
} ControllerLoad;

// Seconds between two decisions of a worker: those of its policy updates, as measured here. What
// else it does only makes them more.
bool controller_interval(double* interval, const BenchSetup* setup, Arena* arena, Error* error);

// On all ranks. *reports: this rank has the result.
bool bench_controller(BenchResult* result, bool* reports, Comm* comm, const RunSpec* spec,
                      const ControllerLoad* load, Error* error);

#endif  // BENCH_CONTROLLER_H
