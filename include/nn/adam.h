// adam.h - Adam (Kingma and Ba 2015, Algorithm 1; the form of PyTorch).
#ifndef NN_ADAM_H
#define NN_ADAM_H

#include "base/archive.h"
#include "base/arena.h"
#include "base/real.h"

typedef struct {
  size_t size;           // P
  int64_t steps;         // updates so far
  Real* first;           // (P) mean of gradients
  Real* second;          // (P) mean of squared gradients
  double learning_rate;
} Adam;

void adam_init(Adam* adam, size_t size, double learning_rate, Arena* arena);

// params -= lr * m_hat / (sqrt(v_hat) + 1e-8), with beta1 = 0.9, beta2 = 0.999.
void adam_step(Adam* adam, Real* params, const Real* grad);

// A step in parts: adam_begin counts it, and each adam_part changes parameters first ... first +
// count - 1. What is in no part keeps its bits and its moments.
typedef struct {
  Real rate;  // learning_rate / (1 - beta1^t)
  Real root;  // 1 / sqrt(1 - beta2^t)
} AdamCorrection;
AdamCorrection adam_begin(Adam* adam);
void adam_part(Adam* adam, AdamCorrection by, Real* params, const Real* grad, size_t first,
               size_t count);

// The same as adam_step, and in the same pass targets += rate * (params - targets)
// (Polyak average).
void adam_step_polyak(Adam* adam, Real* params, const Real* grad, Real* targets, double rate);

void adam_visit(Adam* adam, Archive* archive, const char* name);

#endif  // NN_ADAM_H
