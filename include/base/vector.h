// vector.h - a few real numbers in one register, and functions of them.
//
// GCC's vector extension: the arithmetic operators work on a Vector. LANES follows the CPU that the
// file is compiled for, or AUTOMBPO_VECTOR_BYTES; no lane's result depends on LANES or on the other
// lanes, nor on the instructions that there are for it. Arrays whose length is no multiple of LANES
// end with vector_load_some and vector_store_some, so that every element goes through the same
// operations wherever it stands.
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE__)
#include <immintrin.h>
#endif

#include "base/real.h"

#if defined(AUTOMBPO_VECTOR_BYTES)
#define VECTOR_BYTES AUTOMBPO_VECTOR_BYTES
#elif defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#define LANES ((int)(VECTOR_BYTES / sizeof(Real)))

// A Vector is a register of AVX-512.
#if VECTOR_BYTES == 64 && defined(__AVX512F__)
#define VECTOR_AVX512
#endif

#ifdef AUTOMBPO_FLOAT64
typedef int64_t RealBits;
#else
typedef int32_t RealBits;
#endif

typedef Real Vector __attribute__((vector_size(VECTOR_BYTES)));
typedef RealBits VectorBits __attribute__((vector_size(VECTOR_BYTES)));  // also what < gives: 0, -1
typedef Real VectorAnywhere __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(Real))));

// A Vector is a register of 8 floats of AVX2.
#if VECTOR_BYTES == 32 && defined(__AVX2__) && !defined(AUTOMBPO_FLOAT64)
#define VECTOR_AVX2
#endif

#define VECTOR_INLINE static inline __attribute__((always_inline))

// x in every lane.
VECTOR_INLINE Vector vector_fill(Real x) { return x - (Vector){0}; }

// The number at `from`, in every lane. Only its bits count: it may be something else in a Real's
// place.
VECTOR_INLINE Vector vector_fill_from(const Real* from) {
  RealBits bits;
  memcpy(&bits, from, sizeof bits);
  return (Vector)(bits - (VectorBits){0});
}

VECTOR_INLINE Vector vector_load(const Real* from) { return *(const VectorAnywhere*)from; }

VECTOR_INLINE void vector_store(Real* to, Vector x) { *(VectorAnywhere*)to = x; }

// The first `count` >= 0 lanes (all if count >= LANES); the others are 0.
VECTOR_INLINE Vector vector_load_some(const Real* from, int count) {
  if (count >= LANES) {
    return vector_load(from);
  }
#if defined(VECTOR_AVX512) && defined(AUTOMBPO_FLOAT64)
  return _mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), from);
#elif defined(VECTOR_AVX512)
  return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#elif defined(VECTOR_AVX2)
  VectorBits there = (VectorBits){0, 1, 2, 3, 4, 5, 6, 7} < count;
  return _mm256_maskload_ps(from, (__m256i)there);
#else
  Vector x = {0};
  memcpy(&x, from, (size_t)count * sizeof(Real));
  return x;
#endif
}

VECTOR_INLINE void vector_store_some(Real* to, Vector x, int count) {
  if (count >= LANES) {
    vector_store(to, x);
    return;
  }
#if defined(VECTOR_AVX512) && defined(AUTOMBPO_FLOAT64)
  _mm512_mask_storeu_pd(to, (__mmask8)((1u << count) - 1), x);
#elif defined(VECTOR_AVX512)
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), x);
#elif defined(VECTOR_AVX2)  // a masked store takes longer on most of its CPUs
  __m128 rest = _mm256_castps256_ps128(x);
  if (count & 4) {
    _mm_storeu_ps(to, rest);
    rest = _mm256_extractf128_ps(x, 1);
    to += 4;
  }
  if (count & 2) {
    _mm_storel_pi((__m64*)to, rest);
    rest = _mm_movehl_ps(rest, rest);
    to += 2;
  }
  if (count & 1) {
    _mm_store_ss(to, rest);
  }
#else
  memcpy(to, &x, (size_t)count * sizeof(Real));
#endif
}

// a b + c, rounded once, also where the CPU has no instruction for it: that is slow.
VECTOR_INLINE Vector vector_fma(Vector a, Vector b, Vector c) {
#if defined(VECTOR_AVX512) && defined(AUTOMBPO_FLOAT64)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(VECTOR_AVX512)
  return _mm512_fmadd_ps(a, b, c);
#elif VECTOR_BYTES == 32 && defined(__FMA__) && defined(AUTOMBPO_FLOAT64)
  return _mm256_fmadd_pd(a, b, c);
#elif VECTOR_BYTES == 32 && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif VECTOR_BYTES == 16 && defined(__FMA__) && defined(AUTOMBPO_FLOAT64)
  return _mm_fmadd_pd(a, b, c);
#elif VECTOR_BYTES == 16 && defined(__FMA__)
  return _mm_fmadd_ps(a, b, c);
#else
  for (int i = 0; i < LANES; i++) {
    c[i] = REAL_FMA(a[i], b[i], c[i]);
  }
  return c;
#endif
}

// Lane by lane: mask ? a : b.
VECTOR_INLINE Vector vector_select(VectorBits mask, Vector a, Vector b) {
  return (Vector)((mask & (VectorBits)a) | (~mask & (VectorBits)b));
}

// The larger and the smaller one of each lane; b where one of them is a NaN.
VECTOR_INLINE Vector vector_max(Vector a, Vector b) {
#if defined(VECTOR_AVX512) && !defined(AUTOMBPO_FLOAT64)
  return _mm512_max_ps(a, b);
#elif VECTOR_BYTES == 32 && defined(__AVX__) && !defined(AUTOMBPO_FLOAT64)
  return _mm256_max_ps(a, b);
#else
  return vector_select(a > b, a, b);
#endif
}

VECTOR_INLINE Vector vector_min(Vector a, Vector b) {
#if defined(VECTOR_AVX512) && !defined(AUTOMBPO_FLOAT64)
  return _mm512_min_ps(a, b);
#elif VECTOR_BYTES == 32 && defined(__AVX__) && !defined(AUTOMBPO_FLOAT64)
  return _mm256_min_ps(a, b);
#else
  return vector_select(a < b, a, b);
#endif
}

VECTOR_INLINE Vector vector_abs(Vector x) {
  VectorBits sign = (VectorBits)vector_fill((Real)-0.0);
  return (Vector)((VectorBits)x & ~sign);
}

// The magnitude of x with the sign of y.
VECTOR_INLINE Vector vector_copysign(Vector x, Vector y) {
  VectorBits sign = (VectorBits)vector_fill((Real)-0.0);
  return (Vector)(((VectorBits)x & ~sign) | ((VectorBits)y & sign));
}

#endif  // BASE_VECTOR_H
