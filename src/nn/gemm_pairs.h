// gemm_pairs.h - packing of operands as pairs: two numbers that follow each other in k, rounded to
// bfloat16, in the place of one Real. For the kernels of AVX512_BF16 and AMX; what is beyond an
// operand's end is 0.
#ifndef NN_GEMM_PAIRS_H
#define NN_GEMM_PAIRS_H

#include "base/vector_lanes.h"
#include "gemm_tile.h"

// 2 LANES numbers that follow each other in k: LANES pairs.
VECTOR_INLINE Vector round_run(const Real* from, int count) {
  Vector first = vector_load_some(from, count > 0 ? count : 0);
  Vector second = vector_load_some(from + LANES, count > LANES ? count - LANES : 0);
  return (Vector)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

// LANES pairs of two numbers in the same lane.
VECTOR_INLINE Vector round_lanes(Vector first, Vector second) {
  __m512i halves = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
  __m512i lanes = (__m512i)vector_lanes();  // one from each half in turn
  __m512i turns = _mm512_or_epi32(
      lanes, _mm512_slli_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(LANES)), 16));
  return (Vector)_mm512_permutexvar_epi16(turns, halves);
}

// The pairs of steps l and l + 1 of `count` columns; the last step may be alone.
VECTOR_INLINE Vector round_steps(const Real* from, ptrdiff_t step, int count, int l, int depth) {
  Vector first = l < depth ? vector_load_some(from + l * step, count) : (Vector){0};
  Vector second = l + 1 < depth ? vector_load_some(from + (l + 1) * step, count) : (Vector){0};
  return round_lanes(first, second);
}

// Between packed rows of so many steps: whole vectors.
VECTOR_INLINE int packed_stride(int steps) { return (steps + LANES - 1) / LANES * LANES; }

// packed (rows, stride): rows of A that are contiguous in k.
VECTOR_INLINE void pack_runs(Real* packed, int stride, const Real* A, ptrdiff_t a_row, int rows,
                             int depth) {
  for (int i = 0; i < rows; i++) {
    for (int l = 0; l < depth; l += 2 * LANES) {
      vector_store(packed + i * stride + l / 2, round_run(A + i * a_row + l, depth - l));
    }
  }
}

// packed (steps, LANES): at most LANES rows of A whose steps are a_step apart.
VECTOR_INLINE void pack_steps(Real* packed, const Real* A, ptrdiff_t a_step, int rows, int depth) {
  for (int l = 0; l < depth; l += 2) {
    vector_store(packed + l / 2 * LANES, round_steps(A, a_step, rows, l, depth));
  }
}

// Panels from rows of B, two rows a step, so that B is read in order.
VECTOR_INLINE void pack_panel_rows(Real* panels, const Part* part, int steps) {
  for (int s = 0; s < steps; s++) {
    const Real* from = part->B + 2 * s * part->b_step;
    const Real* ahead = from + PACK_AHEAD * part->b_step;
    int rows = part->depth - 2 * s;
    for (int j = 0; j < part->columns; j += LANES) {
      __builtin_prefetch(ahead + j);
      __builtin_prefetch(ahead + part->b_step + j);
      Real* to = panels + j / TILE_COLUMNS * TILE_COLUMNS * steps + s * TILE_COLUMNS;
      vector_store(to + j % TILE_COLUMNS,
                   round_steps(from + j, part->b_step, part->columns - j, 0, rows));
    }
  }
}

// LANES columns of a panel, of which `count` are there, from columns of B contiguous in k.
VECTOR_INLINE void pack_panel_columns(Real* panel, const Real* B, ptrdiff_t b_column, int count,
                                      int depth, int steps) {
  for (int s = 0; s < steps; s += LANES) {
    Vector square[VECTOR_BYTES / sizeof(Real)];
    const Real* from = B + 2 * s;
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++) {
      __builtin_prefetch(from + LANES * b_column);
      __builtin_prefetch(from + LANES * b_column + LANES);
      square[j] = j < count ? round_run(from, depth - 2 * s) : (Vector){0};
      from += b_column;
    }
    vector_transpose(square);
#pragma GCC unroll 16
    for (int p = 0; p < LANES; p++) {
      if (s + p < steps) {
        vector_store(panel + (s + p) * TILE_COLUMNS, square[p]);
      }
    }
  }
}

VECTOR_INLINE void pack_panels(Real* panels, const Part* part, int steps) {
  if (part->b_column == 1) {
    pack_panel_rows(panels, part, steps);
    return;
  }
  for (int j = 0; j < part->columns; j += LANES) {
    // the panel that column j is in, and its column there
    Real* panel = panels + j / TILE_COLUMNS * TILE_COLUMNS * steps + j % TILE_COLUMNS;
    pack_panel_columns(panel, part->B + j * part->b_column, part->b_column, part->columns - j,
                       part->depth, steps);
  }
}

#endif  // NN_GEMM_PAIRS_H
