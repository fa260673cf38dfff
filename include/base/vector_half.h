// vector_half.h - half a vector, where the CPU adds two of them in the time of a whole one.
#ifndef BASE_VECTOR_HALF_H
#define BASE_VECTOR_HALF_H

#include "base/vector.h"

#if defined(VECTOR_AVX512) && !defined(AUTOMBPO_FLOAT64)
#define HALF_VECTORS 1

typedef Real HalfVector __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef Real HalfVectorAnywhere
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(Real))));

VECTOR_INLINE HalfVector half_load(const Real* from) { return *(const HalfVectorAnywhere*)from; }

VECTOR_INLINE HalfVector half_fill_from(const Real* from) { return _mm256_broadcast_ss(from); }

VECTOR_INLINE HalfVector half_fma(HalfVector a, HalfVector b, HalfVector c) {
  return _mm256_fmadd_ps(a, b, c);
}

VECTOR_INLINE void half_store(Real* to, HalfVector x) { *(HalfVectorAnywhere*)to = x; }

#else
#define HALF_VECTORS 0
#endif

#endif  // BASE_VECTOR_HALF_H
