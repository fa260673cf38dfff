// gemm_tile.h - the two inner pieces of a product: a tile of multiply-adds, and its epilogue.
//
// A tile is TILE_ROWS x TILE_COLUMNS elements of C: as many accumulators as the CPU's registers
// hold beside two vectors of B and one element of A.
#ifndef NN_GEMM_TILE_H
#define NN_GEMM_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vector.h"
#include "nn/gemm.h"

#if defined(__AVX512F__)
#define TILE_ROWS 14  // 32 registers
#else
#define TILE_ROWS 6  // 16 registers
#endif
#define TILE_VECTORS 2
#define TILE_COLUMNS (TILE_VECTORS * LANES)

// A tile's place in a product.
typedef struct {
  int rows;
  int columns;  // at most TILE_COLUMNS; elements beyond them are computed, never stored
  int k;
  bool add;       // to the sums that are there; else from 0
  const Real* A;  // element (i, l) is A[i * a_row + l * a_step]; one of the two strides is 1
  ptrdiff_t a_row;
  ptrdiff_t a_step;
  const Real* B;  // element (l, j) is B[l * b_step + j]; readable up to whole vectors
  ptrdiff_t b_step;
} Tile;

// sums (rows, TILE_COLUMNS), `stride` apart, = or += A B. The second vector of each row is left
// untouched if `columns` needs only the first.
void gemm_tile(Real* sums, ptrdiff_t stride, const Tile* tile);

// C (rows, columns) = epilogue of sums; the pointers of `epilogue` are those of the tile's corner.
// Column sums are added to those that are there.
void gemm_finish_tile(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* sums, int rows,
                      int columns);

#endif  // NN_GEMM_TILE_H
