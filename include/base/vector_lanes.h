// vector_lanes.h - what crosses lanes: sums and transposes. Their results do not depend on LANES.
#ifndef BASE_VECTOR_LANES_H
#define BASE_VECTOR_LANES_H

#include "base/vector.h"

// Lane j of a vector of lane numbers.
VECTOR_INLINE VectorBits vector_lanes(void) {
  VectorBits lanes;
  for (int j = 0; j < LANES; j++) {
    lanes[j] = j;
  }
  return lanes;
}

// Lane j of the result is lane from[j] of x and y, one behind the other.
VECTOR_INLINE Vector vector_shuffle(Vector x, Vector y, VectorBits from) {
#ifdef __clang__  // knows no shuffle by a vector, but makes one of this when it knows the lanes
  Vector result;
#pragma GCC unroll 16
  for (int j = 0; j < LANES; j++) {
    result[j] = from[j] < LANES ? x[from[j] % LANES] : y[from[j] % LANES];
  }
  return result;
#else
  return __builtin_shuffle(x, y, from);
#endif
}

// Sixteen sums side by side, in as many vectors as they take: number i of a sequence belongs to sum
// i mod 16, however many lanes there are.
#define SUMS 16
#define SUM_VECTORS ((int)(SUMS * sizeof(Real) / VECTOR_BYTES))

typedef struct {
  Vector part[SUMS * sizeof(Real) / VECTOR_BYTES];
} Sums;

// The sum of all: both halves, then both halves of what is left, ...
VECTOR_INLINE Real sums_total(Sums sums) {
#pragma GCC unroll 4
  for (int half = SUM_VECTORS / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (int v = 0; v < half; v++) {
      sums.part[v] += sums.part[v + half];
    }
  }
  Vector x = sums.part[0];
  VectorBits lanes = vector_lanes();
#pragma GCC unroll 4
  for (int half = LANES / 2; half > 0; half /= 2) {
    x += vector_shuffle(x, x, lanes ^ half);
  }
  return x[0];
}

// Transposes LANES vectors: exchanges blocks of 1, 2, 4 ... lanes across the diagonal.
VECTOR_INLINE void vector_transpose(Vector rows[VECTOR_BYTES / sizeof(Real)]) {
  VectorBits lanes = vector_lanes();
#pragma GCC unroll 4
  for (int size = 1; size < LANES; size *= 2) {
    VectorBits right = (lanes & size) != 0;
    VectorBits above = (right & (LANES + lanes - size)) | (~right & lanes);
    VectorBits below = (right & (LANES + lanes)) | (~right & (lanes + size));
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
      if ((i & size) == 0) {
        Vector upper = rows[i], lower = rows[i + size];
        rows[i] = vector_shuffle(upper, lower, above);
        rows[i + size] = vector_shuffle(upper, lower, below);
      }
    }
  }
}

#endif  // BASE_VECTOR_LANES_H
