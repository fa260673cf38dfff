// peak.h - the fused multiply-adds that a core does at most: vectors that stay in registers, of the
// width that the program is compiled for.
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

// Some of them, for measure(). self: a Real, which gets what came of them.
void peak_run(void* self);

// Floating-point operations of one call.
double peak_flop(void);

#endif  // BENCH_PEAK_H
