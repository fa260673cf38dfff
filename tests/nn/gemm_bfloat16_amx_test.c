// The AMX kernel on a CPU without AMX: its tile instructions are carried out by plain loops, as
// Intel's manual defines them, and the tests of the other kernel run on it. This file takes the
// place of nn/gemm_amx.c in the program.

#include <cpuid.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/nn/gemm_tile.h"

#if defined(__AVX512F__)

typedef struct {
  int rows;
  int row_bytes;
  uint8_t data[16][64];
} EmulatedTile;

static EmulatedTile emulated[8];

// Like the intrinsics, these tell the compiler no more than GCC's own: of the configuration that 8
// bytes are read, of a tile none.
static inline __attribute__((always_inline)) void emulated_loadconfig(const void* config) {
  uint8_t bytes[64];
  __asm__ volatile("vmovups %1, %%zmm31\n\tvmovups %%zmm31, %0"
                   : "=m"(bytes)
                   : "m"(*(const void* const*)config)
                   : "xmm31");
  for (int i = 0; i < 8; i++) {
    uint16_t row_bytes;
    memcpy(&row_bytes, bytes + 16 + 2 * i, sizeof row_bytes);
    emulated[i] = (EmulatedTile){.rows = bytes[48 + i], .row_bytes = row_bytes};
  }
}

static void emulated_release(void) { memset(emulated, 0, sizeof emulated); }

static inline __attribute__((always_inline)) void emulated_loadd(int tile, const void* from,
                                                                 size_t stride) {
  EmulatedTile* t = &emulated[tile];
  for (int i = 0; i < t->rows; i++) {
    __asm__ volatile("vmovups (%1), %%zmm31\n\tvmovups %%zmm31, %0"
                     : "=m"(t->data[i])
                     : "r"((const uint8_t*)from + (size_t)i * stride)
                     : "xmm31");
  }
}

static void emulated_stored(int tile, void* to, size_t stride) {
  const EmulatedTile* t = &emulated[tile];
  for (int i = 0; i < t->rows; i++) {
    memcpy((uint8_t*)to + (size_t)i * stride, t->data[i], (size_t)t->row_bytes);
  }
}

static void emulated_zero(int tile) { memset(emulated[tile].data, 0, sizeof emulated[tile].data); }

static float half_of_pair(const EmulatedTile* t, int row, int pair, int half) {
  uint16_t bits;
  memcpy(&bits, t->data[row] + 4 * pair + 2 * half, sizeof bits);
  uint32_t whole = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &whole, sizeof value);
  return value;
}

// TDPBF16PS
static void emulated_dpbf16ps(int sums, int a, int b) {
  EmulatedTile* c = &emulated[sums];
  for (int i = 0; i < c->rows; i++) {
    for (int p = 0; p < emulated[a].row_bytes / 4; p++) {
      for (int j = 0; j < c->row_bytes / 4; j++) {
        float sum;
        memcpy(&sum, c->data[i] + 4 * j, sizeof sum);
        for (int half = 0; half < 2; half++) {
          sum += half_of_pair(&emulated[a], i, p, half) * half_of_pair(&emulated[b], p, j, half);
        }
        memcpy(c->data[i] + 4 * j, &sum, sizeof sum);
      }
    }
  }
}

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#define _tile_loadconfig emulated_loadconfig
#define _tile_release emulated_release
#define _tile_loadd emulated_loadd
#define _tile_stored emulated_stored
#define _tile_zero emulated_zero
#define _tile_dpbf16ps emulated_dpbf16ps
#define __get_cpuid_count(leaf, part, a, b, c, d) (*(a) = *(b) = *(c) = *(d) = ~0u, 1)
#define syscall(...) 0

#endif

#include "../../src/nn/gemm_amx.c"
#include "gemm_bfloat16_test.c"
