// gemm.c - the loops around the kernels: which part of a product is calculated when, and from
// where.
//
// A block of B is copied into panels as wide as a tile, which stay in the second-level cache; then
// the rows of A pass over it tile by tile, so that A is read and C is written once, in order. A
// tile's sums go through a small buffer to its epilogue. What is needed next is prefetched:
// operands of this size come from the third-level cache, and waiting for them would cost a tenth of
// the time.
//
// A block is as deep as k (up to GEMM_IN_PLACE), so that nothing but results is ever stored in C,
// which may be the epilogue's factor. Only the long sums of A^T B (k is the batch there) wait in C
// between two blocks; that B has been written just before, and is used where it is. C = A^T B with
// few columns (the weight gradients of last layers) would waste most of a tile's lanes: there C^T =
// B^T A is calculated, which has the same sums.

#include "nn/gemm.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/vector_lanes.h"
#include "gemm_tile.h"

#define BLOCK (TILE_MOST_DEPTH * TILE_COLUMNS)  // numbers in a block of B, 256 KiB
#define FEW_ROWS TILE_ROWS  // up to so many rows of A a copy of B does not pay
#define FEW_COLUMNS 4       // so few columns of C would waste most of a tile's lanes
#define NARROW_COLUMNS 16   // up to so many columns of A^T B, its transpose is faster
#define NARROW_STRIP 256    // of its rows at a time
#define LINE 16             // about a cache line, in numbers
#define LEAST_SHARED (1 << 18)  // steps of a product; with less, to share costs more than it saves

// Depth of a block of A^T B. A tile takes a piece of a cache line or two from each row of A and B.
// With 6 rows a tile they have to come from the nearest cache, so they must fit into it.
#ifdef VECTOR_AVX512
#define SUM_DEPTH 256
#else
#define SUM_DEPTH 128
#endif

typedef struct {
  const GemmEpilogue* epilogue;
  const GemmKernel* kernel;
  Real* C;
  int ldc;
  const Real* A;
  ptrdiff_t a_row;
  ptrdiff_t a_step;
  const Real* B;
  ptrdiff_t b_column;  // element (l, j) of B is B[l * b_step + j * b_column]
  ptrdiff_t b_step;
  int m;
  int n;
  int k;
  bool thin;  // see multiply_thin
} Product;

static const GemmEpilogue plain = {.precision = GEMM_FLOAT32, .finish = GEMM_PLAIN};

// Few rows do not pay for rounding B, few columns or steps not for rounding A.
static const GemmKernel* choose_kernel(const Product* product) {
  bool rounded = product->epilogue->precision == GEMM_BFLOAT16 && product->m > FEW_ROWS &&
                 product->n > FEW_COLUMNS && product->k > FEW_COLUMNS;
  if (!rounded) {
    return &gemm_float32;
  }
  CHECK(gemm_has_bfloat16(), "gemm: no products of bfloat16 on this CPU or in this build");
  return gemm_has_amx() ? &gemm_bfloat16_amx : &gemm_bfloat16_avx512;
}

// A product at once: an instruction that this CPU lacks shows before anything is written.
void gemm_init(void) {
  Real x[LINE * LINE] = {0}, product[LINE * LINE];
  gemm_nn(product, LINE, x, LINE, x, LINE, LINE, LINE, LINE);
}

#if defined(VECTOR_AVX512)
#define INSTRUCTIONS "AVX-512"
#elif VECTOR_BYTES == 32 && defined(__FMA__)
#define INSTRUCTIONS "AVX2"
#else
#define INSTRUCTIONS "generic"
#endif

const char* gemm_description(void) {
  return gemm_has_amx()         ? INSTRUCTIONS "+AMX kernel"
         : gemm_has_bfloat16() ? INSTRUCTIONS "+BF16 kernel"
                                : INSTRUCTIONS " kernel";
}

static int least(int a, int b) { return a < b ? a : b; }

// Where a block of B starts, and its size.
typedef struct {
  int first_k;
  int depth;
  int steps;  // of a tile's loop
  int first;  // column
  int columns;
} Block;

// The epilogue at element (i, j).
static GemmEpilogue epilogue_at(const GemmEpilogue* epilogue, int ldc, int i, int j) {
  GemmEpilogue at = *epilogue;
  ptrdiff_t offset = (ptrdiff_t)i * ldc + j;
  at.bias = at.bias ? at.bias + j : NULL;
  at.column_sums = at.column_sums ? at.column_sums + j : NULL;
  at.slope = at.slope ? at.slope + offset : NULL;
  at.factor = at.factor ? at.factor + offset : NULL;
  return at;
}

