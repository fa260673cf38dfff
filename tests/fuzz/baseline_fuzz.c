// libFuzzer entry: any bytes as a baseline file are refused, or give a finite R' everywhere.
#include <math.h>

#include "hyper/baseline.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Baseline baseline;
  Error error = {0};
  if (baseline_load(&baseline, scratch_file(data, size), scratch_arena(), &error)) {
    const int64_t steps[] = {INT64_MIN, -1, 0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      CHECK(!isnan(baseline_at(&baseline, steps[i])), "R' is NaN at %lld", (long long)steps[i]);
    }
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  return 0;
}
