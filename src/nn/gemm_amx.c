// gemm_amx.c - the kernel of products of bfloat16 with AMX, the tile registers of newer Xeons.
//
// A tile is 32 x 32 sums in four of the CPU's eight tile registers, so that a multiplication need
// not wait for the one before it and each operand is used twice; the other four hold rows of A and
// columns of B, rounded and packed in pairs that follow each other in k.
//
// The file is compiled for AMX whatever the rest is compiled for, and is only used after
// gemm_has_amx, which trusts nothing: the CPU must have the instructions, Linux must grant the
// registers, and a product of small whole numbers must come out exactly: only that shows that what
// is announced works.
#include "gemm_tile.h"

#if defined(PAIRS_COMPILE) && (defined(__AMX_BF16__) || !defined(__clang__))

#pragma GCC target("amx-tile,amx-bf16,avx512bf16,avx512bw,avx512vl")

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gemm_pairs.h"

#define ROWS 16    // of a tile register, 64 bytes each: 16 sums, or 16 pairs
#define PAIRS 16   // steps of one multiplication
#define REGISTERS 8
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

// Registers 0 to 3: sums, two in a row; 4, 5: rows of A; 6, 7: columns of B. A constant, because
// GCC's _tile_loadconfig says that it reads 8 bytes: of a local variable no more would be stored.
static const TileConfig registers = {.palette = 1,
                                     .row_bytes = {[0 ... REGISTERS - 1] = ROW_BYTES},
                                     .rows = {[0 ... REGISTERS - 1] = ROWS}};

static void begin(void) { _tile_loadconfig(&registers); }

static void end(void) { _tile_release(); }

// ROWS rows of A, or what is left of them, from columns: as rows of pairs.
static void pack_columns_of_A(Real* packed, int stride, const Tile* tile, int first, int depth) {
  int rows = tile->rows - first < ROWS ? tile->rows - first : ROWS;
  for (int l = 0; l < depth; l += 2 * PAIRS) {
    Vector square[VECTOR_BYTES / sizeof(Real)];
#pragma GCC unroll 16
    for (int p = 0; p < PAIRS; p++) {
      square[p] = round_steps(tile->A + first, tile->a_step, rows, l + 2 * p, depth);
    }
    vector_transpose(square);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      vector_store(packed + (first + i) * stride + l / 2, square[i]);
    }
  }
}

// Rows of A as rows of pairs, zero up to whole multiplications.
static void pack_A(Tile* tile, Real* packed, int depth) {
  int stride = packed_stride(tile->steps);
  if (tile->a_step == 1) {
    pack_runs(packed, stride, tile->A, tile->a_row, tile->rows, depth);
  } else {
    for (int first = 0; first < tile->rows; first += ROWS) {
      pack_columns_of_A(packed, stride, tile, first, depth);
    }
  }
  tile->A = packed;
  tile->a_row = stride;
  tile->a_step = 1;
}

static void pack_B(Real* panels, const Part* part, int steps) { pack_panels(panels, part, steps); }

// Both columns of registers (the tile is wide) and both rows of them (it is high), or only one.
VECTOR_INLINE void multiply_registers(Real* sums, size_t stride, const Tile* tile, const bool high,
                                      const bool wide) {
  const size_t sum_bytes = stride * sizeof(Real);
  const size_t a_bytes = (size_t)tile->a_row * sizeof(Real);
  const size_t b_bytes = (size_t)tile->b_step * sizeof(Real);
  Real* lower = sums + ROWS * stride;
  __asm__ volatile("" ::: "memory");  // GCC's _tile_loadd does not say that it reads memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (tile->add) {
    _tile_loadd(0, sums, sum_bytes);
    _tile_loadd(1, sums + LANES, sum_bytes);
    _tile_loadd(2, lower, sum_bytes);
    _tile_loadd(3, lower + LANES, sum_bytes);
  }
  for (int s = 0; s < tile->steps; s += PAIRS) {
    const Real* B = tile->B + s * tile->b_step;
    _tile_loadd(4, tile->A + s, a_bytes);
    _tile_loadd(6, B, b_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if (wide) {
      _tile_loadd(7, B + LANES, b_bytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (high) {
      _tile_loadd(5, tile->A + ROWS * tile->a_row + s, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
    }
    if (high && wide) {
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, sum_bytes);
  _tile_stored(1, sums + LANES, sum_bytes);
  _tile_stored(2, lower, sum_bytes);
  _tile_stored(3, lower + LANES, sum_bytes);
}

static void multiply(Real* sums, ptrdiff_t stride, const Tile* tile) {
  bool high = tile->rows > ROWS, wide = tile->columns > LANES;
  if (high && wide) {
    multiply_registers(sums, (size_t)stride, tile, true, true);
  } else if (high) {
    multiply_registers(sums, (size_t)stride, tile, true, false);
  } else if (wide) {
    multiply_registers(sums, (size_t)stride, tile, false, true);
  } else {
    multiply_registers(sums, (size_t)stride, tile, false, false);
  }
}

// All rows of the sums are loaded and stored: they are never those of C itself.
const GemmKernel gemm_bfloat16_amx = {.rows = 2 * ROWS, .pairs = PAIRS, .begin = begin, .end = end,
                                      .pack_B = pack_B, .pack_A = pack_A, .multiply = multiply};

// Small whole numbers, of which every sum is exact: what the tiles give must be equal.
static bool tiles_are_right(void) {
  enum { DEPTH = 40, HEIGHT = 2 * ROWS };
  Real A[HEIGHT * DEPTH], B[DEPTH * TILE_COLUMNS], sums[HEIGHT * TILE_COLUMNS];
  Real packed[HEIGHT * DEPTH], panel[DEPTH * TILE_COLUMNS];
  for (int i = 0; i < HEIGHT * DEPTH; i++) {
    A[i] = (Real)(i * 7 % 23 - 11);
  }
  for (int i = 0; i < DEPTH * TILE_COLUMNS; i++) {
    B[i] = (Real)(i * 5 % 19 - 9);
  }
  Part part = {.B = B, .b_column = 1, .b_step = TILE_COLUMNS, .columns = TILE_COLUMNS,
               .depth = DEPTH};
  Tile tile = {.rows = HEIGHT, .columns = TILE_COLUMNS, .steps = 2 * PAIRS, .A = A, .a_row = DEPTH,
               .a_step = 1, .B = panel, .b_step = TILE_COLUMNS};
  begin();
  pack_B(panel, &part, tile.steps);
  pack_A(&tile, packed, DEPTH);
  multiply(sums, TILE_COLUMNS, &tile);
  end();
  bool right = true;
  for (int i = 0; i < HEIGHT * TILE_COLUMNS; i++) {
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
