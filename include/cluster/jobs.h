// jobs.h - assigns independent jobs to all ranks: job j's result is a function of j alone, so that
// the results are the same for any number of ranks.
#ifndef CLUSTER_JOBS_H
#define CLUSTER_JOBS_H

#include <stdint.h>

#include "cluster/comm.h"

#define JOB_MAX_RESULT 1024  // bytes

typedef void (*JobRun)(void* result, int64_t job, void* context);

// Runs jobs 0 ... count - 1. On rank 0, results (count, size) holds them in order; on the others it
// is not touched. Rank 0 assigns them if there are others, and runs all itself if there are not.
void jobs_run(Comm* comm, void* results, int64_t count, size_t size, JobRun run, void* context);

#endif  // CLUSTER_JOBS_H
