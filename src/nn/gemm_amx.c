// The kernel of products of bfloat16 with AMX: a tile is 16 x 32 sums in two of the CPU's tile
// registers. Compiled for AMX whatever the rest is compiled for: only used after gemm_has_amx.

#include "gemm_tile.h"

#if defined(PAIRS_COMPILE) && (defined(__AMX_BF16__) || !defined(__clang__))

#pragma GCC target("amx-tile,amx-bf16,avx512bf16,avx512bw,avx512vl")

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gemm_pairs.h"

#define ROWS 16    // of a tile register, 64 bytes each: 16 sums, or 16 pairs
#define PAIRS 16   // steps of one multiplication
#define ROW_BYTES 64

// Layout of the tile registers, as LDTILECFG wants it.
typedef struct {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} TileConfig;

// arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA): Linux gives the 8 KiB of tile registers only
// to programs that ask.
static bool ask_for_tiles(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

// Registers 0, 1: sums; 2: rows of A; 3, 4: columns of B.
static void begin(void) {
  TileConfig config = {.palette = 1};
  for (int i = 0; i < 5; i++) {
    config.rows[i] = ROWS;
    config.row_bytes[i] = ROW_BYTES;
  }
  _tile_loadconfig(&config);
}

static void end(void) { _tile_release(); }

// Rows of A as rows of pairs, zero up to whole multiplications.
static void pack_A(Tile* tile, Real* packed, int depth) {
  if (tile->a_step == 1) {
    pack_runs(packed, TILE_DEPTH / 2, tile->A, tile->a_row, tile->rows, depth);
  } else {
    for (int l = 0; l < depth; l += 2 * PAIRS) {
      Vector square[VECTOR_BYTES / sizeof(Real)];
#pragma GCC unroll 16
      for (int p = 0; p < PAIRS; p++) {
        square[p] = round_steps(tile->A, tile->a_step, tile->rows, l + 2 * p, depth);
      }
      vector_transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < ROWS; i++) {
        vector_store(packed + i * (TILE_DEPTH / 2) + l / 2, square[i]);
      }
    }
  }
  tile->A = packed;
  tile->a_row = TILE_DEPTH / 2;
  tile->a_step = 1;
}

static void pack_B(Real* panels, const Part* part, int steps) { pack_panels(panels, part, steps); }

static void multiply(Real* sums, ptrdiff_t stride, const Tile* tile) {
  const size_t sum_bytes = (size_t)stride * sizeof(Real);
  const size_t a_bytes = (size_t)tile->a_row * sizeof(Real);
  const size_t b_bytes = (size_t)tile->b_step * sizeof(Real);
  bool wide = tile->columns > LANES;
  if (tile->add) {
    _tile_loadd(0, sums, sum_bytes);
    _tile_loadd(1, sums + LANES, sum_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
  }
  for (int s = 0; s < tile->steps; s += PAIRS) {
    const Real* B = tile->B + s * tile->b_step;
    _tile_loadd(2, tile->A + s, a_bytes);
    _tile_loadd(3, B, b_bytes);
    _tile_dpbf16ps(0, 2, 3);
    if (wide) {
      _tile_loadd(4, B + LANES, b_bytes);
      _tile_dpbf16ps(1, 2, 4);
    }
  }
  _tile_stored(0, sums, sum_bytes);
  _tile_stored(1, sums + LANES, sum_bytes);
}

// All ROWS rows of the sums are loaded and stored: they are never those of C itself.
const GemmKernel gemm_bfloat16_amx = {.rows = ROWS, .pairs = PAIRS, .begin = begin, .end = end,
                                      .pack_B = pack_B, .pack_A = pack_A, .multiply = multiply};

// Small whole numbers, of which every sum is exact: what the tiles give must be equal.
static bool tiles_are_right(void) {
  enum { DEPTH = 40 };
  Real A[ROWS * DEPTH], B[DEPTH * TILE_COLUMNS], sums[ROWS * TILE_COLUMNS];
  Real packed[TILE_MAX_ROWS * TILE_DEPTH / 2], panel[DEPTH * TILE_COLUMNS];
  for (int i = 0; i < ROWS * DEPTH; i++) {
    A[i] = (Real)(i * 7 % 23 - 11);
  }
  for (int i = 0; i < DEPTH * TILE_COLUMNS; i++) {
    B[i] = (Real)(i * 5 % 19 - 9);
  }
  Part part = {.B = B, .b_column = 1, .b_step = TILE_COLUMNS, .columns = TILE_COLUMNS,
               .depth = DEPTH};
  Tile tile = {.rows = ROWS, .columns = TILE_COLUMNS, .steps = 2 * PAIRS, .A = A, .a_row = DEPTH,
               .a_step = 1, .B = panel, .b_step = TILE_COLUMNS};
  begin();
  pack_B(panel, &part, tile.steps);
  pack_A(&tile, packed, DEPTH);
  multiply(sums, TILE_COLUMNS, &tile);
  end();
  bool right = true;
  for (int i = 0; i < ROWS * TILE_COLUMNS; i++) {
    Real sum = 0;
    for (int l = 0; l < DEPTH; l++) {
      sum += A[i / TILE_COLUMNS * DEPTH + l] * B[l * TILE_COLUMNS + i % TILE_COLUMNS];
    }
    right &= sums[i] == sum;
  }
  return right;
}

// CPUID, leaf 7: AMX-BF16 and AMX-TILE.
static bool cpu_has_tiles(void) {
  const unsigned bits = 1u << 22 | 1u << 24;
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bits) == bits;
}

bool gemm_has_amx(void) {
  static int has = -1;
  if (has < 0) {
    has = gemm_has_bfloat16() && cpu_has_tiles() && ask_for_tiles() && tiles_are_right();
  }
  return has;
}

#else

bool gemm_has_amx(void) { return false; }

const GemmKernel gemm_bfloat16_amx = {0};

#endif
