// mdp.c - values, policies, interpolation and the constants of a problem; mdp_kinds.c builds the
// problems.
//
// All is finite dynamic programming on the cells. Value iteration runs until nothing changes at
// all, and not to a tolerance: from 0, with rewards that are not negative, sweeps only raise the
// values, also in rounded arithmetic, and end at a fixed point. So "exact" means exact here.
//
// The bound needs constants of the problem that are usually only assumed: the Lipschitz constant,
// the Bellman error of the class, and the concentrability. The last is counted: sets of cells that
// can reach a cell in m steps, as bits, until what is left of the series is negligible; the rest is
// added, so that the result is an upper bound.
#include "theory/mdp.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define TAIL_TOLERANCE 1e-12

double mdp_backup(const Mdp* mdp, const double* value, int cell) {
  const int* next = mdp->next + (size_t)cell * (size_t)mdp->actions;
  const double* rew = mdp->rew + (size_t)cell * (size_t)mdp->actions;
  double best = -INFINITY;
  for (int a = 0; a < mdp->actions; a++) {
    best = fmax(best, rew[a] + mdp->gamma * value[next[a]]);
  }
  return best;
}

void mdp_greedy(int* policy, const Mdp* mdp, const double* value) {
  for (int cell = 0; cell < mdp->cells; cell++) {
    const int* next = mdp->next + (size_t)cell * (size_t)mdp->actions;
    const double* rew = mdp->rew + (size_t)cell * (size_t)mdp->actions;
    int best = 0;
    for (int a = 1; a < mdp->actions; a++) {
      if (rew[a] + mdp->gamma * value[next[a]] > rew[best] + mdp->gamma * value[next[best]]) {
        best = a;
      }
    }
    policy[cell] = best;
  }
}

// From 0 and with rewards >= 0 the sweeps only raise the values, also in rounded arithmetic: they
// end at a fixed point of the rounded operator.
void mdp_evaluate(double* value, const Mdp* mdp, const int* policy) {
  memset(value, 0, (size_t)mdp->cells * sizeof *value);
  double change = INFINITY;
  while (change > 0.0) {
    change = 0.0;
    for (int cell = 0; cell < mdp->cells; cell++) {
      size_t at = (size_t)cell * (size_t)mdp->actions + (size_t)policy[cell];
      double updated = mdp->rew[at] + mdp->gamma * value[mdp->next[at]];
      change = fmax(change, fabs(updated - value[cell]));
      value[cell] = updated;
    }
  }
}

// The worst policy minimises every value at once, so that value iteration with the smallest backup
// finds it; it settles for the reason given at mdp_evaluate.
double mdp_worst_loss(const Mdp* mdp, double p, Arena* scratch) {
  ArenaMark mark = arena_mark(scratch);
  double* value = ARENA_NEW(scratch, mdp->cells, double);
  double change = INFINITY;
  while (change > 0.0) {
    change = 0.0;
    for (int cell = 0; cell < mdp->cells; cell++) {
      double worst = INFINITY;
      for (int a = 0; a < mdp->actions; a++) {
        size_t at = (size_t)cell * (size_t)mdp->actions + (size_t)a;
        worst = fmin(worst, mdp->rew[at] + mdp->gamma * value[mdp->next[at]]);
      }
      change = fmax(change, fabs(worst - value[cell]));
      value[cell] = worst;
    }
  }
  double sum = 0.0;
  for (int cell = 0; cell < mdp->cells; cell++) {
    sum += pow(mdp->v_star[cell] - value[cell], p);
  }
  arena_release(scratch, mark);
  return pow(sum / mdp->cells, 1.0 / p);
}

double mdp_lipschitz(const Mdp* mdp) {
  double square = 0.0;
  for (int d = 0; d < mdp->dims; d++) {
    double slope = mdp->v_max / (mdp->gap * mdp->width[d]);
    square += slope * slope;
  }
  return sqrt(square);
}

// Distance in `value` from each cell to its upper neighbour in each dimension.
double mdp_slope(const Mdp* mdp, const double* value) {
  double square = 0.0;
  int stride = 1;
  for (int d = mdp->dims - 1; d >= 0; d--) {
    double largest = 0.0;
    for (int cell = 0; cell < mdp->cells; cell++) {
      int place = cell / stride % mdp->size[d];
      if (place == mdp->size[d] - 1 && !mdp->wraps[d]) {
        continue;
      }
      int other = place == mdp->size[d] - 1 ? cell - place * stride : cell + stride;
      largest = fmax(largest, fabs(value[other] - value[cell]));
    }
    double slope = largest / (mdp->gap * mdp->width[d]);
    square += slope * slope;
    stride *= mdp->size[d];
  }
  return sqrt(square);
}

double mdp_bellman_error(const Mdp* mdp, double p) {
  return pow(mdp_cell_power(0.0, mdp->wiggle, p), 1.0 / p);
}

static double signed_power(double x, double p) { return copysign(pow(fabs(x), p), x); }

