// Quantiles by Newton's method on the logarithm of the tail.
//
// log Q is concave and decreasing, so that a Newton step from anywhere lands at or above the root,
// and further steps decrease to it monotonically. Q(z) <= exp(-z^2/2) / 2 gives a start above it.
#include "theory/normal.h"

#include <math.h>

#include "base/error.h"

#define SQRT_HALF 0.70710678118654752440
#define SQRT_TWO_PI 2.50662827463100050242
#define LOG_HALF (-0.69314718055994530942)

// Beyond this z, erfc comes near its underflow, and the continued fraction needs few terms.
#define TAIL_START 30.0
#define TAIL_TERMS 60
#define NEWTON_STEPS 100

// Q(z) / density(z) for z >= TAIL_START: Laplace's continued fraction 1/(z + 1/(z + 2/(z + ...))),
// from the innermost of TAIL_TERMS terms.
static double mills_ratio(double z) {
  double value = z;
  for (int term = TAIL_TERMS; term > 0; term--) {
    value = z + term / value;
  }
  return 1.0 / value;
}

double normal_log_upper_tail(double z) {
  if (z < 0.0) {
    return log1p(-0.5 * erfc(-z * SQRT_HALF));
  }
  if (z < TAIL_START) {
    return log(0.5 * erfc(z * SQRT_HALF));
  }
  return -0.5 * z * z - log(SQRT_TWO_PI) + log(mills_ratio(z));
}

// density(z) / Q(z), the slope of -log Q.
static double hazard(double z) {
  if (z >= TAIL_START) {
    return 1.0 / mills_ratio(z);
  }
  return exp(-0.5 * z * z) / (SQRT_TWO_PI * 0.5 * erfc(z * SQRT_HALF));
}

// For log_q <= log 1/2.
static double quantile_in_tail(double log_q) {
  double z = sqrt(-2.0 * (log_q - LOG_HALF));
  for (int step = 0; step < NEWTON_STEPS; step++) {
    double change = (normal_log_upper_tail(z) - log_q) / hazard(z);
    z += change;
    if (fabs(change) <= 1e-16 * z) {
      break;
    }
  }
  return z;
}

// For q in [0.1, 1/2]: P(|Z| < z) = 1 - 2q keeps the relative accuracy of a z near 0.
static double quantile_near_center(double q) {
  double mass = 1.0 - 2.0 * q;
  double z = mass * 0.5 * SQRT_TWO_PI;
  for (int step = 0; step < NEWTON_STEPS; step++) {
    double slope = 2.0 * exp(-0.5 * z * z) / SQRT_TWO_PI;
    double change = (mass - erf(z * SQRT_HALF)) / slope;
    z += change;
    if (fabs(change) <= 1e-16 * z) {
      break;
    }
  }
  return z;
}

double normal_upper_quantile(double q) {
  CHECK(q >= 0.0 && q <= 1.0, "a probability must be in [0, 1], not %g", q);
  if (q > 0.5) {
    return -normal_upper_quantile(1.0 - q);  // exact: 1/2 <= q <= 1
  }
  if (q == 0.0) {
    return INFINITY;
  }
  return q < 0.1 ? quantile_in_tail(log(q)) : quantile_near_center(q);
}

double normal_upper_quantile_log(double log_q) {
  CHECK(log_q <= 0.0, "the logarithm of a probability must be <= 0, not %g", log_q);
  if (log_q > -2.302) {
    return -normal_upper_quantile(-expm1(log_q));
  }
  return isinf(log_q) ? INFINITY : quantile_in_tail(log_q);
}

double normal_quantile(double p) { return -normal_upper_quantile(p); }
