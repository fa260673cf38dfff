// The order of the loops: a block of B (DEPTH x BLOCK_COLUMNS) is copied into panels as wide as a
// tile, which stay in the second-level cache; then the rows of A pass over it tile by tile, so that
// A is read and C is written once, in order. A tile's sums go through a small buffer to its
// epilogue. What is needed next is prefetched: operands of this size come from the third-level
// cache, and waiting for them would cost a tenth of the time.

// C = A^T B with few columns (the weight gradients of last layers) would waste most of a tile's
// lanes; OpenBLAS is faster there, and no row of such a product belongs to a row of a batch.

#include "nn/gemm.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "gemm_tile.h"

#define DEPTH 256           // of a block of B, in k
#define BLOCK_COLUMNS 256   // of a block of B: 256 KiB
#define FEW_ROWS TILE_ROWS  // up to so many rows of A a copy of B does not pay
#define FEW_COLUMNS 4       // so few columns of C would waste most of a tile's lanes
#define BLAS_COLUMNS 16     // up to so many columns of A^T B, OpenBLAS is faster
#define PACK_AHEAD 4        // rows of B that are asked for before they are copied
#define LINE 16             // about a cache line, in numbers

typedef struct {
  const GemmEpilogue* epilogue;
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
} Product;

static const GemmEpilogue plain = {.finish = GEMM_PLAIN};

void gemm_init(void) { openblas_set_num_threads(1); }

const char* gemm_description(void) {
#if defined(__AVX512F__)
  const char* kernel = "AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
  const char* kernel = "AVX2";
#else
  const char* kernel = "generic";
#endif
  static char text[128];
  snprintf(text, sizeof text, "%s kernel, OpenBLAS %s", kernel, openblas_get_corename());
  return text;
}

static int least(int a, int b) { return a < b ? a : b; }

// Where a block of B starts, and its size.
typedef struct {
  int first_k;
  int depth;
  int first;  // column
  int columns;
} Block;

// One row of a panel; `left` columns are there, the others become 0.
static inline void pack_row(Real* to, const Real* from, const Real* ahead, int left) {
  for (int v = 0; v < TILE_COLUMNS; v += LANES) {
    __builtin_prefetch(ahead + v);
    vector_store(to + v, left > v ? vector_load_some(from + v, left - v) : (Vector){0});
  }
}

// panels (columns / TILE_COLUMNS; depth, TILE_COLUMNS) = a block of B, row by row.
static void pack_rows(Real* panels, const Product* product, const Block* block) {
  const Real* from = product->B + block->first_k * product->b_step + block->first;
  for (int l = 0; l < block->depth; l++) {
    const Real* ahead = from + PACK_AHEAD * product->b_step;
    for (int j = 0; j < block->columns; j += TILE_COLUMNS) {
      pack_row(panels + j * block->depth + l * TILE_COLUMNS, from + j, ahead + j,
               block->columns - j);
    }
    from += product->b_step;
  }
}

