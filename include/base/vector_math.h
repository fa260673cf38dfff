// vector_math.h - exp, log, log1p, tanh, sigmoid, softplus, sin and cos, lane by lane.
//
// In float: argument reduction to a small interval and a polynomial, all in vector arithmetic.
// Errors, in units of the last place, are measured against libm in
// tests/base/vector_math_test.c. In
// double each lane calls libm: that build exists for exactness, not for speed.
#ifndef BASE_VECTOR_MATH_H
#define BASE_VECTOR_MATH_H

#include <math.h>

#include "base/vector.h"

#ifdef AUTOMBPO_FLOAT64

// Defines vector_NAME(x) as libm's NAME in every lane.
#define VECTOR_FROM_LIBM(name) \
  VECTOR_INLINE Vector vector_##name(Vector x) { \
    for (int i = 0; i < LANES; i++) { \
      x[i] = name(x[i]); \
    } \
    return x; \
  }

VECTOR_FROM_LIBM(exp)
VECTOR_FROM_LIBM(log)
VECTOR_FROM_LIBM(log1p)
VECTOR_FROM_LIBM(tanh)
VECTOR_FROM_LIBM(sin)
VECTOR_FROM_LIBM(cos)
VECTOR_FROM_LIBM(sqrt)

// 1 / (1 + e^-x)
VECTOR_INLINE Vector vector_sigmoid(Vector x) { return 1 / (1 + vector_exp(-x)); }

#else

// coefficients[0] + coefficients[1] x + ... + coefficients[degree] x^degree   (Horner)
VECTOR_INLINE Vector vector_polynomial(Vector x, const float* coefficients, int degree) {
  Vector sum = vector_fill(coefficients[degree]);
#pragma GCC unroll 16
  for (int i = degree - 1; i >= 0; i--) {
    sum = vector_fma(sum, x, vector_fill(coefficients[i]));
  }
  return sum;
}

// 2^n for integral n in [-126, 127].
VECTOR_INLINE Vector vector_power_of_two(VectorBits n) { return (Vector)((n + 127) << 23); }

// e^r, where x = n log(2) + r with integral n and |r| <= log(2) / 2. n stands in the last bits of
// *shifted, which is VECTOR_SHIFTER + n.
#define VECTOR_SHIFTER 12582912.f  // 1.5 * 2^23: its last bit has the weight 1
VECTOR_INLINE Vector vector_exp_rest(Vector x, Vector* shifted) {
  // 1 / n!: what is left out, r^8 / 8!, is below 6e-9
  static const float coefficients[] = {1,        1,        1.f / 2,   1.f / 6,
                                       1.f / 24, 1.f / 120, 1.f / 720, 1.f / 5040};
  *shifted = vector_fma(x, vector_fill(1.44269504f), vector_fill(VECTOR_SHIFTER));
  Vector whole = *shifted - VECTOR_SHIFTER;
  Vector r = vector_fma(whole, vector_fill(-0.693359375f), x);  // log(2) in two parts
  r = vector_fma(whole, vector_fill(2.12194440e-4f), r);
  return vector_polynomial(r, coefficients, 7);
}

// e^x = 2^n e^r. Below -104 the result is 0, above 88.73 infinite; a NaN stays one.
VECTOR_INLINE Vector vector_exp(Vector x) {
  Vector shifted;
  Vector inside = vector_min(vector_fill(89), vector_max(vector_fill(-104), x));
  Vector power = vector_exp_rest(inside, &shifted);
#if defined(VECTOR_AVX512)
  return _mm512_scalef_ps(power, shifted - VECTOR_SHIFTER);
#else
  // in two steps, since n reaches from -150 to 128
  VectorBits n = (VectorBits)shifted - (VectorBits)vector_fill(VECTOR_SHIFTER);
  VectorBits half = n >> 1;
  return power * vector_power_of_two(half) * vector_power_of_two(n - half);
#endif
}

// 1 / (1 + e^-x)
VECTOR_INLINE Vector vector_sigmoid(Vector x) {
#if defined(VECTOR_AVX512)
  return 1 / (1 + vector_exp(-x));
#else
  // Beside 1 nothing below e^-64 counts: so one step is enough, by 2^(n - 1) that always exists;
  // all other bits of the shifter leave to the left.
  Vector shifted;
  Vector inside = vector_min(vector_fill(89), vector_max(vector_fill(-64), -x));
  Vector power = vector_exp_rest(inside, &shifted);
  VectorBits scale = ((VectorBits)shifted << 23) + (126 << 23);
  return 1 / vector_fma(power * (Vector)scale, vector_fill(2), vector_fill(1));
#endif
}

