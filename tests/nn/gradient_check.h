// gradient_check.h - derivatives by central differences, for the tests of every backward pass.
#ifndef TESTS_NN_GRADIENT_CHECK_H
#define TESTS_NN_GRADIENT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/real.h"
#include "base/rng.h"

// The error is step^2 (truncation) + rounding / step; both tolerances are relative to the largest
// gradient, and 10 times what these two make.
#ifdef AUTOMBPO_FLOAT64
#define GRADIENT_STEP 1e-5
#define GRADIENT_TOLERANCE 1e-7
#else
#define GRADIENT_STEP 4e-3
#define GRADIENT_TOLERANCE 1e-2
#endif

typedef double (*LossFunction)(void* context);

// Slope of loss(context) with respect to *x, which the loss reads.
static inline double central_difference(LossFunction loss, void* context, Real* x) {
  Real middle = *x;
  *x = middle + (Real)GRADIENT_STEP;
  double width = (double)*x;
  double high = loss(context);
  *x = middle - (Real)GRADIENT_STEP;
  width -= (double)*x;
  double low = loss(context);
  *x = middle;
  return (high - low) / width;
}

// `gradient` (count) is that of the loss with respect to x (count), which is not constant.
static inline void assert_gradient(LossFunction loss, void* context, Real* x, const Real* gradient,
                                   size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) {
    largest = fmax(largest, fabs((double)gradient[i]));
  }
  assert_true(largest > 0);
  for (size_t i = 0; i < count; i++) {
    double expected = central_difference(loss, context, &x[i]);
    if (!(fabs((double)gradient[i] - expected) <= GRADIENT_TOLERANCE * largest)) {
      fail_msg("element %zu: gradient %g, central difference %g", i, (double)gradient[i], expected);
    }
  }
}

static inline void fill_normal(Real* out, size_t count, double sd, Rng* rng) {
  for (size_t i = 0; i < count; i++) {
    out[i] = (Real)(sd * rng_normal(rng));
  }
}

#endif  // TESTS_NN_GRADIENT_CHECK_H
