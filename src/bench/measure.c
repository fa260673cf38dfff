#include "bench/measure.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/stopwatch.h"

#define SLICES 8  // of one repeat of one thing
#define WARM_UPS 2

static int compare_doubles(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

double measure_median(double* spread, double* values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  double median = (values[(count - 1) / 2] + values[count / 2]) / 2;
  if (spread) {
    *spread = (values[count - 1] - values[0]) / median;
  }
  return median;
}

// Calls that take about `seconds`, at least one.
static int calls_in(const Timed* timed, double seconds) {
  for (int i = 0; i < WARM_UPS; i++) {
    timed->run(timed->self);
  }
  double start = clock_processor(), used = 0;
  int calls = 0;
  while (used < seconds) {
    timed->run(timed->self);
    calls++;
    used = clock_processor() - start;
  }
  return calls > 0 ? calls : 1;
}

static void run_slice(double* processor, double* wall, const Timed* timed, int calls) {
  double start = clock_processor(), wall_start = clock_wall();
  for (int i = 0; i < calls; i++) {
    timed->run(timed->self);
  }
  *processor += (clock_processor() - start) / (SLICES * calls);
  *wall += (clock_wall() - wall_start) / (SLICES * calls);
}

void measure(Timing* timings, const Timed* timed, int count, int repeats, double seconds) {
  Arena arena;
  arena_init(&arena);
  double* processor = ARENA_NEW(&arena, count * repeats, double);
  double* wall = ARENA_NEW(&arena, count * repeats, double);
  int* calls = ARENA_NEW(&arena, count, int);
  for (int i = 0; i < count; i++) {
    calls[i] = calls_in(&timed[i], seconds / SLICES);
  }
  for (int r = 0; r < repeats; r++) {
    for (int slice = 0; slice < SLICES; slice++) {
      for (int i = 0; i < count; i++) {
        int cell = i * repeats + r;
        run_slice(&processor[cell], &wall[cell], &timed[i], calls[i]);
      }
    }
  }
  for (int i = 0; i < count; i++) {
    Timing* t = &timings[i];
    t->seconds = measure_median(&t->spread, processor + i * repeats, repeats);
    t->wall = measure_median(NULL, wall + i * repeats, repeats);
  }
  arena_free(&arena);
}