// log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1].
VECTOR_INLINE Vector vector_log_near_one(Vector f) {
  // (log(1 + f) - f + f^2 / 2) / f^3, the minimax polynomial of Moshier's Cephes library
  static const float coefficients[] = {3.3333331174e-1f,  -2.4999993993e-1f, 2.0000714765e-1f,
                                       -1.6668057665e-1f, 1.4249322787e-1f,  -1.2420140846e-1f,
                                       1.1676998740e-1f,  -1.1514610310e-1f, 7.0376836292e-2f};
  Vector square = f * f;
  Vector tail = f * square * vector_polynomial(f, coefficients, 8);
  return f + vector_fma(vector_fill(-0.5f), square, tail);
}

// log(x) for normal x > 0.
VECTOR_INLINE Vector vector_log(Vector x) {
  const VectorBits root_half = (VectorBits)vector_fill(0.707106769f);
  // mantissa in [sqrt(1/2), sqrt(2)): the exponent is counted from there
  VectorBits exponent = ((VectorBits)x - root_half) >> 23;
  Vector mantissa = (Vector)((VectorBits)x - (exponent << 23));
  Vector whole = __builtin_convertvector(exponent, Vector);
  Vector small = vector_fma(whole, vector_fill(-2.12194440e-4f), vector_log_near_one(mantissa - 1));
  return vector_fma(whole, vector_fill(0.693359375f), small);
}

// log(1 + x) for x in [0, 1]; no rounding of 1 + x.
VECTOR_INLINE Vector vector_log1p(Vector x) {
  VectorBits large = x > 0.414213562f;
  Vector f = vector_select(large, (x - 1) * 0.5f, x);
  Vector shift = (Vector)(large & (VectorBits)vector_fill(0.693147181f));
  return shift + vector_log_near_one(f);
}

VECTOR_INLINE Vector vector_tanh(Vector x) {
  // (tanh(x) / x - 1) / x^2 in x^2, for |x| < 0.625 (Cephes)
  static const float coefficients[] = {-3.33332819422e-1f, 1.33314422036e-1f, -5.37397155531e-2f,
                                       2.06390887954e-2f, -5.70498872745e-3f};
  Vector size = vector_abs(x);
  Vector square = x * x;
  Vector near = vector_fma(x * square, vector_polynomial(square, coefficients, 4), x);
  Vector far = 1 - 2 / (vector_exp(2 * size) + 1);
  return vector_select(size < 0.625f, near, vector_copysign(far, x));
}

// sin(x) and cos(x) for |x| <= pi / 4 (Cephes).
VECTOR_INLINE Vector vector_sin(Vector x) {
  static const float coefficients[] = {-1.6666654611e-1f, 8.3321608736e-3f, -1.9515295891e-4f};
  Vector square = x * x;
  return vector_fma(x * square, vector_polynomial(square, coefficients, 2), x);
}

VECTOR_INLINE Vector vector_cos(Vector x) {
  static const float coefficients[] = {4.166664568298827e-2f, -1.388731625493765e-3f,
                                       2.443315711809948e-5f};
  Vector square = x * x;
  Vector tail = square * square * vector_polynomial(square, coefficients, 2);
  return 1 + vector_fma(vector_fill(-0.5f), square, tail);
}

VECTOR_INLINE Vector vector_sqrt(Vector x) {
#if defined(VECTOR_AVX512)
  return _mm512_sqrt_ps(x);
#elif VECTOR_BYTES == 32 && defined(__AVX__)
  return _mm256_sqrt_ps(x);
#else
  for (int i = 0; i < LANES; i++) {
    x[i] = sqrtf(x[i]);
  }
  return x;
#endif
}

#endif  // AUTOMBPO_FLOAT64

// log(1 + e^x), without overflow or cancellation
VECTOR_INLINE Vector vector_softplus(Vector x) {
  return vector_max(x, (Vector){0}) + vector_log1p(vector_exp(-vector_abs(x)));
}

#endif  // BASE_VECTOR_MATH_H
