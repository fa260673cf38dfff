// bench_row.h - what `autombpo bench` measured, as a row of the table in docs/performance.md.
#ifndef CLI_BENCH_ROW_H
#define CLI_BENCH_ROW_H

#include "base/text.h"
#include "bench/bench.h"
#include "run/run_config.h"

// The cells in front: processor, kernel, task with precision.
void bench_row_begin(Text* row, const RunConfig* config);

// The cell of one part: its rate, in brackets the rate over its floor; NULL: it was not measured.
void bench_row_add(Text* row, const BenchResult* result);

// The cells behind: the program.
void bench_row_end(Text* row);

#endif  // CLI_BENCH_ROW_H
