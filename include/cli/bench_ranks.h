// bench_ranks.h - `autombpo bench controller`: the measurement that needs several processes.
#ifndef CLI_BENCH_RANKS_H
#define CLI_BENCH_RANKS_H

#include "bench/controller.h"

// Whether a launcher has started this process as one of several.
bool bench_has_ranks(void);

// Becomes `mpirun ... autombpo ARGUMENTS`, with as many processes as there are processors. Returns
// only if that fails.
bool bench_start_ranks(char* const* arguments, int count, Arena* arena, Error* error);

// On all ranks, between the start and the end of MPI. Returns the exit code.
typedef void (*BenchPrint)(const BenchResult* result, void* context);
int bench_run_ranks(const RunSpec* spec, const ControllerLoad* load, BenchPrint print,
                    void* context);

#endif  // CLI_BENCH_RANKS_H
