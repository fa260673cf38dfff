// The kernel of unrounded products: fused multiply-adds of vectors of B with elements of A.

#include "base/vector_lanes.h"
#include "gemm_tile.h"

VECTOR_INLINE Vector tile_step(Vector a, Vector b, Vector sum) { return vector_fma(a, b, sum); }

#if HALF_VECTORS
VECTOR_INLINE HalfVector tile_half_step(HalfVector a, HalfVector b, HalfVector sum) {
  return half_fma(a, b, sum);
}
#endif

#include "gemm_accumulate.h"

// One row of a panel; `left` columns are there, the others become 0.
static inline void pack_row(Real* to, const Real* from, const Real* ahead, int left) {
  for (int v = 0; v < TILE_COLUMNS; v += LANES) {
    __builtin_prefetch(ahead + v);
    vector_store(to + v, left > v ? vector_load_some(from + v, left - v) : (Vector){0});
  }
}

static void pack_rows(Real* panels, const Part* part) {
  const Real* from = part->B;
  for (int l = 0; l < part->depth; l++) {
    const Real* ahead = from + PACK_AHEAD * part->b_step;
    for (int j = 0; j < part->columns; j += TILE_COLUMNS) {
      pack_row(panels + j * part->depth + l * TILE_COLUMNS, from + j, ahead + j,
               part->columns - j);
    }
    from += part->b_step;
  }
}

// LANES rows of a panel from LANES columns of B, `step` apart; those beyond `columns` become 0.
// `left`: how many of the rows there are.
static void pack_square(Real* panel, const Real* from, ptrdiff_t step, int columns, int left) {
  Vector square[VECTOR_BYTES / sizeof(Real)];
#pragma GCC unroll 16
  for (int j = 0; j < LANES; j++) {
    __builtin_prefetch(from + (j + 2 * LANES) * step);
    square[j] = j < columns ? vector_load_some(from + j * step, left) : (Vector){0};
  }
  vector_transpose(square);
#pragma GCC unroll 16
  for (int l = 0; l < LANES; l++) {
    if (l < left) {
      vector_store(panel + l * TILE_COLUMNS, square[l]);
    }
  }
}

// The same for B^T, whose columns are contiguous.
static void pack_columns(Real* panels, const Part* part) {
  const Real* from = part->B;
  for (int j = 0; j < part->columns; j += LANES) {
    // the panel that column j is in, and its column there
    Real* to = panels + j / TILE_COLUMNS * TILE_COLUMNS * part->depth + j % TILE_COLUMNS;
    for (int l = 0; l < part->depth; l += LANES) {
      pack_square(to + l * TILE_COLUMNS, from + l, part->b_column, part->columns - j,
                  part->depth - l);
    }
    from += LANES * part->b_column;
  }
}

static void pack_B(Real* panels, const Part* part, int steps) {
  (void)steps;
  (part->b_column == 1 ? pack_rows : pack_columns)(panels, part);
}

static void multiply(Real* sums, ptrdiff_t stride, const Tile* tile) {
  accumulate_tile(sums, stride, tile);
}

const GemmKernel gemm_float32 = {.rows = TILE_ROWS, .pack_B = pack_B, .multiply = multiply};
