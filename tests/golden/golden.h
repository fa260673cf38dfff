// golden.h - reader of the files that make_golden.py writes; for tests only.
//
// Records are read in the order in which they were written; a wrong name or length is fatal.
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/real.h"

static inline FILE* golden_open(const char* name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/tests/golden/%s", SOURCE_DIR, name);
  FILE* file = fopen(path, "rb");
  CHECK(file, "%s: cannot open", path);
  char line[16];
  CHECK(fgets(line, sizeof line, file) && strcmp(line, "golden 1\n") == 0, "%s: no golden file",
        path);
  return file;
}

// out (count) = the next record, which must have this name.
static inline void golden_read(double* out, FILE* file, const char* name, size_t count) {
  char found[64] = "";
  char kind[8] = "";
  size_t size = 0;
  int fields = fscanf(file, "%63s %7s %zu", found, kind, &size);
  CHECK(fields == 3 && fgetc(file) == '\n' && strcmp(found, name) == 0 && size == count,
        "golden record %s of %zu, expected %s of %zu", found, size, name, count);
  for (size_t i = 0; i < count; i++) {
    float small = 0;
    bool is_float = strcmp(kind, "f32") == 0;
    size_t read = is_float ? fread(&small, 4, 1, file) : fread(&out[i], 8, 1, file);
    CHECK(read == 1, "golden record %s ends early", name);
    out[i] = is_float ? (double)small : out[i];
  }
}

// The same into Real.
static inline void golden_read_real(Real* out, FILE* file, const char* name, size_t count) {
  double numbers[4096];
  CHECK(count <= 4096, "golden record %s: %zu numbers", name, count);
  golden_read(numbers, file, name, count);
  for (size_t i = 0; i < count; i++) {
    out[i] = (Real)numbers[i];
  }
}

// |numbers - next record| / |next record|, Euclidean norms; 0 where the two are equal.
static inline double golden_distance(FILE* file, const char* name, const Real* numbers,
                                     size_t count) {
  double expected[4096];
  CHECK(count <= 4096, "golden record %s: %zu numbers", name, count);
  golden_read(expected, file, name, count);
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < count; i++) {
    double d = (double)numbers[i] - expected[i];
    difference += d * d;
    norm += expected[i] * expected[i];
  }
  return difference > 0 ? sqrt(difference / norm) : difference;
}

#endif  // TESTS_GOLDEN_H
