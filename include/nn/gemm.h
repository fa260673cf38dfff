// gemm.h - small dense matrix products, with what follows a product done while it is in cache.
//
// Row-major, no allocation. An element of C is one chain of fused multiply-adds in the order of k,
// whatever its place in the matrix, so that no row depends on its batch (in gemm_nn and gemm_nt
// with at most 4 columns in another order, the same for each row), nor anything on the number of
// threads. So in float32 results do not depend on the CPU either. A BLAS promises neither.
#ifndef NN_GEMM_H
#define NN_GEMM_H

#include <stdbool.h>

#include "base/real.h"
#include "base/team.h"

// How the operands of a product are rounded. Sums are float32 in both.
typedef enum {
  GEMM_FLOAT32,   // not at all (a double in the float64 build)
  GEMM_BFLOAT16,  // to 8 bits of mantissa; products of few rows or columns stay in float32
} GemmPrecision;

// What is done to each element x of a product before it is stored.
typedef enum {
  GEMM_PLAIN,           // x
  GEMM_BIAS,            // x + bias
  GEMM_RELU,            // max(x + bias, 0)
  GEMM_SWISH,           // z sigmoid(z), z = x + bias; slope (if wanted) = its derivative
  GEMM_TANH,            // tanh(x + bias)
  GEMM_RELU_BACKWARD,   // x if factor > 0, else 0
  GEMM_SWISH_BACKWARD,  // x factor
  GEMM_TANH_BACKWARD,   // x (1 - factor^2)
} GemmFinish;

// Longest sums (k) whose result may take the place of its epilogue's factor.
#define GEMM_IN_PLACE 2048

typedef struct {
  GemmPrecision precision;
  GemmFinish finish;
  const Real* bias;    // (n)                    used by the four with a bias
  Real* slope;         // (m, n)  out, or NULL   used by GEMM_SWISH; row stride as C
  const Real* factor;  // (m, n)                 used by the three _BACKWARD; row stride as C; may
                       //                        be C itself, for k up to GEMM_IN_PLACE
  Real* column_sums;   // (n)     out, or NULL   sums over the rows of what is stored
  Team* team;          // shares the product, where it is worth it; NULL: the caller alone
} GemmEpilogue;

// To be called once at start: a program that is not for this CPU ends here.
void gemm_init(void);

// Whether this program on this CPU can do products of bfloat16 (AVX512_BF16).
bool gemm_has_bfloat16(void);

// The kernel in use, e.g. "AVX-512+BF16 kernel". Products of bfloat16 depend on it, those of
// float32 do not.
const char* gemm_description(void);

// C = A B            C (m, n), A (m, k), B (k, n); ld* are row strides
void gemm_nn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n, int k);

// C = A B^T          A (m, k), B (n, k)
void gemm_nt(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n, int k);

// C = A^T B          A (k, m), B (k, n)
void gemm_tn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n, int k);

// The same with an epilogue; GEMM_BFLOAT16 needs gemm_has_bfloat16.
void gemm_nn_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k);
void gemm_nt_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k);
void gemm_tn_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k);

#endif  // NN_GEMM_H
