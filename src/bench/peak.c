#include "bench/peak.h"

#include "base/vector.h"

#define CHAINS 12  // more than wait for each other, fewer than AVX2 has registers
#define ROUNDS 20000

void peak_run(void* self) {
  // of memory that may change, so that nothing is known before it runs
  volatile Real scale = (Real)0.999, step = (Real)1e-3;
  Vector x[CHAINS], a = vector_fill(scale), b = vector_fill(step);
  for (int c = 0; c < CHAINS; c++) {
    x[c] = vector_fill((Real)c);
  }
  for (int i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++) {
      x[c] = vector_fma(x[c], a, b);
    }
  }
  for (int c = 1; c < CHAINS; c++) {
    x[0] += x[c];
  }
  *(volatile Real*)self = x[0][0];
}

double peak_flop(void) { return 2.0 * ROUNDS * CHAINS * LANES; }
