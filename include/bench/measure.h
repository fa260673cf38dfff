// measure.h - how long something takes, when other programs share the machine.
//
// What is compared is run in turn, in short slices, so that a change of the machine's load meets
// all of it. Times are processor times of this process; the median of some repeats counts.
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

typedef struct {
  void (*run)(void* self);
  void* self;
} Timed;

typedef struct {
  double seconds;  // of one call: median of the repeats
  double spread;   // (largest - smallest) / median
  double wall;     // of one call by the clock on the wall: median
} Timing;

// Each of `count` things is run for about `seconds` in each of `repeats` repeats.
void measure(Timing* timings, const Timed* timed, int count, int repeats, double seconds);

// Median and relative spread of `count` values, which are sorted.
double measure_median(double* spread, double* values, int count);

#endif  // BENCH_MEASURE_H
