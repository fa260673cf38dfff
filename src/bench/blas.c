#include "bench/blas.h"

#include <cblas.h>
#include <string.h>

#include "base/text.h"

#ifdef AUTOMBPO_FLOAT64
#define BLAS_GEMM cblas_dgemm
#else
#define BLAS_GEMM cblas_sgemm
#endif

void blas_init(void) { openblas_set_num_threads(1); }

void blas_gemm(GemmKind kind, Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb,
               int m, int n, int k) {
  CBLAS_TRANSPOSE ta = kind == GEMM_TN ? CblasTrans : CblasNoTrans;
  CBLAS_TRANSPOSE tb = kind == GEMM_NT ? CblasTrans : CblasNoTrans;
  BLAS_GEMM(CblasRowMajor, ta, tb, m, n, k, 1, A, lda, B, ldb, 0, C, ldc);
}

// Of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." the first two words.
const char* blas_description(Arena* arena) {
  const char* config = openblas_get_config();
  size_t name = strcspn(config, " ");
  size_t size = name + (config[name] ? 1 + strcspn(config + name + 1, " ") : 0);
  return text_format(arena, "%.*s %s", (int)size, config, openblas_get_corename());
}
