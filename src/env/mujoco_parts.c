// Pieces of observations and rewards, in the arithmetic order of the reference environments.
#include <math.h>
#include <string.h>

#include "env/mujoco.h"

#define MAX_SUM 1024

double* put(double* out, const double* x, int n) {
  memcpy(out, x, sizeof(double) * (size_t)n);
  return out + n;
}

static double clip(double x, double limit) {
  double y = x < -limit ? -limit : x;
  return y > limit ? limit : y;
}

double* put_clipped(double* out, const double* x, int n, double limit) {
  for (int i = 0; i < n; i++) {
    out[i] = clip(x[i], limit);
  }
  return out + n;
}

// Eight running sums over blocks of eight, joined in pairs, then the rest one by one.
static double sum_block(const double* x, int n) {
  double r[8];
  memcpy(r, x, sizeof r);
  int i = 8;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; k++) {
      r[k] += x[i + k];
    }
  }
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; i++) {
    sum += x[i];
  }
  return sum;
}

double sum_pairwise(const double* x, int n) {
  if (n < 8) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[i];
    }
    return sum;
  }
  if (n <= 128) {
    return sum_block(x, n);
  }
  int half = n / 2 - n / 2 % 8;
  return sum_pairwise(x, half) + sum_pairwise(x + half, n - half);
}

double sum_squares_clipped(const double* x, int n, double limit) {
  double squares[MAX_SUM];
  CHECK(n <= MAX_SUM, "sum of %d numbers; at most %d", n, MAX_SUM);
  for (int i = 0; i < n; i++) {
    double y = clip(x[i], limit);
    squares[i] = y * y;
  }
  return sum_pairwise(squares, n);
}

double sum_squares(const double* x, int n) { return sum_squares_clipped(x, n, INFINITY); }

double body_distance(const MujocoBody* body, int a, int b) {
  const double* p = body->data->xpos + 3 * a;
  const double* q = body->data->xpos + 3 * b;
  double x = p[0] - q[0];
  double y = p[1] - q[1];
  double z = p[2] - q[2];
  return sqrt(fma(z, z, fma(y, y, x * x)));
}

bool all_within(const double* x, int n, double low, double high) {
  for (int i = 0; i < n; i++) {
    if (!(low < x[i] && x[i] < high)) {
      return false;
    }
  }
  return true;
}

bool all_finite(const double* x, int n) {
  for (int i = 0; i < n; i++) {
    if (!isfinite(x[i])) {
      return false;
    }
  }
  return true;
}
