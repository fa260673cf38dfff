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

#define PACK_AHEAD 16  // rows of B that are asked for before they are copied

// A panel from rows of B, of which `count` columns are there.
VECTOR_INLINE void pack_panel_rows(Real* panel, const Real* B, ptrdiff_t b_step, int count,
                                   int depth, int steps) {
  for (int s = 0; s < steps; s++) {
    for (int v = 0; v < TILE_COLUMNS; v += LANES) {
      __builtin_prefetch(B + (2 * s + PACK_AHEAD) * b_step + v);
      __builtin_prefetch(B + (2 * s + PACK_AHEAD + 1) * b_step + v);
      int left = count > v ? count - v : 0;
      vector_store(panel + s * TILE_COLUMNS + v, round_steps(B + v, b_step, left, 2 * s, depth));
    }
  }
}

// LANES columns of a panel, of which `count` are there, from columns of B contiguous in k.
VECTOR_INLINE void pack_panel_columns(Real* panel, const Real* B, ptrdiff_t b_column, int count,
                                      int depth, int steps) {
  for (int s = 0; s < steps; s += LANES) {
    Vector square[VECTOR_BYTES / sizeof(Real)];
#pragma GCC unroll 16
    for (int j = 0; j < LANES; j++) {
      __builtin_prefetch(B + (j + LANES) * b_column + 2 * s);
      __builtin_prefetch(B + (j + LANES) * b_column + 2 * s + LANES);
      square[j] =
          j < count ? round_run(B + j * b_column + 2 * s, depth - 2 * s) : (Vector){0};
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
  for (int j = 0; j < part->columns; j += TILE_COLUMNS) {
    Real* panel = panels + j * steps;
    if (part->b_column == 1) {
      pack_panel_rows(panel, part->B + j, part->b_step, part->columns - j, part->depth, steps);
      continue;
    }
    for (int v = 0; v < TILE_COLUMNS; v += LANES) {
      pack_panel_columns(panel + v, part->B + (j + v) * part->b_column, part->b_column,
                         part->columns - j - v, part->depth, steps);
    }
  }
}

#endif  // NN_GEMM_PAIRS_H
