// bench_internal.h - what the parts of bench share.
#ifndef BENCH_BENCH_INTERNAL_H
#define BENCH_BENCH_INTERNAL_H

#include "bench/bench.h"
#include "bench/measure.h"
#include "env/env.h"
#include "env/replay.h"

// Transitions of the buffer that batches are drawn from: more than the caches hold.
#define BENCH_ROWS 100000

// A task and a buffer of random transitions between normal observations.
typedef struct {
  Env env;
  Replay replay;
  Rng rng;
} BenchData;

bool bench_data_open(BenchData* data, const BenchSetup* setup, Arena* arena, Error* error);
void bench_data_close(BenchData* data);

void bench_add_figure(BenchResult* result, const char* name, double value);

void bench_add_network(BenchResult* result, const char* name, const Mlp* shape);

// Shares of their sum.
void bench_add_shares(BenchResult* result, const BenchItem* seconds, int count);

// Fills in value, spread, repeats and the wall clock's rate, for `units` done by one call.
void bench_rate(BenchResult* result, const BenchSetup* setup, const Timing* timing, double units);

// And the floor, with the rate of arithmetic: `flop` is that of one unit.
void bench_floor(BenchResult* result, const Timing* floor, double units, double flop);

// And the peak of float32 (peak.h), with the share of it that so many GFLOP/s are.
void bench_peak(BenchResult* result, const Timing* peak, double gflops);

#endif  // BENCH_BENCH_INTERNAL_H
