// scaler.h - input normalisation: (x - mean) / sd per column.
#ifndef NN_SCALER_H
#define NN_SCALER_H

#include "base/archive.h"
#include "base/arena.h"
#include "base/real.h"

typedef struct {
  int size;       // D
  Real* mean;     // (D)
  Real* inverse;  // (D) 1 / sd
} Scaler;

// Identity until fitted.
void scaler_init(Scaler* scaler, int size, Arena* arena);

// Mean and population deviation of x (N, D), in double. The deviation of a column that is constant,
// up to float32's rounding, becomes 1.
void scaler_fit(Scaler* scaler, const Real* x, int64_t N);

// out (N, D) = scaled x (N, D); may be in place.
void scaler_apply(Real* out, const Real* x, const Scaler* scaler, int64_t N);

void scaler_visit(Scaler* scaler, Archive* archive, const char* name);

#endif  // NN_SCALER_H
