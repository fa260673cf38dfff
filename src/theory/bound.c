// bound.c - conditions (6), (7) and the bound (8) of the paper; docs/theory.md has the derivations.
//
// The bound is four terms, each a function here. Two of them are known only through a condition:
// epsilon_N is the smallest error for which (6) holds, and stands there twice, once inside a
// logarithm, so it is found by bisection; epsilon_sigma is (7) solved directly.
//
// Everything that can be astronomically large is a logarithm: the samples that (6) asks for can
// exceed any integer. The best beta is sought as the first minimum from below, and not as the
// smallest value: close to beta = 1 the model's term vanishes, and the sum falls once more.
#include "theory/bound.h"

#include <math.h>

#include "base/error.h"
#include "theory/normal.h"

#define BISECTIONS 200
#define RATIO_LARGEST 0.999
#define RATIO_GRID 400
#define GOLDEN 0.61803398874989484820

static void check(const BoundProblem* problem) {
  CHECK(problem->gamma > 0.0 && problem->gamma < 1.0, "gamma %g", problem->gamma);
  CHECK(problem->p >= 1.0, "p %g", problem->p);
  CHECK(problem->delta > 0.0 && problem->delta < 1.0, "delta %g", problem->delta);
  CHECK(problem->iterations >= 1 && problem->actions >= 1, "iterations or actions < 1");
}

// delta0 = delta / K: the share of one iteration.
static double log_share(const BoundProblem* problem) {
  return log(problem->delta) - log(problem->iterations);
}

// 2 gamma / (1 - gamma)^2 C^{1/p}: what an error of one iteration weighs in the end.
static double error_scale(const BoundProblem* problem) {
  double rest = 1.0 - problem->gamma;
  return 2.0 * problem->gamma / (rest * rest) * pow(problem->concentrability, 1.0 / problem->p);
}

// What K iterations leave of V_0: 2 gamma / (1 - gamma)^2 ((1 - gamma) gamma^K)^{1/p} |V* - V_0|.
static double iteration_term(const BoundProblem* problem) {
  double rest = 1.0 - problem->gamma;
  double log_weight = (log(rest) + problem->iterations * log(problem->gamma)) / problem->p;
  return 2.0 * problem->gamma / (rest * rest) * exp(log_weight) * problem->initial_error;
}

// log of the covering number in (6). A class fixed by n values in [0, V_max] has a sup-norm cover
// of radius r with (1 + V_max / (2 r))^n members. Pollard's inequality for |f - BV|^p at accuracy
// (eps0 / 4)^p asks for radius (eps0 / 4)^p / 8, and |x^p - y^p| <= p (2 V_max)^{p-1} |x - y|.
static double log_capacity(const BoundProblem* problem, double log_samples, double epsilon) {
  if (problem->capacity == CAPACITY_LITERAL) {
    return log_samples;
  }
  double p = problem->p;
  double log_radius = p * log(epsilon / 4.0) - log(8.0 * p) - (p - 1.0) * log(2.0 * problem->v_max);
  double log_steps = log(problem->v_max / 2.0) - log_radius;
  double log_points = log_steps > 0.0 ? log_steps + log1p(exp(-log_steps)) : log1p(exp(log_steps));
  return problem->parameters * log_points;
}

double bound_log_samples(const BoundProblem* problem, double n_real, double ratio) {
  CHECK(n_real > 0.0 && ratio > 0.0 && ratio <= 1.0, "N_real %g at ratio %g", n_real, ratio);
  return log(n_real) - log(ratio) - log(problem->actions);
}

double bound_quantile(const BoundProblem* problem, double log_samples, double ratio) {
  if (ratio >= 1.0) {
    return 0.0;
  }
  double log_model_samples = log_samples + log(problem->actions) + log1p(-ratio);
  double log_tail = log_share(problem) - log(8.0) - log_model_samples;
  return log_tail >= log(0.5) ? 0.0 : normal_upper_quantile_log(log_tail);
}

double bound_log_condition(const BoundProblem* problem, double log_samples, double epsilon) {
  check(problem);
  double logs = -log_share(problem) + log(32.0) + log_capacity(problem, log_samples, epsilon);
  return log(128.0) + 2.0 * problem->p * log(8.0 * problem->v_max / epsilon) + log(logs);
}

// The right side of (6) falls with eps0: bisection in log eps0.
double bound_epsilon_samples(const BoundProblem* problem, double log_samples) {
  CHECK(log_samples >= 0.0, "at least one sample");
  double low = log(problem->v_max) - 600.0;
  double high = log(problem->v_max) + 20.0;
  for (int i = 0; i < BISECTIONS && high - low > 1e-15 * (1.0 + fabs(high)); i++) {
    double middle = 0.5 * (low + high);
    if (bound_log_condition(problem, log_samples, exp(middle)) < log_samples) {
      high = middle;
    } else {
      low = middle;
    }
  }
  return exp(high);
}

