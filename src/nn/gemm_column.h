// gemm_column.h - the numbers of A that a tile multiplies at one step, one from each of its rows.
//
// They are found from two pointers: with a single one, the distances of up to 14 rows take more
// registers than the CPU has, and the loop of a tile would fetch some of them from memory.
#ifndef NN_GEMM_COLUMN_H
#define NN_GEMM_COLUMN_H

#include "gemm_tile.h"

typedef struct {
  const Real* upper;  // of row 0
  const Real* lower;  // of row rows / 2
} Column;

// The first column. rows, a_row and a_step are constants where these are used, or as good as.
VECTOR_INLINE Column column_first(const Tile* tile, const int rows, ptrdiff_t a_row) {
  Column column = {.upper = tile->A, .lower = tile->A + rows / 2 * a_row};
  __asm__("" : "+r"(column.lower));  // lest the compiler should make one pointer of them
  return column;
}

VECTOR_INLINE const Real* column_at(Column column, const int rows, ptrdiff_t a_row, int i) {
  return i < rows / 2 ? column.upper + i * a_row : column.lower + (i - rows / 2) * a_row;
}

VECTOR_INLINE void column_next(Column* column, ptrdiff_t a_step) {
  column->upper += a_step;
  column->lower += a_step;
}

#endif  // NN_GEMM_COLUMN_H