// sums (rows, TILE_COLUMNS) = the corner of C at (i, j), as an earlier block of k left it.
static void load_tile(Real* sums, const Product* product, int i, int j, int rows, int columns) {
  for (int r = 0; r < rows; r++) {
    const Real* from = product->C + (ptrdiff_t)(i + r) * product->ldc + j;
    for (int c = 0; c < columns; c += LANES) {
      vector_store(sums + r * TILE_COLUMNS + c, vector_load_some(from + c, columns - c));
    }
  }
}

// Asks for the part of C that a tile is about to write.
static void prefetch_tile(const Real* C, int ldc, int rows) {
  for (int i = 0; i < rows; i++) {
    __builtin_prefetch(C + (ptrdiff_t)i * ldc, 1);
    __builtin_prefetch(C + (ptrdiff_t)i * ldc + LANES, 1);
  }
}

// Asks for the part of A that the next row of tiles needs in steps first ... end - 1 of k.
static void prefetch_rows(const Product* product, const Block* block, int i, int rows, int first,
                          int end) {
  const Real* A = product->A + i * product->a_row + block->first_k * product->a_step;
  if (product->a_step != 1) {
    for (int l = first; l < end; l++) {
      __builtin_prefetch(A + l * product->a_step + rows - 1, 0, 2);
    }
    return;
  }
  for (int r = 0; r < rows; r++) {
    for (int l = first; l < end; l += LINE) {
      __builtin_prefetch(A + r * product->a_row + l, 0, 2);
    }
  }
}

// One tile, one block of k: C's corner at (i, j) gets its share, and its epilogue after the last.
static void tile_of(const Product* product, Tile* tile, int i, int j, bool last) {
  const GemmEpilogue* epilogue = last ? product->epilogue : &plain;
  Real* C = product->C + (ptrdiff_t)i * product->ldc + j;
  prefetch_tile(C, product->ldc, tile->rows);
  if (epilogue->slope) {
    prefetch_tile(epilogue->slope + (C - product->C), product->ldc, tile->rows);
  }
  bool untouched = epilogue->finish == GEMM_PLAIN && !epilogue->column_sums;
  if (untouched && tile->columns == TILE_COLUMNS && product->kernel->rows < TILE_MAX_ROWS) {
    product->kernel->multiply(C, product->ldc, tile);
    return;
  }
  Real sums[TILE_MAX_ROWS * TILE_COLUMNS] __attribute__((aligned(64)));
  if (tile->add) {
    load_tile(sums, product, i, j, tile->rows, tile->columns);
  }
  product->kernel->multiply(sums, TILE_COLUMNS, tile);
  GemmEpilogue at = epilogue_at(epilogue, product->ldc, i, j);
  gemm_finish_tile(&at, C, product->ldc, sums, tile->rows, tile->columns);
}

// The tile's rows over all panels of a block; each panel has the next rows fetched a bit further.
static void row_of_tiles(const Product* product, Tile* tile, int i, const Block* block,
                         const Real* panels) {
  Real packed[TILE_MAX_ROWS * TILE_MOST_DEPTH / 2] __attribute__((aligned(64)));
  tile->A = product->A + i * product->a_row + block->first_k * product->a_step;
  tile->a_row = product->a_row;
  tile->a_step = product->a_step;
  if (product->kernel->pack_A) {
    product->kernel->pack_A(tile, packed, block->depth);
  }
  int next = i + tile->rows;
  int share = (block->depth * TILE_COLUMNS + block->columns - 1) / block->columns;
  for (int j = 0; j < block->columns; j += TILE_COLUMNS) {
    int column = block->first + j;
    int first = j / TILE_COLUMNS * share;
    if (next < product->m) {
      prefetch_rows(product, block, next, tile->rows, first, least(first + share, block->depth));
    }
    tile->columns = least(TILE_COLUMNS, product->n - column);
    tile->B = panels ? panels + j * block->steps
                     : product->B + block->first_k * product->b_step + column;
    tile->b_step = panels ? TILE_COLUMNS : product->b_step;
    tile_of(product, tile, i, column, block->first_k + block->depth == product->k);
  }
}

// Whether the tiles can use B where it is: whole pieces of vectors, and either too few rows of A
// for a copy to pay, or a B that is in the cache already.
static bool used_in_place(const Product* product, const Block* block) {
  return !product->kernel->pairs && product->b_column == 1 &&
         block->columns % TILE_LEAST_COLUMNS == 0 &&
         (product->m <= FEW_ROWS || product->a_step != 1);
}

