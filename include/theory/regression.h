// regression.h - the fit of one iteration: values of cells nearest to targets in the p-norm.
#ifndef THEORY_REGRESSION_H
#define THEORY_REGRESSION_H

#include <stdint.h>

#include "base/arena.h"

// The constant nearest to `target` (count >= 1) in the p-norm: the lower median for p = 1, the mean
// for p = 2, a root by bisection otherwise. Reorders target.
double nearest_constant(double* target, int64_t count, double p);

// value[c] (cells) = the constant nearest to the targets (N) whose cell (N) is c. Where no target
// fell, every constant is a minimiser, and the value stays what it was.
void fit_cells(double* value, const int* cell, const double* target, int64_t N, int cells, double p,
               Arena* scratch);

#endif  // THEORY_REGRESSION_H
