// The kernel of products of bfloat16 with AVX512_BF16, compiled for it whatever the rest is
// compiled for: only used after gemm_has_bfloat16 has looked at the CPU.

#include "gemm_tile.h"

#ifdef PAIRS_COMPILE

#ifndef __clang__  // which gets here only if the whole program is compiled for it
#pragma GCC target("avx512bf16,avx512bw,avx512vl")
#endif

#include "gemm_pairs.h"

// sum += a's second of a pair times b's, then the same with the first.
VECTOR_INLINE Vector tile_step(Vector a, Vector b, Vector sum) {
  return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

VECTOR_INLINE HalfVector tile_half_step(HalfVector a, HalfVector b, HalfVector sum) {
  return (HalfVector)_mm256_dpbf16_ps((__m256)sum, (__m256bh)a, (__m256bh)b);
}

#include "gemm_accumulate.h"

bool gemm_has_bfloat16(void) { return __builtin_cpu_supports("avx512bf16"); }

// Rows whose numbers follow each other stay rows; else a step's pairs lie side by side.
static void pack_A(Tile* tile, Real* packed, int depth) {
  if (tile->a_step == 1) {
    int stride = packed_stride(tile->steps);
    pack_runs(packed, stride, tile->A, tile->a_row, tile->rows, depth);
    tile->a_row = stride;
  } else {
    pack_steps(packed, tile->A, tile->a_step, tile->rows, depth);
    tile->a_step = LANES;
  }
  tile->A = packed;
}

static void pack_B(Real* panels, const Part* part, int steps) { pack_panels(panels, part, steps); }

static void multiply(Real* sums, ptrdiff_t stride, const Tile* tile) {
  accumulate_tile(sums, stride, tile);
}

const GemmKernel gemm_bfloat16_avx512 = {
    .rows = TILE_ROWS, .pairs = 1, .pack_B = pack_B, .pack_A = pack_A, .multiply = multiply};

#else

bool gemm_has_bfloat16(void) { return false; }

const GemmKernel gemm_bfloat16_avx512 = {0};

#endif