double bound_epsilon_sigma(const BoundProblem* problem, double log_samples, double ratio) {
  double quantile = bound_quantile(problem, log_samples, ratio);
  if (quantile == 0.0) {
    return 0.0;
  }
  return 4.0 * problem->gamma * problem->lipschitz * problem->sigma * quantile;
}

// N - a (b + log N) is convex and negative at N = 1: (6) turns true once, and stays so.
double bound_log_samples_needed(const BoundProblem* problem, double epsilon) {
  CHECK(epsilon > 0.0, "eps0 %g", epsilon);
  double low = 0.0;
  double high = 2000.0;
  for (int i = 0; i < BISECTIONS && high - low > 1e-15 * high; i++) {
    double middle = 0.5 * (low + high);
    if (bound_log_condition(problem, middle, epsilon) < middle) {
      high = middle;
    } else {
      low = middle;
    }
  }
  return high;
}

BoundConditions bound_conditions(const BoundProblem* problem, double log_samples, double ratio,
                                 double epsilon) {
  double slope = 4.0 * problem->gamma * problem->lipschitz *
                 bound_quantile(problem, log_samples, ratio);
  BoundConditions conditions = {0};
  conditions.log_samples_needed = bound_log_samples_needed(problem, epsilon);
  conditions.samples_hold = bound_log_condition(problem, log_samples, epsilon) < log_samples;
  conditions.sigma_allowed = slope > 0.0 ? epsilon / slope : INFINITY;
  conditions.sigma_holds = problem->sigma < conditions.sigma_allowed;
  conditions.total =
      error_scale(problem) * (problem->bellman_error + epsilon) + iteration_term(problem);
  return conditions;
}

Bound bound_terms(const BoundProblem* problem, double log_samples, double ratio) {
  double scale = error_scale(problem);
  Bound bound = {0};
  bound.quantile = bound_quantile(problem, log_samples, ratio);
  bound.epsilon_n = bound_epsilon_samples(problem, log_samples);
  bound.epsilon_sigma = bound_epsilon_sigma(problem, log_samples, ratio);
  bound.approximation = scale * problem->bellman_error;
  bound.estimation = scale * 0.5 * bound.epsilon_n;
  bound.model = scale * 0.5 * bound.epsilon_sigma;
  bound.iteration = iteration_term(problem);
  bound.total = bound.approximation + bound.estimation + bound.model + bound.iteration;
  return bound;
}

// Estimation + model at exp(log_ratio).
static double variable_terms(const BoundProblem* problem, double n_real, double log_ratio) {
  double ratio = exp(log_ratio);
  Bound bound = bound_terms(problem, bound_log_samples(problem, n_real, ratio), ratio);
  return bound.estimation + bound.model;
}

// Golden section between two points of log beta around a minimum.
static double minimise(const BoundProblem* problem, double n_real, double low, double high) {
  double left = high - GOLDEN * (high - low);
  double right = low + GOLDEN * (high - low);
  double at_left = variable_terms(problem, n_real, left);
  double at_right = variable_terms(problem, n_real, right);
  while (high - low > 1e-8) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - GOLDEN * (high - low);
      at_left = variable_terms(problem, n_real, left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + GOLDEN * (high - low);
      at_right = variable_terms(problem, n_real, right);
    }
  }
  return 0.5 * (low + high);
}

// In log beta the sum falls, then rises, and falls once more close to 1, where the model term
// vanishes: the first minimum from below is the trade-off.
BoundRatio bound_optimal_ratio(const BoundProblem* problem, double n_real, double smallest) {
  CHECK(n_real >= problem->actions, "N_real %g is less than one sample of each action", n_real);
  CHECK(smallest > 0.0 && smallest < RATIO_LARGEST, "smallest ratio %g", smallest);
  double low = log(smallest);
  double step = (log(RATIO_LARGEST) - low) / RATIO_GRID;
  int first = 0;
  double value = variable_terms(problem, n_real, low);
  for (double next = 0.0; first < RATIO_GRID; first++) {
    next = variable_terms(problem, n_real, low + (first + 1) * step);
    if (next > value) {
      break;
    }
    value = next;
  }
  BoundRatio ratio = {.interior = 1.0};
  ratio.pure_value = variable_terms(problem, n_real, 0.0);
  ratio.interior_value = ratio.pure_value;
  if (first < RATIO_GRID) {
    double from = low + (first > 0 ? first - 1 : 0) * step;
    double log_ratio = minimise(problem, n_real, from, low + (first + 1) * step);
    ratio.interior = exp(log_ratio);
    ratio.interior_value = variable_terms(problem, n_real, log_ratio);
  }
  ratio.best = ratio.pure_value < ratio.interior_value ? 1.0 : ratio.interior;
  return ratio;
}
