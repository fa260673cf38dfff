#include "base/vector_math.h"
#include "gemm_tile.h"

// Where one vector of a tile's row stands, and what belongs to it.
typedef struct {
  Vector bias;
  Real* slope;         // or NULL
  const Real* factor;  // or NULL
  int count;           // valid lanes, or more
} Place;

// One vector of a row. `finish` is a constant where this is used.
VECTOR_INLINE Vector finish_vector(const GemmFinish finish, Vector x, const Place* at) {
  Vector z = x + at->bias;
  Vector sigmoid, out, factor;
  switch (finish) {
    case GEMM_PLAIN:
      return x;
    case GEMM_BIAS:
      return z;
    case GEMM_RELU:
      return vector_max(z, (Vector){0});
    case GEMM_TANH:
      return vector_tanh(z);
    case GEMM_SWISH:
      sigmoid = vector_sigmoid(z);
      out = z * sigmoid;
      if (at->slope) {
        vector_store_some(at->slope, vector_fma(out, 1 - sigmoid, sigmoid), at->count);
      }
      return out;
    case GEMM_RELU_BACKWARD:
      factor = vector_load_some(at->factor, at->count);
      return (Vector)((factor > 0) & (VectorBits)x);
    case GEMM_SWISH_BACKWARD:
      return x * vector_load_some(at->factor, at->count);
    case GEMM_TANH_BACKWARD:
      factor = vector_load_some(at->factor, at->count);
      return x * (1 - factor * factor);
  }
  return x;
}

// One column of vectors, all rows.
VECTOR_INLINE void finish_column(const GemmFinish finish, const GemmEpilogue* epilogue, Real* C,
                                 int ldc, const Real* sums, int rows, int first, int count) {
  Place at = {.count = count};
  if (epilogue->bias) {
    at.bias = vector_load_some(epilogue->bias + first, count);
  }
  Vector column_sum = {0};
  if (epilogue->column_sums) {
    column_sum = vector_load_some(epilogue->column_sums + first, count);
  }
  for (int i = 0; i < rows; i++) {
    ptrdiff_t offset = (ptrdiff_t)i * ldc + first;
    at.slope = epilogue->slope ? epilogue->slope + offset : NULL;
    at.factor = epilogue->factor ? epilogue->factor + offset : NULL;
    Vector x = vector_load_some(sums + i * TILE_COLUMNS + first, count);
    Vector out = finish_vector(finish, x, &at);
    vector_store_some(C + offset, out, count);
    column_sum += out;
  }
  if (epilogue->column_sums) {
    vector_store_some(epilogue->column_sums + first, column_sum, count);
  }
}

VECTOR_INLINE void finish_tile(const GemmFinish finish, const GemmEpilogue* epilogue, Real* C,
                               int ldc, const Real* sums, int rows, int columns) {
  int first = 0;
  for (; columns - first >= LANES; first += LANES) {
    finish_column(finish, epilogue, C, ldc, sums, rows, first, LANES);
  }
  if (first < columns) {
    finish_column(finish, epilogue, C, ldc, sums, rows, first, columns - first);
  }
}

#define CASE_OF_FINISH(name) \
  case name: \
    finish_tile(name, epilogue, C, ldc, sums, rows, columns); \
    break;

void gemm_finish_tile(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* sums, int rows,
                      int columns) {
  switch (epilogue->finish) {
    CASE_OF_FINISH(GEMM_PLAIN)
    CASE_OF_FINISH(GEMM_BIAS)
    CASE_OF_FINISH(GEMM_RELU)
    CASE_OF_FINISH(GEMM_SWISH)
    CASE_OF_FINISH(GEMM_TANH)
    CASE_OF_FINISH(GEMM_RELU_BACKWARD)
    CASE_OF_FINISH(GEMM_SWISH_BACKWARD)
    CASE_OF_FINISH(GEMM_TANH_BACKWARD)
  }
}
