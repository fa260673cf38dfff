#include "nn/scaler.h"

#include <float.h>
#include <math.h>

#include "base/error.h"

// A column is constant if its deviation is below this, as in the MBPO release, or below a few steps
// of float32 at its mean: rounding then (docs/algorithms.md, D18).
#define CONSTANT 1e-12
#define CONSTANT_RELATIVE (8 * (double)FLT_EPSILON)

void scaler_init(Scaler* scaler, int size, Arena* arena) {
  scaler->size = size;
  scaler->mean = ARENA_NEW(arena, size, Real);
  scaler->inverse = ARENA_NEW(arena, size, Real);
  for (int d = 0; d < size; d++) {
    scaler->inverse[d] = 1;
  }
}

void scaler_fit(Scaler* scaler, const Real* x, int64_t N) {
  CHECK(N > 0, "scaler_fit: no rows");
  int D = scaler->size;
  for (int d = 0; d < D; d++) {
    double sum = 0;
    for (int64_t n = 0; n < N; n++) {
      sum += (double)x[n * D + d];
    }
    double mean = sum / (double)N;
    double square = 0;
    for (int64_t n = 0; n < N; n++) {
      double difference = (double)x[n * D + d] - mean;
      square += difference * difference;
    }
    double sd = sqrt(square / (double)N);
    bool constant = sd < fmax(CONSTANT, CONSTANT_RELATIVE * fabs(mean));
    scaler->mean[d] = (Real)mean;
    scaler->inverse[d] = (Real)(constant ? 1 : 1 / sd);
  }
}

void scaler_apply(Real* out, const Real* x, const Scaler* scaler, int64_t N) {
  int D = scaler->size;
  for (int64_t n = 0; n < N; n++) {
    for (int d = 0; d < D; d++) {
      out[n * D + d] = (x[n * D + d] - scaler->mean[d]) * scaler->inverse[d];
    }
  }
}

void scaler_visit(Scaler* scaler, Archive* archive, const char* name) {
  archive_enter(archive, name);
  archive_real(archive, "mean", scaler->mean, (size_t)scaler->size);
  archive_real(archive, "inverse", scaler->inverse, (size_t)scaler->size);
  archive_leave(archive);
}
