#include "nn/adam.h"

#include <tgmath.h>

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON ((Real)1e-8)

void adam_init(Adam* adam, size_t size, double learning_rate, Arena* arena) {
  adam->size = size;
  adam->steps = 0;
  adam->first = ARENA_NEW(arena, size, Real);
  adam->second = ARENA_NEW(arena, size, Real);
  adam->learning_rate = learning_rate;
}

AdamCorrection adam_begin(Adam* adam) {
  double steps = (double)++adam->steps;
  return (AdamCorrection){(Real)(adam->learning_rate / (1 - pow(BETA1, steps))),
                          (Real)(1 / sqrt(1 - pow(BETA2, steps)))};
}

// One parameter; the loops around it are vectorised by the compiler.
static inline Real step_one(Real param, Real grad, Real* first, Real* second, AdamCorrection by) {
  *first += (Real)(1 - BETA1) * (grad - *first);
  *second += (Real)(1 - BETA2) * (grad * grad - *second);
  return param - by.rate * *first / (sqrt(*second) * by.root + EPSILON);
}

void adam_part(Adam* adam, AdamCorrection by, Real* restrict params, const Real* restrict grad,
               size_t first, size_t count) {
  Real* restrict mean = adam->first;
  Real* restrict square = adam->second;
  for (size_t p = first; p < first + count; p++) {
    params[p] = step_one(params[p], grad[p], &mean[p], &square[p], by);
  }
}

void adam_step(Adam* adam, Real* params, const Real* grad) {
  adam_part(adam, adam_begin(adam), params, grad, 0, adam->size);
}

void adam_step_polyak(Adam* adam, Real* restrict params, const Real* restrict grad,
                      Real* restrict targets, double rate) {
  AdamCorrection by = adam_begin(adam);
  Real* restrict first = adam->first;
  Real* restrict second = adam->second;
  for (size_t p = 0; p < adam->size; p++) {
    params[p] = step_one(params[p], grad[p], &first[p], &second[p], by);
    targets[p] += (Real)rate * (params[p] - targets[p]);
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
