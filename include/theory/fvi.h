// fvi.h - beta-mixture sampling-based fitted value iteration, equations (4) and (5) of the paper.
//
// A plan is a list of settings (beta, N_real, sigma, K) times seeds. Job j is seed j % seeds of
// setting j / seeds, and fvi_job_run is a pure function of (options, j): jobs may run anywhere and
// in any order. Results are folded in the order of their index, so that every partition of the jobs
// gives the same bits. The settings of one seed draw from the same streams.
#ifndef THEORY_FVI_H
#define THEORY_FVI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "base/rng.h"
#include "theory/bound.h"
#include "theory/mdp.h"

// clang-format off
#define FVI_OPTIONS(OPT) \
  OPT(CHOICE, mdp, "ring", "ring|pendulum|random", 0, "", "problem") \
  OPT(INT, cells, 16, 2, 4096, "", "cells in each dimension of the state") \
  OPT(LONG, mdp_seed, 1, 0, 1e15, "", "draws the problem, if it is random") \
  OPT(REAL, gamma, 0.9, 0.001, 0.9999, "", "discount factor") \
  OPT(REAL, gap, 0.5, 0.001, 1, "cells", "width between plateaus of the value functions") \
  OPT(REAL, wiggle, 0, 0, 0.99, "", "slope of the reward in a cell, which no function follows") \
  OPT(REAL, p, 1, 1, 16, "", "norm of the fit and of the errors") \
  OPT(REAL, delta, 0.1, 1e-12, 0.999, "", "probability with which the bound may fail") \
  OPT(REAL, epsilon, 0.5, 1e-9, 100, "V_max", "eps0 of conditions (6) and (7)") \
  OPT(CHOICE, capacity, "cover", "cover|literal", 0, "", "log(32 x): x = covering number, or N") \
  OPT(CHOICE, model, "fixed", "fixed|fresh", 0, "", "model error: per cell and action, or sample") \
  OPT(LIST, real_ratio, "[0.05, 0.1, 0.2, 0.5, 1]", 1e-9, 1, "", "beta") \
  OPT(LIST, n_real, "[100, 1000]", 1, 1e12, "samples", "expected real samples of an iteration") \
  OPT(FLAG, solve_samples, false, 0, 0, "", "take N from condition (6) instead of from n_real") \
  OPT(LIST, sigma, "[0.01]", 0, 1e9, "", "model error, in units of the state") \
  OPT(LIST, iterations, "[20]", 1, 10000, "", "K") \
  OPT(INT, seeds, 20, 1, 1000000, "", "runs of each setting") \
  OPT(LONG, seed, 1, 0, 1e15, "", "of the runs") \
  OPT(LONG, max_samples, 5000000, 1, 1e9, "samples", "largest N that is run") \
  OPT(TEXT, out, "fvi", 0, 0, "", "directory of the results")
// clang-format on

typedef struct {
  FVI_OPTIONS(OPTION_FIELD)
} FviOptions;

OptionTable fvi_option_table(void);

typedef struct {
  double real_ratio;  // beta
  double n_real;      // expected real samples of an iteration
  double sigma;
  int iterations;      // K
  int64_t samples;     // N, as run: N_real / (beta |A|) rounded down, at least 1;
                       // 0 if it is too large to be run
  double log_samples;  // of the N that the bound is for
  BoundProblem problem;
  Bound bound;
  BoundConditions conditions;  // for eps0 = options.epsilon * V_max
} FviSetting;

typedef struct {
  const FviOptions* options;
  Mdp mdp;
  double concentrability;
  double worst_loss;     // of the worst policy
  FviSetting* settings;  // (setting_count)
  int setting_count;
} FviPlan;

// Of one job.
typedef struct {
  double loss;         // || V* - V^piK ||_{p,rho}
  double value_error;  // || V* - V_K ||_{p,rho}
  double step_error;   // max_k || V_{k+1} - B V_k ||_{p,mu}
  double slope;        // largest slope of any V_k: the Lipschitz constant that was needed
  double real_share;   // fraction of next states that were real
} FviResult;

#define FVI_RESULT_NUMBERS ((int)(sizeof(FviResult) / sizeof(double)))

// Of one setting, folded over its seeds in order.
typedef struct {
  double loss_mean, loss_error;  // mean and its standard error
  double loss_max;
  double value_error_mean;
  double step_error_max;
  double slope_max;
  double coverage;       // fraction of seeds with loss <= bound.total
  double step_coverage;  // fraction with step_error <= d + (epsilon_n + epsilon_sigma) / 2
} FviSummary;

// Lists the settings. False if one is `to_run` with more than max_samples.
bool fvi_plan(FviPlan* plan, const FviOptions* options, bool to_run, Arena* arena, Arena* scratch,
              Error* error);

int64_t fvi_job_count(const FviPlan* plan);
void fvi_job_run(FviResult* out, const FviPlan* plan, int64_t job, Arena* scratch);

// Draws the error of a predicted state (dims): its length is |sigma Z|, its direction uniform.
void fvi_model_error(double error[MDP_DIMS], double sigma, int dims, Rng* rng);

// Folds the results (seeds) of one setting.
FviSummary fvi_fold(const FviPlan* plan, int setting, const FviResult* results);

// The bound's problem for one sigma and K.
BoundProblem fvi_problem(const FviPlan* plan, double sigma, int iterations);

#endif  // THEORY_FVI_H
