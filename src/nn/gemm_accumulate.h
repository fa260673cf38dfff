// gemm_accumulate.h - the loop of a tile, for both precisions: the file that includes it says what
// one step is, `VECTOR_INLINE Vector tile_step(Vector a, Vector b, Vector sum)`.
#ifndef NN_GEMM_ACCUMULATE_H
#define NN_GEMM_ACCUMULATE_H

#include "gemm_tile.h"

// One product of a column of A with a row of B at each step. rows, vectors and the stride that is 1
// are constants where this is used: the loops over them vanish and `sum` lives in registers.
VECTOR_INLINE void accumulate(Real* sums, ptrdiff_t stride, const Tile* tile, const int rows,
                              const int vectors, ptrdiff_t a_row, ptrdiff_t a_step) {
  const Real* A = tile->A;
  const Real* B = tile->B;
  Vector sum[TILE_ROWS * TILE_VECTORS];
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      sum[i * vectors + v] = (Vector){0};
      if (tile->add) {
        sum[i * vectors + v] = vector_load(sums + i * stride + v * LANES);
      }
    }
  }
  for (int l = 0; l < tile->steps; l++) {
    Vector b[TILE_VECTORS];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      b[v] = vector_load(B + v * LANES);
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
      Vector a = vector_fill_from(A + i * a_row);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) {
        sum[i * vectors + v] = tile_step(a, b[v], sum[i * vectors + v]);
      }
    }
    A += a_step;
    B += tile->b_step;
  }
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      vector_store(sums + i * stride + v * LANES, sum[i * vectors + v]);
    }
  }
}

// Both ways that A may lie, both widths.
VECTOR_INLINE void accumulate_rows(Real* sums, ptrdiff_t stride, const Tile* tile, const int rows) {
  bool wide = tile->columns > LANES;
  if (tile->a_step == 1 && wide) {
    accumulate(sums, stride, tile, rows, 2, tile->a_row, 1);
  } else if (tile->a_step == 1) {
    accumulate(sums, stride, tile, rows, 1, tile->a_row, 1);
  } else if (wide) {
    accumulate(sums, stride, tile, rows, 2, 1, tile->a_step);
  } else {
    accumulate(sums, stride, tile, rows, 1, 1, tile->a_step);
  }
}

#define CASE_OF_ROWS(count) \
  case count: \
    accumulate_rows(sums, stride, tile, count); \
    break;

// sums (rows, columns) = or += A B, as gemm_tile says.
VECTOR_INLINE void accumulate_tile(Real* sums, ptrdiff_t stride, const Tile* tile) {
  switch (tile->rows) {
    CASE_OF_ROWS(1)
    CASE_OF_ROWS(2)
    CASE_OF_ROWS(3)
    CASE_OF_ROWS(4)
    CASE_OF_ROWS(5)
    CASE_OF_ROWS(6)
#if TILE_ROWS > 6
    CASE_OF_ROWS(7)
    CASE_OF_ROWS(8)
    CASE_OF_ROWS(9)
    CASE_OF_ROWS(10)
    CASE_OF_ROWS(11)
    CASE_OF_ROWS(12)
    CASE_OF_ROWS(13)
    CASE_OF_ROWS(14)
#endif
  }
}

#endif  // NN_GEMM_ACCUMULATE_H
