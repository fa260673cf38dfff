// clang_builtins.h - what base/vector.h needs of GCC and clang lacks; included before every file of
// a fuzz build (tests/fuzz/run).
#ifndef FUZZ_CLANG_BUILTINS_H
#define FUZZ_CLANG_BUILTINS_H

// Lane j of the result is lane lanes[j] of x, or of x and y one behind the other.
#define FUZZ_SHUFFLE_TWO(x, y, lanes) \
  __extension__({ \
    __typeof__(x) fuzz_x = (x), fuzz_y = (y), fuzz_out = (x); \
    __typeof__(lanes) fuzz_lanes = (lanes); \
    int fuzz_count = (int)(sizeof fuzz_x / sizeof fuzz_x[0]); \
    for (int fuzz_j = 0; fuzz_j < fuzz_count; fuzz_j++) { \
      int fuzz_from = (int)fuzz_lanes[fuzz_j] & (2 * fuzz_count - 1); \
      fuzz_out[fuzz_j] = \
          fuzz_from < fuzz_count ? fuzz_x[fuzz_from] : fuzz_y[fuzz_from - fuzz_count]; \
    } \
    fuzz_out; \
  })
#define FUZZ_SHUFFLE_ONE(x, lanes) FUZZ_SHUFFLE_TWO(x, x, lanes)
#define FUZZ_CHOOSE(a, b, c, chosen, ...) chosen
#define __builtin_shuffle(...) \
  FUZZ_CHOOSE(__VA_ARGS__, FUZZ_SHUFFLE_TWO, FUZZ_SHUFFLE_ONE, )(__VA_ARGS__)

#endif  // FUZZ_CLANG_BUILTINS_H
