// bound.h - Lemma 4.1 and Theorem 4.1 of the paper with every constant explicit.
//
// docs/theory.md derives each constant. The one-iteration error is at most d + eps0 with
// probability 1 - delta0 if N and sigma meet conditions (6) and (7). Solved for eps0, these give
// one error each: epsilon_N (estimation) and epsilon_sigma (model). The theorem then reads
//   ||V* - V^piK||_{p,rho} <= scale (d + epsilon_N / 2 + epsilon_sigma / 2) + iteration term,
//   scale = 2 gamma / (1 - gamma)^2 C^{1/p}, delta0 = delta / K.
// Sample counts are passed as logarithms, since what the conditions ask for can exceed any integer.
#ifndef THEORY_BOUND_H
#define THEORY_BOUND_H

#include <stdbool.h>

// What log(32 N) of condition (6) stands for: 32 times what?
typedef enum {
  CAPACITY_LITERAL,  // the number of samples N, as the paper's text prints it
  CAPACITY_COVER,    // the covering number of the function class, as Munos and Szepesvari mean it
} Capacity;

typedef struct {
  double gamma;
  double v_max;            // r_max / (1 - gamma)
  double p;                // of the norm, >= 1
  double delta;            // of the theorem: probability of failure over all iterations
  int iterations;          // K
  int actions;             // |A|
  double sigma;            // scale of the half-normal model error
  double lipschitz;        // K_V of the value functions, per unit of the state
  double bellman_error;    // d_{p,mu}(BF, F), the inherent Bellman error
  double concentrability;  // C_{rho,mu}
  double initial_error;    // sup |V* - V_0|
  Capacity capacity;
  int parameters;  // of the class: values in [0, v_max] that fix a function
} BoundProblem;

typedef struct {
  double approximation;  // scale * d
  double estimation;     // scale * epsilon_N / 2
  double model;          // scale * epsilon_sigma / 2
  double iteration;      // what K iterations leave of the first guess
  double total;
  double epsilon_n;      // smallest eps0 that (6) allows at this N
  double epsilon_sigma;  // smallest eps0 that (7) allows at this sigma
  double quantile;       // Phi^-1(1 - beta delta / (8 K N_real (1 - beta))), clipped at 0
} Bound;

typedef struct {
  bool samples_hold;          // condition (6)
  bool sigma_holds;           // condition (7)
  double log_samples_needed;  // log of the smallest N that meets (6)
  double sigma_allowed;       // the sigma below which (7) holds; +inf if any does
  double total;               // scale (d + eps0) + iteration: the bound if both hold
} BoundConditions;

// log N for N_real = N |A| beta real samples an iteration.
double bound_log_samples(const BoundProblem* problem, double n_real, double ratio);

// Phi^-1(1 - delta0 / (8 N |A| (1 - ratio))), from the tail; 0 where the argument is below 1/2,
// and at ratio = 1.
double bound_quantile(const BoundProblem* problem, double log_samples, double ratio);

// log of the right side of (6).
double bound_log_condition(const BoundProblem* problem, double log_samples, double epsilon);

// Smallest eps0 that (6) allows for N samples, and that (7) allows for the problem's sigma.
double bound_epsilon_samples(const BoundProblem* problem, double log_samples);
double bound_epsilon_sigma(const BoundProblem* problem, double log_samples, double ratio);

// log of the N at which (6) turns true.
double bound_log_samples_needed(const BoundProblem* problem, double epsilon);

// Conditions (6) and (7) for a wanted eps0, and what N and sigma would meet them.
BoundConditions bound_conditions(const BoundProblem* problem, double log_samples, double ratio,
                                 double epsilon);

// The terms of (8).
Bound bound_terms(const BoundProblem* problem, double log_samples, double ratio);

// Where the estimation and model terms are smallest at fixed N_real.
typedef struct {
  double interior;        // first local minimum in [smallest, 0.999], or 1 if there is none
  double interior_value;  // estimation + model there
  double pure_value;      // estimation at ratio 1, where no model is used
  double best;            // interior, or 1 if that is smaller still
} BoundRatio;

BoundRatio bound_optimal_ratio(const BoundProblem* problem, double n_real, double smallest);

#endif  // THEORY_BOUND_H
