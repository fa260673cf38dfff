// libFuzzer entry: any bytes as a baseline file are refused, or give a finite R' everywhere.
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "hyper/baseline.h"
#include "scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  char path[SCRATCH_PATH_SIZE];
  Arena arena;
  Baseline baseline;
  Error error = {0};
  scratch_file(path, data, size);
  arena_init(&arena);
  if (baseline_load(&baseline, path, &arena, &error)) {
    const int64_t steps[] = {INT64_MIN, -1, 0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      CHECK(!isnan(baseline_at(&baseline, steps[i])), "R' is NaN at %lld", (long long)steps[i]);
    }
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  arena_free(&arena);
  unlink(path);
  return 0;
}