// All rows of A over one block of B; the rows are spread evenly over the tiles.
static void rows_over(const Product* product, const Block* block, Real* panels) {
  bool direct = used_in_place(product, block);
  if (!direct) {
    Part part = {
        .B = product->B + block->first_k * product->b_step + block->first * product->b_column,
        .b_column = product->b_column, .b_step = product->b_step, .columns = block->columns,
        .depth = block->depth};
    product->kernel->pack_B(panels, &part, block->steps);
  }
  Tile tile = {.steps = block->steps, .add = block->first_k > 0};
  int tiles = (product->m + product->kernel->rows - 1) / product->kernel->rows;
  int i = 0;
  for (int t = 0; t < tiles; t++) {
    int end = (int)((int64_t)product->m * (t + 1) / tiles);
    tile.rows = end - i;
    row_of_tiles(product, &tile, i, block, direct ? NULL : panels);
    i = end;
  }
}

// Steps of a kernel for so many numbers of k.
static int steps_of(const GemmKernel* kernel, int depth) {
  if (kernel->pairs == 0) {
    return depth;
  }
  int pairs = (depth + 1) / 2;
  return (pairs + kernel->pairs - 1) / kernel->pairs * kernel->pairs;
}

static int ceiling(int a, int b) { return (a + b - 1) / b; }

// The general case. k is split evenly.
static void multiply_tiles(const Product* product) {
  Real panels[BLOCK] __attribute__((aligned(64)));
  int depths = ceiling(product->k, product->a_step == 1 ? TILE_MOST_DEPTH : SUM_DEPTH);
  int deepest = ceiling(product->k, depths);
  int most = BLOCK / deepest / TILE_COLUMNS * TILE_COLUMNS;
  most = most < TILE_COLUMNS ? TILE_COLUMNS : most;
  CHECK(depths == 1 || product->C != product->epilogue->factor, "gemm: k = %d, at most %d",
        product->k, TILE_MOST_DEPTH);
  if (product->kernel->begin) {
    product->kernel->begin();
  }
  for (int j = 0; j < product->n; j += most) {
    Block block = {.first = j, .columns = least(most, product->n - j)};
    for (int d = 0; d < depths; d++) {
      block.first_k = (int)((int64_t)product->k * d / depths);
      block.depth = (int)((int64_t)product->k * (d + 1) / depths) - block.first_k;
      block.steps = steps_of(product->kernel, block.depth);
      rows_over(product, &block, panels);
    }
  }
  if (product->kernel->end) {
    product->kernel->end();
  }
}

// a (k) times b (k).
static inline Real dot(const Real* a, const Real* b, int k) {
  Sums sums = {0};
  for (int l = 0; l < k; l += SUMS) {
#pragma GCC unroll 8
    for (int v = 0; v < SUM_VECTORS; v++) {
      int at = l + v * LANES;
      int count = at < k ? k - at : 0;
      Vector left = vector_load_some(a + at, count);
      sums.part[v] = vector_fma(left, vector_load_some(b + at, count), sums.part[v]);
    }
  }
  return sums_total(sums);
}

// Few columns: the rows of A and the columns of B are contiguous, each element is a dot product.
static void multiply_thin(const Product* product) {
  Real sums[TILE_ROWS * TILE_COLUMNS];
  for (int i = 0; i < product->m; i += TILE_ROWS) {
    int rows = least(TILE_ROWS, product->m - i);
    for (int r = 0; r < rows; r++) {
      const Real* A = product->A + (i + r) * product->a_row;
      for (int j = 0; j < product->n; j++) {
        sums[r * TILE_COLUMNS + j] = dot(A, product->B + j * product->b_column, product->k);
      }
    }
    GemmEpilogue at = epilogue_at(product->epilogue, product->ldc, i, 0);
    gemm_finish_tile(&at, product->C + (ptrdiff_t)i * product->ldc, product->ldc, sums, rows,
                     product->n);
  }
}

static void multiply_alone(const Product* product) {
  (product->thin ? multiply_thin : multiply_tiles)(product);
}

// A product in parts, each a band of whole tiles of C: of columns, so that B is packed once and
// column sums have one order, or, where there are few columns, of rows.
typedef struct {
  const Product* whole;
  int parts;
  bool by_rows;
} Shares;

