// fvi_plan.c - the list of settings with their bounds, and what the seeds of one setting add up to.
//
// A setting is one element of the product of the lists (K, sigma, N_real, beta), in an order that
// the tables rely on: beta runs fastest, so that a best beta is sought among neighbours. For each
// the bound is evaluated once, before anything is run. N comes from N_real and beta or, with
// fvi.solve_samples, from condition (6); it may be too large to be run, which is an error only if
// running was asked for.
//
// The fold goes over the seeds in their order, with a running mean, so that its result does not
// depend on how the jobs were dealt.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "theory/fvi.h"

// Beyond it a double is no longer every whole number.
#define LARGEST_WHOLE 1e15

OPTION_TABLE(table, FviOptions, FVI_OPTIONS)

OptionTable fvi_option_table(void) { return table(); }

static MdpKind kind_of(const char* name) {
  if (strcmp(name, "ring") == 0) {
    return MDP_RING;
  }
  return strcmp(name, "pendulum") == 0 ? MDP_PENDULUM : MDP_RANDOM;
}

// sup |V* - V_0| with V_0 = 0: the wiggle adds its half to the value at the middle of a cell.
static double initial_error(const Mdp* mdp) {
  double largest = 0.0;
  for (int cell = 0; cell < mdp->cells; cell++) {
    largest = fmax(largest, mdp->v_star[cell] + 0.5 * mdp->wiggle * mdp->v_max);
  }
  return largest;
}

BoundProblem fvi_problem(const FviPlan* plan, double sigma, int iterations) {
  const FviOptions* options = plan->options;
  const Mdp* mdp = &plan->mdp;
  bool literal = strcmp(options->capacity, "literal") == 0;
  return (BoundProblem){
      .gamma = mdp->gamma,
      .v_max = mdp->v_max,
      .p = options->p,
      .delta = options->delta,
      .iterations = iterations,
      .actions = mdp->actions,
      .sigma = sigma,
      .lipschitz = mdp_lipschitz(mdp),
      .bellman_error = mdp_bellman_error(mdp, options->p),
      .concentrability = plan->concentrability,
      .initial_error = initial_error(mdp),
      .capacity = literal ? CAPACITY_LITERAL : CAPACITY_COVER,
      .parameters = mdp->cells,
  };
}

// N as a whole number. Condition (6) is strict, so that a solved N is rounded up.
static void set_samples(FviSetting* setting, const FviOptions* options, double log_samples) {
  setting->log_samples = log_samples;
  if (log_samples > log(LARGEST_WHOLE)) {
    return;
  }
  // 1 + 1e-12 keeps a whole number that a logarithm has rounded down
  double samples = floor(exp(log_samples) * (1.0 + 1e-12)) + (options->solve_samples ? 1.0 : 0.0);
  setting->samples = samples < 1.0 ? 1 : (int64_t)samples;
  setting->log_samples = log((double)setting->samples);
}

static void fill_setting(FviSetting* setting, const FviPlan* plan) {
  const FviOptions* options = plan->options;
  BoundProblem* problem = &setting->problem;
  double ratio = setting->real_ratio;
  double epsilon = options->epsilon * plan->mdp.v_max;
  *problem = fvi_problem(plan, setting->sigma, setting->iterations);
  set_samples(setting, options,
              options->solve_samples ? bound_log_samples_needed(problem, epsilon)
                                     : bound_log_samples(problem, setting->n_real, ratio));
  if (options->solve_samples) {
    setting->n_real = exp(setting->log_samples) * plan->mdp.actions * ratio;
  }
  setting->bound = bound_terms(problem, setting->log_samples, ratio);
  setting->conditions = bound_conditions(problem, setting->log_samples, ratio, epsilon);
}

static bool check_samples(const FviSetting* setting, const FviOptions* options, Error* error) {
  if (setting->log_samples <= log((double)options->max_samples)) {
    return true;
  }
  return error_set(error,
                   "beta = %g, N_real = %g: an iteration would take N = %.3g samples, more than "
                   "fvi.max_samples = %lld",
                   setting->real_ratio, setting->n_real, exp(setting->log_samples),
                   (long long)options->max_samples);
}

