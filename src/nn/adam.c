#include "nn/adam.h"

#include <math.h>

#include "base/vector_lanes.h"
#include "base/vector_math.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON ((Real)1e-8)  // beside the bias-corrected root (docs/algorithms.md, D1)
#define BLOCK ((size_t)4096)  // so many squares are summed in Reals, more in doubles

void adam_init(Adam* adam, size_t size, double learning_rate, Arena* arena) {
  adam->size = size;
  adam->steps = 0;
  adam->first = ARENA_NEW(arena, size, Real);
  adam->second = ARENA_NEW(arena, size, Real);
  adam->learning_rate = learning_rate;
}

AdamStep adam_begin(Adam* adam) {
  double steps = (double)++adam->steps;
  return (AdamStep){.rate = (Real)(adam->learning_rate / (1 - pow(BETA1, steps))),
                    .root = (Real)(1 / sqrt(1 - pow(BETA2, steps)))};
}

// LANES parameters or less, from `first` on; returns what they become.
VECTOR_INLINE Vector step_vector(Adam* adam, AdamStep by, Vector params, Vector grad, size_t first,
                                 int count) {
  Vector mean = vector_load_some(adam->first + first, count);
  Vector square = vector_load_some(adam->second + first, count);
  mean += (Real)(1 - BETA1) * (grad - mean);
  square += (Real)(1 - BETA2) * (grad * grad - square);
  vector_store_some(adam->first + first, mean, count);
  vector_store_some(adam->second + first, square, count);
  return params - by.rate * mean / (vector_sqrt(square) * by.root + EPSILON);
}

// At most BLOCK parameters; returns the sum of their squares, in the order that Sums gives it.
static double step_block(Adam* adam, AdamStep by, Real* params, const Real* grad, double decay,
                         size_t first, size_t end) {
  Sums squares = {0};
  for (size_t group = first; group < end; group += SUMS) {
#pragma GCC unroll 8
    for (int v = 0; v < SUM_VECTORS; v++) {
      size_t p = group + (size_t)(v * LANES);
      int count = p < end ? (int)(end - p) : 0;
      Vector before = vector_load_some(params + p, count);
      Vector slope = vector_load_some(grad + (p - first), count);
      squares.part[v] += before * before;
      slope += (Real)decay * before;
      vector_store_some(params + p, step_vector(adam, by, before, slope, p, count), count);
    }
  }
  return (double)sums_total(squares);
}

double adam_step_part(Adam* adam, AdamStep by, Real* params, const Real* grad, double decay,
                      size_t first, size_t count) {
  double squares = 0;
  size_t end = first + count;
  for (size_t p = first; p < end; p += BLOCK) {
    squares += step_block(adam, by, params, grad + (p - first), decay, p,
                          end - p < BLOCK ? end : p + BLOCK);
  }
  return squares;
}

void adam_step(Adam* adam, Real* params, const Real* grad) {
  adam_step_part(adam, adam_begin(adam), params, grad, 0, 0, adam->size);
}

void adam_step_polyak(Adam* adam, Real* params, const Real* grad, Real* targets, double rate) {
  AdamStep by = adam_begin(adam);
  for (size_t p = 0; p < adam->size; p += (size_t)LANES) {
    int count = adam->size - p < (size_t)LANES ? (int)(adam->size - p) : LANES;
    Vector before = vector_load_some(params + p, count);
    Vector after = step_vector(adam, by, before, vector_load_some(grad + p, count), p, count);
    Vector target = vector_load_some(targets + p, count);
    vector_store_some(params + p, after, count);
    vector_store_some(targets + p, target + (Real)rate * (after - target), count);
  }
}

void adam_visit(Adam* adam, Archive* archive, const char* name) {
  archive_enter(archive, name);
  archive_i64(archive, "steps", &adam->steps, 1);
  archive_f64(archive, "learning_rate", &adam->learning_rate, 1);
  archive_real(archive, "first", adam->first, adam->size);
  archive_real(archive, "second", adam->second, adam->size);
  archive_leave(archive);
}
