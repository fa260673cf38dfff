// regression.c - the constant that is nearest to a cell's targets in the p-norm.
//
// Targets are first sorted by cell, by counting, which is linear in N. Within a cell the nearest
// constant is a quantile for p = 1 (selection, without sorting), the mean for p = 2, and otherwise
// the root of the slope of the error, by bisection: the slope is monotone, and nothing more is
// known of it.
//
// A cell that no sample fell into keeps the value of the iteration before: there is nothing to fit.
#include "theory/regression.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define BISECTIONS 200

static void swap(double* a, double* b) {
  double kept = *a;
  *a = *b;
  *b = kept;
}

// Hoare's selection with the median of three as pivot: the item that sorting would put at `rank`.
static double select_rank(double* item, int64_t count, int64_t rank) {
  int64_t low = 0;
  int64_t high = count - 1;
  while (low < high) {
    double first = item[low];
    double middle = item[low + (high - low) / 2];
    double last = item[high];
    double pivot = fmax(fmin(first, middle), fmin(fmax(first, middle), last));
    int64_t i = low;
    int64_t j = high;
    while (i <= j) {
      while (item[i] < pivot) {
        i++;
      }
      while (item[j] > pivot) {
        j--;
      }
      if (i <= j) {
        swap(&item[i++], &item[j--]);
      }
    }
    if (rank > j && rank < i) {
      break;
    }
    low = rank >= i ? i : low;
    high = rank <= j ? j : high;
  }
  return item[rank];
}

static double mean(const double* target, int64_t count) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    sum += target[i];
  }
  return sum / (double)count;
}

// The derivative of sum |x - target|^p in x, without its factor p.
static double slope(const double* target, int64_t count, double x, double p) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    double gap = x - target[i];
    sum += copysign(pow(fabs(gap), p - 1.0), gap);
  }
  return sum;
}

static double root_of_slope(const double* target, int64_t count, double p) {
  double low = target[0];
  double high = target[0];
  for (int64_t i = 1; i < count; i++) {
    low = fmin(low, target[i]);
    high = fmax(high, target[i]);
  }
  for (int i = 0; i < BISECTIONS; i++) {
    double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) {
      break;
    }
    if (slope(target, count, middle, p) < 0.0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return 0.5 * (low + high);
}

double nearest_constant(double* target, int64_t count, double p) {
  CHECK(count >= 1 && p >= 1.0, "%lld targets in the %g-norm", (long long)count, p);
  if (p == 1.0) {
    return select_rank(target, count, (count - 1) / 2);
  }
  return p == 2.0 ? mean(target, count) : root_of_slope(target, count, p);
}

void fit_cells(double* value, const int* cell, const double* target, int64_t N, int cells, double p,
               Arena* scratch) {
  ArenaMark mark = arena_mark(scratch);
  int64_t* end = ARENA_NEW(scratch, cells + 1, int64_t);  // after counting: start of the next cell
  double* sorted = ARENA_NEW(scratch, N, double);
  for (int64_t i = 0; i < N; i++) {
    end[cell[i] + 1]++;
  }
  for (int c = 0; c < cells; c++) {
    end[c + 1] += end[c];
  }
  for (int64_t i = 0; i < N; i++) {
    sorted[end[cell[i]]++] = target[i];  // end[c] grows from the start to the end of cell c
  }
  int64_t start = 0;
  for (int c = 0; c < cells; c++) {
    if (end[c] > start) {
      value[c] = nearest_constant(sorted + start, end[c] - start, p);
    }
    start = end[c];
  }
  arena_release(scratch, mark);
}