// The setting of an index, the last list running fastest: K, sigma, N_real, beta.
static FviSetting setting_at(const FviOptions* options, int index) {
  FviSetting setting = {0};
  setting.real_ratio = options->real_ratio.value[index % options->real_ratio.count];
  index /= options->real_ratio.count;
  int sizes = options->solve_samples ? 1 : options->n_real.count;
  setting.n_real = options->n_real.value[index % sizes];
  index /= sizes;
  setting.sigma = options->sigma.value[index % options->sigma.count];
  index /= options->sigma.count;
  setting.iterations = (int)options->iterations.value[index];
  return setting;
}

static bool check_options(const FviOptions* options, Error* error) {
  if (strcmp(options->mdp, "pendulum") == 0 && options->cells > 64) {
    return error_set(error, "fvi.cells: the pendulum has cells^2 cells; at most 64, not %d",
                     options->cells);
  }
  if (options->real_ratio.count == 0 || options->n_real.count == 0 || options->sigma.count == 0 ||
      options->iterations.count == 0) {
    return error_set(error, "fvi: each list needs at least one item");
  }
  return true;
}

bool fvi_plan(FviPlan* plan, const FviOptions* options, bool to_run, Arena* arena, Arena* scratch,
              Error* error) {
  memset(plan, 0, sizeof *plan);
  plan->options = options;
  if (!check_options(options, error)) {
    return false;
  }
  mdp_init(&plan->mdp, kind_of(options->mdp), options->cells, options->gamma,
           options->gap, options->wiggle, (uint64_t)options->mdp_seed, arena);
  plan->concentrability = mdp_concentrability(&plan->mdp, scratch);
  plan->worst_loss = mdp_worst_loss(&plan->mdp, options->p, scratch);
  int sizes = options->solve_samples ? 1 : options->n_real.count;
  plan->setting_count =
      options->iterations.count * options->sigma.count * sizes * options->real_ratio.count;
  plan->settings = ARENA_NEW(arena, plan->setting_count, FviSetting);
  for (int i = 0; i < plan->setting_count; i++) {
    plan->settings[i] = setting_at(options, i);
    fill_setting(&plan->settings[i], plan);
    if (to_run && !check_samples(&plan->settings[i], options, error)) {
      return false;
    }
  }
  return true;
}

int64_t fvi_job_count(const FviPlan* plan) {
  return (int64_t)plan->setting_count * plan->options->seeds;
}

FviSummary fvi_fold(const FviPlan* plan, int setting, const FviResult* results) {
  const FviSetting* at = &plan->settings[setting];
  int seeds = plan->options->seeds;
  double step_bound =
      at->problem.bellman_error + 0.5 * (at->bound.epsilon_n + at->bound.epsilon_sigma);
  FviSummary summary = {0};
  double mean = 0.0;
  double squares = 0.0;
  int covered = 0;
  int steps_covered = 0;
  for (int s = 0; s < seeds; s++) {
    const FviResult* result = &results[s];
    double gap = result->loss - mean;
    mean += gap / (s + 1);
    squares += gap * (result->loss - mean);
    summary.loss_max = fmax(summary.loss_max, result->loss);
    summary.value_error_mean += result->value_error / seeds;
    summary.step_error_max = fmax(summary.step_error_max, result->step_error);
    summary.slope_max = fmax(summary.slope_max, result->slope);
    covered += result->loss <= at->bound.total;
    steps_covered += result->step_error <= step_bound;
  }
  summary.coverage = covered / (double)seeds;
  summary.step_coverage = steps_covered / (double)seeds;
  summary.loss_mean = mean;
  summary.loss_error = seeds > 1 ? sqrt(squares / (seeds - 1.0) / seeds) : 0.0;
  return summary;
}
