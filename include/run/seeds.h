// seeds.h - the operand seeds=0..9: runs that differ in their seed alone, each in a directory of
// its own.
#ifndef RUN_SEEDS_H
#define RUN_SEEDS_H

#include <stdint.h>

#include "run/run_config.h"

#define SEEDS_MOST 10000

typedef struct {
  int count;      // 0 = there is no such operand
  int64_t* seed;  // (count)
} Seeds;

// Seeds from "3", "0..9", "0-9" or "1,2,5..7", each once. Returns how many, at most SEEDS_MOST; 0
// if the text is anything else.
int seeds_parse(int64_t seeds[SEEDS_MOST], const char* text);

// Takes seeds= out of the operands.
bool seeds_take(Seeds* seeds, int* count, char** operands, Arena* arena, Error* error);

// Whether run.dir is another directory for each seed.
bool seeds_check_directory(const Seeds* seeds, const RunConfig* config, Error* error);

#endif  // RUN_SEEDS_H
