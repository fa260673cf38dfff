// gemm_accumulate.h - the loop of a tile, for both precisions: the file that includes it says what
// one step is, `VECTOR_INLINE Vector tile_step(Vector a, Vector b, Vector sum)`, and where a tile
// may end in half a vector (HALF_VECTORS) the same for one, `tile_half_step`.
#ifndef NN_GEMM_ACCUMULATE_H
#define NN_GEMM_ACCUMULATE_H

#include "gemm_column.h"
#include "gemm_tile.h"

// One product of a column of A with a row of B at each step. rows, vectors and the stride that is 1
// are constants where this is used: the loops over them vanish and `sum` lives in registers.
VECTOR_INLINE void accumulate(Real* sums, ptrdiff_t stride, const Tile* tile, const int rows,
                              const int vectors, ptrdiff_t a_row, ptrdiff_t a_step) {
  Column A = column_first(tile, rows, a_row);
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
      Vector a = vector_fill_from(column_at(A, rows, a_row, i));
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) {
        sum[i * vectors + v] = tile_step(a, b[v], sum[i * vectors + v]);
      }
    }
    column_next(&A, a_step);
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

#if HALF_VECTORS

// The same for half a vector, which costs half as much.
VECTOR_INLINE void accumulate_half(Real* sums, ptrdiff_t stride, const Tile* tile, const int rows,
                                   ptrdiff_t a_row, ptrdiff_t a_step) {
  Column A = column_first(tile, rows, a_row);
  const Real* B = tile->B;
  HalfVector sum[TILE_ROWS];
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++) {
    sum[i] = tile->add ? half_load(sums + i * stride) : (HalfVector){0};
  }
  for (int l = 0; l < tile->steps; l++) {
    HalfVector b = half_load(B);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
      sum[i] = tile_half_step(half_fill_from(column_at(A, rows, a_row, i)), b, sum[i]);
    }
    column_next(&A, a_step);
    B += tile->b_step;
  }
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++) {
    half_store(sums + i * stride, sum[i]);
  }
}

#endif

// As many whole vectors as the tile's columns need, and half of one if that is enough for the rest.
VECTOR_INLINE void accumulate_columns(Real* sums, ptrdiff_t stride, const Tile* tile,
                                      const int rows, ptrdiff_t a_row, ptrdiff_t a_step) {
  int whole = (tile->columns + LANES - 1) / LANES;
#if HALF_VECTORS
  int rest = tile->columns % LANES;
  if (rest > 0 && rest <= LANES / 2) {
    whole--;
    Tile right = *tile;
    right.B += whole * LANES;
    accumulate_half(sums + whole * LANES, stride, &right, rows, a_row, a_step);
  }
#endif
  if (whole == 2) {
    accumulate(sums, stride, tile, rows, 2, a_row, a_step);
  } else if (whole == 1) {
    accumulate(sums, stride, tile, rows, 1, a_row, a_step);
  }
}

// Both ways that A may lie.
VECTOR_INLINE void accumulate_rows(Real* sums, ptrdiff_t stride, const Tile* tile, const int rows) {
  if (tile->a_step == 1) {
    accumulate_columns(sums, stride, tile, rows, tile->a_row, 1);
  } else {
    accumulate_columns(sums, stride, tile, rows, 1, tile->a_step);
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
