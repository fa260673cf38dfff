// simulated.h - a process that stands for many workers; only for bench_controller.c.
#ifndef BENCH_SIMULATED_H
#define BENCH_SIMULATED_H

#include "bench/controller.h"
#include "hosted.h"

// What rank 0 looks like from outside.
typedef struct {
  int process;         // its id, on this machine
  double start_bytes;  // its memory before it knew of its workers
} Subject;

// Bytes of memory that a process holds.
double memory_of(int process);

// Runs the workers of this process to their end. The result is that of process 1.
void simulate_workers(BenchResult* result, Hosted* hosted, const ControllerLoad* load,
                      const Subject* subject);

#endif  // BENCH_SIMULATED_H