// The integral of |g - w t|^p over t in [-1/2, 1/2], by its antiderivative.
double mdp_cell_power(double g, double wiggle, double p) {
  if (wiggle == 0.0) {
    return pow(fabs(g), p);
  }
  double high = signed_power(g + 0.5 * wiggle, p + 1.0);
  double low = signed_power(g - 0.5 * wiggle, p + 1.0);
  return (high - low) / ((p + 1.0) * wiggle);
}

void mdp_place(double at[MDP_DIMS], const Mdp* mdp, int cell, const double offset[MDP_DIMS]) {
  for (int d = mdp->dims - 1; d >= 0; d--) {
    int place = cell % mdp->size[d];
    cell /= mdp->size[d];
    at[d] = (place + 0.5 + (offset[d] - 0.5) * (1.0 - mdp->gap)) * mdp->width[d];
  }
}

// The lower of the two cells that surround a coordinate, and the weight of the upper one.
static void bracket(int* low, int* high, double* weight, const Mdp* mdp, int d, double at) {
  int size = mdp->size[d];
  double x = at / mdp->width[d] - 0.5;  // cell centres at whole numbers
  if (mdp->wraps[d]) {
    x -= size * floor(x / size);
  } else {
    x = fmin(fmax(x, 0.0), size - 1.0);
  }
  int below = (int)x;
  double beyond_plateau = (x - below - 0.5 * (1.0 - mdp->gap)) / mdp->gap;
  *weight = fmin(fmax(beyond_plateau, 0.0), 1.0);
  *low = below < size ? below : 0;  // x may round up to size
  *high = below + 1;
  if (*high >= size) {
    *high = mdp->wraps[d] ? *high % size : size - 1;
  }
}

double mdp_value_at(const Mdp* mdp, const double* value, const double at[MDP_DIMS]) {
  int low = 0;
  int high = 0;
  double weight = 0.0;
  bracket(&low, &high, &weight, mdp, 0, at[0]);
  if (mdp->dims == 1) {
    return value[low] + weight * (value[high] - value[low]);
  }
  int left = 0;
  int right = 0;
  double across = 0.0;
  bracket(&left, &right, &across, mdp, 1, at[1]);
  const double* lower = value + (size_t)low * (size_t)mdp->size[1];
  const double* upper = value + (size_t)high * (size_t)mdp->size[1];
  double first = lower[left] + across * (lower[right] - lower[left]);
  double second = upper[left] + across * (upper[right] - upper[left]);
  return first + weight * (second - first);
}

// One more step: the cells that reach y are those that reach some z with a move z -> y.
static void extend(uint64_t* out, const uint64_t* reach, const Mdp* mdp, size_t words) {
  memset(out, 0, (size_t)mdp->cells * words * sizeof *out);
  for (int z = 0; z < mdp->cells; z++) {
    for (int a = 0; a < mdp->actions; a++) {
      int y = mdp->next[(size_t)z * (size_t)mdp->actions + (size_t)a];
      for (size_t w = 0; w < words; w++) {
        out[(size_t)y * words + w] |= reach[(size_t)z * words + w];
      }
    }
  }
}

static int largest_count(const uint64_t* reach, int cells, size_t words) {
  int largest = 0;
  for (int y = 0; y < cells; y++) {
    int count = 0;
    for (size_t w = 0; w < words; w++) {
      count += __builtin_popcountll(reach[(size_t)y * words + w]);
    }
    largest = count > largest ? count : largest;
  }
  return largest;
}

// Beyond step m, c is at most n, and sum_{t > m} t gamma^{t-1} = gamma^m (m + 1 - m gamma) /
// (1 - gamma)^2: this is added at the end, so that the result is an upper bound.
double mdp_concentrability(const Mdp* mdp, Arena* scratch) {
  ArenaMark mark = arena_mark(scratch);
  size_t words = ((size_t)mdp->cells + 63) / 64;
  uint64_t* reach = ARENA_NEW(scratch, (size_t)mdp->cells * words, uint64_t);
  uint64_t* other = ARENA_NEW(scratch, (size_t)mdp->cells * words, uint64_t);
  for (int y = 0; y < mdp->cells; y++) {
    reach[(size_t)y * words + (size_t)y / 64] = UINT64_C(1) << (y % 64);
  }
  double rest = 1.0 - mdp->gamma;
  double sum = 0.0;
  double tail = INFINITY;
  double power = 1.0;  // gamma^{m-1}
  for (int m = 1; tail > TAIL_TOLERANCE * sum; m++) {
    extend(other, reach, mdp, words);
    uint64_t* swap = reach;
    reach = other;
    other = swap;
    sum += rest * rest * m * power * largest_count(reach, mdp->cells, words);
    power *= mdp->gamma;
    tail = mdp->cells * power * (m + 1 - m * mdp->gamma);
  }
  arena_release(scratch, mark);
  return sum + tail;
}
