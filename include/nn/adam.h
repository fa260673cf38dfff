// adam.h - Adam (Kingma and Ba 2015, Algorithm 1; the form of PyTorch).
#ifndef NN_ADAM_H
#define NN_ADAM_H

#include "base/archive.h"
#include "base/arena.h"
#include "base/real.h"
#include "base/team.h"

typedef struct {
  size_t size;           // P
  int64_t steps;         // updates so far
  Real* first;           // (P) mean of gradients
  Real* second;          // (P) mean of squared gradients
  double learning_rate;
  double* squares;       // scratch of a step: of each block of parameters
  Team* team;            // shares the steps; adam_init says NULL
} Adam;

void adam_init(Adam* adam, size_t size, double learning_rate, Arena* arena);

// params -= lr * m_hat / (sqrt(v_hat) + 1e-8), with beta1 = 0.9, beta2 = 0.999.
void adam_step(Adam* adam, Real* params, const Real* grad);

// The same, and in the same pass targets += rate * (params - targets)   (Polyak average).
void adam_step_polyak(Adam* adam, Real* params, const Real* grad, Real* targets, double rate);

// A step in parts, so that each follows its gradient while both are in the cache.
typedef struct {
  Real rate;  // learning_rate / (1 - beta1^t)
  Real root;  // 1 / sqrt(1 - beta2^t)
} AdamStep;

// Counts the step; after it each parameter belongs to one part.
AdamStep adam_begin(Adam* adam);

// The step of parameters first ... first + count - 1, whose gradient is grad (count) + decay times
// them. Returns the sum of their squares before it.
double adam_step_part(Adam* adam, AdamStep by, Real* params, const Real* grad, double decay,
                      size_t first, size_t count);

void adam_visit(Adam* adam, Archive* archive, const char* name);

#endif  // NN_ADAM_H
