// gemm_tile.h - the inner pieces of a product: a tile of multiply-adds, the packing of its
// operands, and its epilogue.
//
// A tile is at most TILE_MAX_ROWS x TILE_COLUMNS elements of C. How it is calculated is a kernel's
// business; which one, is chosen once a product.
#ifndef NN_GEMM_TILE_H
#define NN_GEMM_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vector.h"
#include "base/vector_half.h"
#include "nn/gemm.h"

// As many accumulators as the registers hold beside two vectors of B and one element of A.
#if defined(VECTOR_AVX512)
#define TILE_ROWS 14  // 32 registers
#else
#define TILE_ROWS 6  // 16 registers
#endif
#define TILE_MAX_ROWS 32

// Whether the kernels of pairs can be compiled: GCC lets a file ask for more of the CPU than the
// rest of the program, clang does not.
#if defined(VECTOR_AVX512) && !defined(AUTOMBPO_FLOAT64) && \
    (defined(__AVX512BF16__) || !defined(__clang__))
#define PAIRS_COMPILE
#endif

#define TILE_VECTORS 2
#define TILE_COLUMNS (TILE_VECTORS * LANES)
#define TILE_LEAST_COLUMNS (HALF_VECTORS ? LANES / 2 : LANES)
#define TILE_MOST_DEPTH GEMM_IN_PLACE  // numbers of k in one pass over a tile
#define PACK_AHEAD 16  // rows of B that are asked for before they are copied

// A tile's place in a product.
typedef struct {
  int rows;
  int columns;  // at most TILE_COLUMNS; elements beyond them are computed, never stored
  int steps;    // of k; of pairs of k where operands are bfloat16
  bool add;     // to the sums that are there; else from 0
  const Real* A;  // element (i, l) is A[i * a_row + l * a_step]; one of the two strides is 1
  ptrdiff_t a_row;
  ptrdiff_t a_step;
  const Real* B;  // element (l, j) is B[l * b_step + j]; readable up to whole vectors
  ptrdiff_t b_step;
} Tile;

// A part of B, depth x columns: element (l, j) is B[l * b_step + j * b_column].
typedef struct {
  const Real* B;
  ptrdiff_t b_column;
  ptrdiff_t b_step;
  int columns;
  int depth;
} Part;

// One way to calculate tiles.
typedef struct {
  int rows;   // of a tile, at most TILE_MAX_ROWS
  int pairs;  // 0: a step is one number of k; else two of them, rounded to bfloat16, take the place
              // of one Real, and steps come in multiples of `pairs`
  // Before and after the tiles of a product, or NULL.
  void (*begin)(void);
  void (*end)(void);
  // panels (columns / TILE_COLUMNS; steps, TILE_COLUMNS) = a part of B; what is beyond it is 0.
  void (*pack_B)(Real* panels, const Part* part, int steps);
  // Packs the tile's rows of A, `depth` long, into `packed` (TILE_MAX_ROWS * TILE_MOST_DEPTH / 2)
  // and lets the tile point there. NULL: A is used where it is.
  void (*pack_A)(Tile* tile, Real* packed, int depth);
  // sums (rows, TILE_COLUMNS), `stride` apart, = or += A B. The second vector of each row may be
  // left untouched if `columns` needs only the first; a kernel with tiles of TILE_MAX_ROWS writes
  // all of them.
  void (*multiply)(Real* sums, ptrdiff_t stride, const Tile* tile);
} GemmKernel;

extern const GemmKernel gemm_float32;
extern const GemmKernel gemm_bfloat16_avx512;  // after gemm_has_bfloat16
extern const GemmKernel gemm_bfloat16_amx;     // after gemm_has_amx

// Whether CPU and kernel have AMX's tiles of bfloat16; asks the operating system for them.
bool gemm_has_amx(void);

// C (rows, columns) = epilogue of sums; the pointers of `epilogue` are those of the tile's corner.
// Column sums are added to those that are there.
void gemm_finish_tile(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* sums, int rows,
                      int columns);

#endif  // NN_GEMM_TILE_H
