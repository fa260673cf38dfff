// gaussian_nll.c - loss and gradient of a Gaussian head in one pass, and samples of it.
//
// The work goes by columns: for each vector of outputs the bounds of the log-variance are loaded
// once, and then all rows of the batch pass. A row's mean, log-variance and target become its share
// of the loss and both gradients while they are in registers; the sums for the learnt bounds stay
// there over all rows. The softplus of the bound and its slope, a sigmoid, share one exponential.
// Of some rows the bounds are applied together, because their chains of operations are long.
//
// Each column adds up its rows in their order, so that a loss does not depend on how many columns
// fit into a vector. The squared error of the hold-out rows is summed in double: it decides when a
// training of the model stops.
#include "nn/gaussian_nll.h"

#include "base/vector_math.h"

#define ROWS 16  // that are bounded together

// The bounded log-variance, and the slopes of its two steps.
typedef struct {
  Vector logvar;
  Vector upper_slope;  // d upper / d raw
  Vector lower_slope;  // d logvar / d upper
} Bounded;

// Columns first ... of the bounds; lanes beyond the last column are 0.
typedef struct {
  Vector max;
  Vector min;
} Bounds;

// softplus(x), and its derivative sigmoid(x) from the same exponential.
static inline Vector softplus(Vector* slope, Vector x) {
  Vector small = vector_exp(-vector_abs(x));
  Vector larger = 1 / (1 + small);  // of sigmoid(x) and sigmoid(-x)
  *slope = vector_select(x < 0, small * larger, larger);
  return vector_max(x, (Vector){0}) + vector_log1p(small);
}

// One vector of each of `rows` <= ROWS heads, raw[b * stride]; count valid lanes. One step of all
// rows after the other: a row's steps wait for each other, those of several rows do not.
static inline void bound(Bounded* bounded, const Real* raw, int stride, Bounds by, int rows,
                         int count) {
  Vector upper[ROWS];
  for (int b = 0; b < rows; b++) {
    Vector below = by.max - vector_load_some(raw + b * stride, count);
    upper[b] = by.max - softplus(&bounded[b].upper_slope, below);
  }
  for (int b = 0; b < rows; b++) {
    bounded[b].logvar = by.min + softplus(&bounded[b].lower_slope, upper[b] - by.min);
  }
}

// What one column of vectors adds up over the rows.
typedef struct {
  Vector loss;
  Vector d_max;
  Vector d_min;
} Sums;

// One vector of one row: head and d_head at its means, target likewise; count valid lanes.
static inline void nll_vector(Real* d_head, Sums* sums, Bounded bounded, const Real* head,
                              const Real* target, Real scale, int D, int count) {
  Vector error = vector_load_some(head, count) - vector_load_some(target, count);
  Vector precision = vector_exp(-bounded.logvar);
  Vector square = error * error * precision;
  sums->loss += square + bounded.logvar;
  Vector d_logvar = scale * (1 - square);
  Vector d_upper = d_logvar * bounded.lower_slope;
  Vector d_raw = d_upper * bounded.upper_slope;
  vector_store_some(d_head, 2 * scale * error * precision, count);
  vector_store_some(d_head + D, d_raw, count);
  sums->d_max += d_upper - d_raw;
  sums->d_min += d_logvar - d_upper;
}

double gaussian_nll(Real* d_head, Real* d_max, Real* d_min, const Real* head, const Real* target,
                    const Real* max_logvar, const Real* min_logvar, int B, int D) {
  Real scale = 1 / ((Real)B * (Real)D);
  double loss = 0;
  for (int d = 0; d < D; d += LANES) {
    int count = D - d;
    Bounds by = {vector_load_some(max_logvar + d, count), vector_load_some(min_logvar + d, count)};
    Sums sums = {0};
    for (int first = 0; first < B; first += ROWS) {
      int rows = B - first < ROWS ? B - first : ROWS;
      Bounded bounded[ROWS];
      bound(bounded, head + first * 2 * D + D + d, 2 * D, by, rows, count);
      for (int b = first; b < first + rows; b++) {
        nll_vector(d_head + b * 2 * D + d, &sums, bounded[b - first], head + b * 2 * D + d,
                   target + b * D + d, scale, D, count);
      }
    }
    vector_store_some(d_max + d, vector_load_some(d_max + d, count) + sums.d_max, count);
    vector_store_some(d_min + d, vector_load_some(d_min + d, count) + sums.d_min, count);
    for (int i = 0; i < LANES && i < count; i++) {
      loss += (double)sums.loss[i];
    }
  }
  return loss / ((double)B * D);
}

double gaussian_squared_error(const Real* head, const Real* target, int B, int D) {
  double sum = 0;
  for (int b = 0; b < B; b++) {
    for (int d = 0; d < D; d++) {
      double error = (double)head[b * 2 * D + d] - (double)target[b * D + d];
      sum += error * error;
    }
  }
  return sum;
}

void gaussian_sample(Real* sample, const Real* head, const Real* noise, const Real* max_logvar,
                     const Real* min_logvar, int B, int D) {
  for (int d = 0; d < D; d += LANES) {
    int count = D - d;
    Bounds by = {vector_load_some(max_logvar + d, count), vector_load_some(min_logvar + d, count)};
    for (int first = 0; first < B; first += ROWS) {
      int rows = B - first < ROWS ? B - first : ROWS;
      Bounded bounded[ROWS];
      bound(bounded, head + first * 2 * D + D + d, 2 * D, by, rows, count);
      for (int b = first; b < first + rows; b++) {
        Vector deviation = vector_exp(bounded[b - first].logvar / 2);
        Vector step = deviation * vector_load_some(noise + b * D + d, count);
        Vector mean = vector_load_some(head + b * 2 * D + d, count);
        vector_store_some(sample + b * D + d, mean + step, count);
      }
    }
  }
}
