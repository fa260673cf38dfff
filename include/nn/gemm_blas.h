// gemm_blas.h - plain products of the BLAS: where they are faster than those of nn/gemm.h, and for
// what a program without anything else would take.
#ifndef NN_GEMM_BLAS_H
#define NN_GEMM_BLAS_H

#include "base/real.h"

typedef enum { GEMM_NN, GEMM_NT, GEMM_TN } GemmKind;

// C (m, n) = A B, A B^T or A^T B, with k products an element; row-major, ld* are row strides.
void gemm_blas(GemmKind kind, Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb,
               int m, int n, int k);

#endif  // NN_GEMM_BLAS_H