// LANES rows of a panel from LANES columns of B, `step` apart; those beyond `columns` become 0.
// `left`: how many of the rows there are.
static void pack_square(Real* panel, const Real* from, ptrdiff_t step, int columns, int left) {
  Vector square[VECTOR_BYTES / sizeof(Real)];
#pragma GCC unroll 16
  for (int j = 0; j < LANES; j++) {
    __builtin_prefetch(from + (j + LANES) * step);
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
static void pack_columns(Real* panels, const Product* product, const Block* block) {
  const Real* from = product->B + block->first_k + block->first * product->b_column;
  for (int j = 0; j < block->columns; j += LANES) {
    // the panel that column j is in, and its column there
    Real* to = panels + j / TILE_COLUMNS * TILE_COLUMNS * block->depth + j % TILE_COLUMNS;
    for (int l = 0; l < block->depth; l += LANES) {
      pack_square(to + l * TILE_COLUMNS, from + l, product->b_column, block->columns - j,
                  block->depth - l);
    }
    from += LANES * product->b_column;
  }
}

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
static void tile_of(const Product* product, Tile* tile, int i, int j, int first_k) {
  bool last = first_k + tile->k == product->k;
  const GemmEpilogue* epilogue = last ? product->epilogue : &plain;
  Real* C = product->C + (ptrdiff_t)i * product->ldc + j;
  tile->A = product->A + i * product->a_row + first_k * product->a_step;
  tile->add = first_k > 0;
  prefetch_tile(C, product->ldc, tile->rows);
  bool untouched = epilogue->finish == GEMM_PLAIN && !epilogue->column_sums;
  if (untouched && tile->columns == TILE_COLUMNS) {
    gemm_tile(C, product->ldc, tile);
    return;
  }
  Real sums[TILE_ROWS * TILE_COLUMNS] __attribute__((aligned(64)));
  if (tile->add) {
    load_tile(sums, product, i, j, tile->rows, tile->columns);
  }
  gemm_tile(sums, TILE_COLUMNS, tile);
  GemmEpilogue at = epilogue_at(epilogue, product->ldc, i, j);
  gemm_finish_tile(&at, C, product->ldc, sums, tile->rows, tile->columns);
}

// The tile's rows over all panels of a block; each panel has the next rows fetched a bit further.
static void row_of_tiles(const Product* product, Tile* tile, int i, const Block* block,
                         const Real* panels) {
  int next = i + tile->rows;
  int share = (block->depth * TILE_COLUMNS + block->columns - 1) / block->columns;
  for (int j = 0; j < block->columns; j += TILE_COLUMNS) {
    int column = block->first + j;
    int first = j / TILE_COLUMNS * share;
    if (next < product->m) {
      prefetch_rows(product, block, next, tile->rows, first, least(first + share, block->depth));
    }
    tile->columns = least(TILE_COLUMNS, product->n - column);
    tile->B = panels ? panels + j * block->depth
                     : product->B + block->first_k * product->b_step + column;
    tile->b_step = panels ? TILE_COLUMNS : product->b_step;
    tile_of(product, tile, i, column, block->first_k);
  }
}

// All rows of A over one block of B; the rows are spread evenly over the tiles.
static void rows_over(const Product* product, const Block* block, Real* panels) {
  bool direct = product->m <= FEW_ROWS && product->b_column == 1 &&
                block->columns % TILE_COLUMNS == 0;
  if (!direct) {
    (product->b_column == 1 ? pack_rows : pack_columns)(panels, product, block);
  }
  Tile tile = {.a_row = product->a_row, .a_step = product->a_step, .k = block->depth};
  int tiles = (product->m + TILE_ROWS - 1) / TILE_ROWS;
  int i = 0;
  for (int t = 0; t < tiles; t++) {
    int end = (int)((int64_t)product->m * (t + 1) / tiles);
    tile.rows = end - i;
    row_of_tiles(product, &tile, i, block, direct ? NULL : panels);
    i = end;
  }
}

// The general case. k is split evenly.
static void multiply_tiles(const Product* product) {
  Real panels[DEPTH * BLOCK_COLUMNS] __attribute__((aligned(64)));
  int depths = (product->k + DEPTH - 1) / DEPTH;
  for (int j = 0; j < product->n; j += BLOCK_COLUMNS) {
    Block block = {.first = j, .columns = least(BLOCK_COLUMNS, product->n - j)};
    for (int d = 0; d < depths; d++) {
      block.first_k = (int)((int64_t)product->k * d / depths);
      block.depth = (int)((int64_t)product->k * (d + 1) / depths) - block.first_k;
      rows_over(product, &block, panels);
    }
  }
}

// a (k) times b (k): each lane sums every LANES-th product.
static inline Real dot(const Real* a, const Real* b, int k) {
  Vector sum = {0};
  for (int l = 0; l < k; l += LANES) {
    sum = vector_fma(vector_load_some(a + l, k - l), vector_load_some(b + l, k - l), sum);
  }
  return vector_sum(sum);
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

static void multiply(const Product* product) {
  CHECK(product->k > 0, "gemm: k = %d", product->k);
  if (product->epilogue->column_sums) {
    memset(product->epilogue->column_sums, 0, (size_t)product->n * sizeof(Real));
  }
  bool thin = product->n <= FEW_COLUMNS && product->a_step == 1 && product->b_step == 1;
  if (thin && (product->n == 1 || product->k > FEW_COLUMNS)) {
    multiply_thin(product);
  } else {
    multiply_tiles(product);
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

static void blas_tn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n,
                    int k) {
#ifdef AUTOMBPO_FLOAT64
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, A, lda, B, ldb, 0, C, ldc);
#else
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, A, lda, B, ldb, 0, C, ldc);
#endif
}

void gemm_tn(Real* C, int ldc, const Real* A, int lda, const Real* B, int ldb, int m, int n,
             int k) {
  if (n > 1 && n <= BLAS_COLUMNS) {
    blas_tn(C, ldc, A, lda, B, ldb, m, n, k);
    return;
  }
  Product product = {.epilogue = &plain, .C = C, .ldc = ldc, .A = A, .a_row = 1, .a_step = lda,
                     .B = B, .b_column = 1, .b_step = ldb, .m = m, .n = n, .k = k};
  if (n == 1 && ldc == 1) {
    // C^T = B^T A, one row: full vectors instead of a single lane
    product = (Product){.epilogue = &plain, .C = C, .ldc = m, .A = B, .a_row = 1, .a_step = ldb,
                        .B = A, .b_column = 1, .b_step = lda, .m = 1, .n = m, .k = k};
  }
  multiply(&product);
}
