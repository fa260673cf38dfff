// adam.c - Adam's step in one pass over parameters, gradient and moments.
//
// Every step is one of a span of parameters, taken block by block; a block is in registers and the
// nearest cache only once. The targets' average is part of that pass, and so is the sum of squares
// that weight decay adds to a loss: a sum in Reals within a block, in the order that Sums gives it,
// and in doubles over the blocks, in their order. So threads may share the blocks.
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
  adam->squares = ARENA_NEW(arena, (size + BLOCK - 1) / BLOCK, double);
  adam->team = NULL;
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

// Parameters that take their step together, and where theirs is targets' average.
typedef struct {
  Adam* adam;
  AdamStep by;
  Real* params;
  const Real* grad;  // of the first of them
  Real decay;
  size_t first;
  size_t end;
  Real* targets;  // or NULL
  Real rate;
  size_t blocks;
  int parts;
} Span;

// At most BLOCK parameters; returns the sum of their squares, in the order that Sums gives it.
VECTOR_INLINE double step_block(const Span* span, bool averages, size_t first, size_t end) {
  Sums squares = {0};
  for (size_t group = first; group < end; group += SUMS) {
#pragma GCC unroll 8
    for (int v = 0; v < SUM_VECTORS; v++) {
      size_t p = group + (size_t)(v * LANES);
      int count = p < end ? (int)(end - p) : 0;
      Vector before = vector_load_some(span->params + p, count);
      Vector slope = vector_load_some(span->grad + (p - span->first), count);
      squares.part[v] += before * before;
      slope += span->decay * before;
      Vector after = step_vector(span->adam, span->by, before, slope, p, count);
      vector_store_some(span->params + p, after, count);
      if (averages) {
        Vector target = vector_load_some(span->targets + p, count);
        vector_store_some(span->targets + p, target + span->rate * (after - target), count);
      }
    }
  }
  return (double)sums_total(squares);
}

// A share of the blocks.
static void step_part(void* self, int part) {
  const Span* span = self;
  size_t parts = (size_t)span->parts;
  size_t end_block = span->blocks * ((size_t)part + 1) / parts;
  for (size_t b = span->blocks * (size_t)part / parts; b < end_block; b++) {
    size_t first = span->first + b * BLOCK;
    size_t end = span->end - first < BLOCK ? span->end : first + BLOCK;
    span->adam->squares[b] = span->targets ? step_block(span, true, first, end)
                                           : step_block(span, false, first, end);
  }
}

// Returns the sum of the parameters' squares before the step.
static double step_span(Span span) {
  int threads = team_threads(span.adam->team);
  span.blocks = (span.end - span.first + BLOCK - 1) / BLOCK;
  span.parts = span.blocks < (size_t)threads ? (int)span.blocks : threads;
  team_run(span.adam->team, step_part, &span, span.parts);
  double squares = 0;
  for (size_t b = 0; b < span.blocks; b++) {
    squares += span.adam->squares[b];
  }
  return squares;
}

double adam_step_part(Adam* adam, AdamStep by, Real* params, const Real* grad, double decay,
                      size_t first, size_t count) {
  return step_span((Span){.adam = adam, .by = by, .params = params, .grad = grad,
                          .decay = (Real)decay, .first = first, .end = first + count});
}

void adam_step(Adam* adam, Real* params, const Real* grad) {
  adam_step_part(adam, adam_begin(adam), params, grad, 0, 0, adam->size);
}

void adam_step_polyak(Adam* adam, Real* params, const Real* grad, Real* targets, double rate) {
  step_span((Span){.adam = adam, .by = adam_begin(adam), .params = params, .grad = grad,
                   .end = adam->size, .targets = targets, .rate = (Real)rate});
}

void adam_visit(Adam* adam, Archive* archive, const char* name) {
  archive_enter(archive, name);
  archive_i64(archive, "steps", &adam->steps, 1);
  archive_f64(archive, "learning_rate", &adam->learning_rate, 1);
  archive_real(archive, "first", adam->first, adam->size);
  archive_real(archive, "second", adam->second, adam->size);
  archive_leave(archive);
}