static void multiply_part(void* self, int part) {
  const Shares* shares = self;
  Product band = *shares->whole;
  int wide = shares->by_rows ? band.kernel->rows : TILE_COLUMNS;
  int all = shares->by_rows ? band.m : band.n;
  int tiles = ceiling(all, wide);
  int first = tiles * part / shares->parts * wide;
  int count = least(all, tiles * (part + 1) / shares->parts * wide) - first;
  int i = shares->by_rows ? first : 0, j = shares->by_rows ? 0 : first;
  GemmEpilogue epilogue = epilogue_at(band.epilogue, band.ldc, i, j);
  band.epilogue = &epilogue;
  band.C += (ptrdiff_t)i * band.ldc + j;
  band.A += i * band.a_row;
  band.B += j * band.b_column;
  band.m = shares->by_rows ? count : band.m;
  band.n = shares->by_rows ? band.n : count;
  multiply_alone(&band);
}

static void multiply(Product* product) {
  const GemmEpilogue* epilogue = product->epilogue;
  product->kernel = choose_kernel(product);
  CHECK(product->k > 0, "gemm: k = %d", product->k);
  if (epilogue->column_sums) {
    memset(epilogue->column_sums, 0, (size_t)product->n * sizeof(Real));
  }
  bool few = product->n <= FEW_COLUMNS && product->a_step == 1 && product->b_step == 1;
  product->thin = few && (product->n == 1 || product->k > FEW_COLUMNS);
  int64_t steps = (int64_t)product->m * product->n * product->k;
  int threads = steps < LEAST_SHARED ? 1 : team_threads(epilogue->team);
  int columns = ceiling(product->n, TILE_COLUMNS);
  int rows = ceiling(product->m, product->kernel->rows);
  Shares shares = {.whole = product, .by_rows = columns < threads && !epilogue->column_sums};
  shares.parts = least(threads, shares.by_rows ? rows : columns);
  if (shares.parts > 1) {
    team_run(epilogue->team, multiply_part, &shares, shares.parts);
  } else {
    multiply_alone(product);
  }
}

void gemm_nn_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k) {
  multiply(&(Product){.epilogue = epilogue, .C = C, .ldc = ldc, .A = A, .a_row = lda, .a_step = 1,
                      .B = B, .b_column = 1, .b_step = ldb, .m = m, .n = n, .k = k});
}

void gemm_nt_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k) {
  multiply(&(Product){.epilogue = epilogue, .C = C, .ldc = ldc, .A = A, .a_row = lda, .a_step = 1,
                      .B = B, .b_column = ldb, .b_step = 1, .m = m, .n = n, .k = k});
}

void gemm_nn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n,
             int k) {
  gemm_nn_then(&plain, C, ldc, A, lda, B, ldb, m, n, k);
}

void gemm_nt(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n,
             int k) {
  gemm_nt_then(&plain, C, ldc, A, lda, B, ldb, m, n, k);
}

static void multiply_tn(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                        const Real* B, int ldb, int m, int n, int k) {
  multiply(&(Product){.epilogue = epilogue, .C = C, .ldc = ldc, .A = A, .a_row = 1, .a_step = lda,
                      .B = B, .b_column = 1, .b_step = ldb, .m = m, .n = n, .k = k});
}

// C^T = B^T A, a strip of columns of A at a time: full vectors instead of a few lanes.
static void multiply_tn_narrow(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A,
                               int lda, const Real* B, int ldb, int m, int n, int k) {
  Real transposed[NARROW_COLUMNS * NARROW_STRIP];
  for (int i = 0; i < m; i += NARROW_STRIP) {
    int strip = least(NARROW_STRIP, m - i);
    multiply_tn(epilogue, transposed, strip, B, ldb, A + i, lda, n, strip, k);
    for (int r = 0; r < strip; r++) {
      for (int j = 0; j < n; j++) {
        C[(ptrdiff_t)(i + r) * ldc + j] = transposed[j * strip + r];
      }
    }
  }
}

void gemm_tn_then(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                  const Real* B, int ldb, int m, int n, int k) {
  bool bare = epilogue->precision == GEMM_FLOAT32 && epilogue->finish == GEMM_PLAIN &&
              !epilogue->column_sums;
  if (bare && n == 1 && ldc == 1) {
    multiply_tn(epilogue, C, m, B, ldb, A, lda, 1, m, k);
  } else if (bare && n <= NARROW_COLUMNS) {
    multiply_tn_narrow(epilogue, C, ldc, A, lda, B, ldb, m, n, k);
  } else {
    multiply_tn(epilogue, C, ldc, A, lda, B, ldb, m, n, k);
  }
}

void gemm_tn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n,
             int k) {
  gemm_tn_then(&plain, C, ldc, A, lda, B, ldb, m, n, k);
}
