// gemm_blas.h - plain products of the BLAS, for what a program without anything else would take:
// the measure of nn/gemm.h, never part of a result.
#ifndef NN_GEMM_BLAS_H
#define NN_GEMM_BLAS_H

#include "base/real.h"

typedef enum { GEMM_NN, GEMM_NT, GEMM_TN } GemmKind;

// C (m, n) = A B, A B^T or A^T B, with k products an element; all row-major and dense.
void gemm_blas(GemmKind kind, Real* C, const Real* A, const Real* B, int m, int n, int k);

#endif  // NN_GEMM_BLAS_H
