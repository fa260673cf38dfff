// bench.h - the speed of the parts of a run, each beside what bounds it, for `autombpo bench`.
//
// Sizes come from the configuration. Figures are per second of processor time and core.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "hyper/run_spec.h"

#define BENCH_MAX_ITEMS 20
#define BENCH_MAX_NETWORKS 3

typedef struct {
  const RunSpec* spec;
  int repeats;
  double seconds;  // of each repeat
  int length;      // k of the rollouts
  int steps;       // real steps of the whole loop
} BenchSetup;

typedef struct {
  const char* name;
  double value;
} BenchItem;

typedef struct {
  const char* name;
  Mlp shape;
} BenchNetwork;

typedef struct {
  const char* name;
  const char* unit;
  int batch;      // rows of one matrix product, or what else is done at a time
  double value;   // median of the repeats
  double spread;  // (largest - smallest) / median
  double floor;   // the same without what is not inevitable; NaN = there is no such thing
  int repeats;
  int share_count;
  BenchItem share[BENCH_MAX_ITEMS];  // of the time
  int figure_count;
  BenchItem figure[BENCH_MAX_ITEMS];  // more about it
  int network_count;
  BenchNetwork network[BENCH_MAX_NETWORKS];  // that take part
} BenchResult;

typedef bool (*BenchRun)(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);

bool bench_gemm(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);
bool bench_sac(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);
bool bench_ensemble(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);
bool bench_rollout(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);
bool bench_env(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);
bool bench_mbpo(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error);

#endif  // BENCH_BENCH_H
