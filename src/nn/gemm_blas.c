#include "nn/gemm_blas.h"

#include <cblas.h>

#ifdef AUTOMBPO_FLOAT64
#define BLAS_GEMM cblas_dgemm
#else
#define BLAS_GEMM cblas_sgemm
#endif

void gemm_blas(GemmKind kind, Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb,
               int m, int n, int k) {
  CBLAS_TRANSPOSE ta = kind == GEMM_TN ? CblasTrans : CblasNoTrans;
  CBLAS_TRANSPOSE tb = kind == GEMM_NT ? CblasTrans : CblasNoTrans;
  BLAS_GEMM(CblasRowMajor, ta, tb, m, n, k, 1, A, lda, B, ldb, 0, C, ldc);
}
