// blas.h - plain products of the BLAS: what a program without kernels of its own would take.
#ifndef BENCH_BLAS_H
#define BENCH_BLAS_H

#include "base/arena.h"
#include "base/real.h"

typedef enum { GEMM_NN, GEMM_NT, GEMM_TN } GemmKind;

// To be called once: one thread.
void blas_init(void);

// C (m, n) = A B, A B^T or A^T B, with k products an element; row-major, ld* are row strides.
void blas_gemm(GemmKind kind, Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb,
               int m, int n, int k);

// Its name, version and the core type in use, e.g. "OpenBLAS 0.3.21 SkylakeX".
const char* blas_description(Arena* arena);

#endif  // BENCH_BLAS_H
