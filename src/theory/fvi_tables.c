// fvi_tables.c - plans and results as tables of numbers.
//
// A table is an array of columns, and each kind of table is one macro list: name, value, unit,
// meaning. The list expands twice, into the descriptions and into the code that computes a row, so
// that a column cannot have the value of another. All values are doubles, also counts: what reads
// these tables plots them.
//
// Two tables have nothing that was run in them (curve, rise): they show the bound alone, on a finer
// grid than anybody could run.
#include "theory/fvi_tables.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

// The best beta of the bound is sought from here to 1.
#define SMALLEST_RATIO 1e-12
#define CURVE_POINTS 241
#define CURVE_SMALLEST 1e-6
#define RISE_POINTS 49
#define RISE_DECADES 6.0

// Columns: name, value, unit, meaning. In the tables below, a reward is the unit of every error.
// clang-format off
#define SETTING_COLUMNS(COL) \
  COL(iterations, at->iterations, "1", "K") \
  COL(sigma, at->sigma, "state", "scale of the half-normal model error") \
  COL(n_real, at->n_real, "samples", "expected real samples of an iteration") \
  COL(real_ratio, at->real_ratio, "1", "beta") \
  COL(samples, (double)at->samples, "samples", "N") \
  COL(v_max, plan->mdp.v_max, "reward", "largest value") \
  COL(worst_loss, plan->worst_loss, "reward", "loss of the worst policy") \
  COL(delta, plan->options->delta, "1", "probability with which the bound may fail") \
  COL(concentrability, plan->concentrability, "1", "C of rho and mu") \
  COL(lipschitz, at->problem.lipschitz, "reward / state", "K_V of the class") \
  COL(bellman_error, at->problem.bellman_error, "reward", "inherent Bellman error d") \
  COL(approximation, at->bound.approximation, "reward", "first term of the bound") \
  COL(estimation, at->bound.estimation, "reward", "second term") \
  COL(model, at->bound.model, "reward", "third term") \
  COL(iteration, at->bound.iteration, "reward", "last term") \
  COL(bound, at->bound.total, "reward", "sum of the terms") \
  COL(quantile, at->bound.quantile, "1", "inverse normal CDF in the third term") \
  COL(epsilon, plan->options->epsilon * plan->mdp.v_max, "reward", "wanted eps0") \
  COL(samples_hold, at->conditions.samples_hold, "1", "1 if condition (6) holds for epsilon") \
  COL(sigma_holds, at->conditions.sigma_holds, "1", "1 if condition (7) holds for epsilon") \
  COL(log10_samples_needed, at->conditions.log_samples_needed / log(10.0), "1", "for (6)") \
  COL(sigma_allowed, at->conditions.sigma_allowed, "state", "for (7); inf = any") \
  COL(epsilon_bound, at->conditions.total, "reward", "the bound for epsilon, if both hold") \
  COL(loss_mean, summary.loss_mean, "reward", "mean over seeds of || V* - V^piK ||") \
  COL(loss_error, summary.loss_error, "reward", "standard error of loss_mean") \
  COL(loss_max, summary.loss_max, "reward", "largest over seeds") \
  COL(value_error, summary.value_error_mean, "reward", "mean of || V* - V_K ||") \
  COL(step_error_max, summary.step_error_max, "reward", "largest || V_{k+1} - B V_k ||") \
  COL(slope_max, summary.slope_max, "reward / state", "largest slope of any V_k") \
  COL(coverage, summary.coverage, "1", "share of seeds within the bound") \
  COL(step_coverage, summary.step_coverage, "1", "share within d + (eps_N + eps_sigma) / 2")

#define RUN_COLUMNS(COL) \
  COL(iterations, at->iterations, "1", "K") \
  COL(sigma, at->sigma, "state", "scale of the half-normal model error") \
  COL(n_real, at->n_real, "samples", "expected real samples of an iteration") \
  COL(real_ratio, at->real_ratio, "1", "beta") \
  COL(seed, (double)(row % plan->options->seeds), "1", "index of the seed") \
  COL(loss, results[row].loss, "reward", "|| V* - V^piK ||") \
  COL(value_error, results[row].value_error, "reward", "|| V* - V_K ||") \
  COL(step_error, results[row].step_error, "reward", "largest || V_{k+1} - B V_k ||") \
  COL(slope, results[row].slope, "reward / state", "largest slope of any V_k") \
  COL(real_share, results[row].real_share, "1", "share of next states that were real")

#define RATIO_COLUMNS(COL) \
  COL(iterations, at->iterations, "1", "K") \
  COL(sigma, at->sigma, "state", "scale of the half-normal model error") \
  COL(n_real, at->n_real, "samples", "expected real samples of an iteration") \
  COL(bound_ratio, best.best, "1", "beta with the smallest second + third term") \
  COL(bound_interior, best.interior, "1", "its local minimum below 0.999; 1 if none") \
  COL(bound_interior_value, best.interior_value, "reward", "second + third term there") \
  COL(bound_pure_value, best.pure_value, "reward", "second term at beta = 1") \
  COL(measured_ratio, measured.ratio, "1", "beta of the list with the smallest mean loss") \
  COL(measured_low, measured.low, "1", "smallest beta within one standard error of it") \
  COL(measured_high, measured.high, "1", "largest such beta") \
  COL(measured_loss, measured.loss, "reward", "mean loss at measured_ratio")

#define CURVE_COLUMNS(COL) \
  COL(iterations, at->iterations, "1", "K") \
  COL(sigma, at->sigma, "state", "scale of the half-normal model error") \
  COL(n_real, at->n_real, "samples", "expected real samples of an iteration") \
  COL(real_ratio, ratio, "1", "beta") \
  COL(estimation, bound.estimation, "reward", "second term") \
  COL(model, bound.model, "reward", "third term") \
  COL(bound, bound.total, "reward", "sum of all terms")

#define RISE_COLUMNS(COL) \
  COL(iterations, at->iterations, "1", "K") \
  COL(sigma, at->sigma, "state", "scale of the half-normal model error") \
  COL(n_real, n_real, "samples", "expected real samples of an iteration") \
  COL(bound_ratio, best.best, "1", "beta with the smallest second + third term") \
  COL(bound_interior, best.interior, "1", "its local minimum below 0.999; 1 if none")

// clang-format on

#define COLUMN(name, value, unit, meaning) {#name, unit, meaning},
#define VALUE(name, value, unit, meaning) values[count++] = (value);

static const FviColumn setting_columns[] = {SETTING_COLUMNS(COLUMN)};
static const FviColumn run_columns[] = {RUN_COLUMNS(COLUMN)};
static const FviColumn ratio_columns[] = {RATIO_COLUMNS(COLUMN)};
static const FviColumn curve_columns[] = {CURVE_COLUMNS(COLUMN)};
static const FviColumn rise_columns[] = {RISE_COLUMNS(COLUMN)};

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define MAX_COLUMNS 32

static FviTable new_table(const char* name, const FviColumn* columns, int column_count,
                          int64_t rows, Arena* arena) {
  FviTable table = {name, columns, column_count, rows, NULL};
  table.x = ARENA_NEW(arena, column_count * rows, double);
  return table;
}

static void set_row(FviTable* table, int64_t row, const double* values, int count) {
  CHECK(count == table->column_count, "%s has %d columns", table->name, table->column_count);
  for (int c = 0; c < count; c++) {
    table->x[c * table->rows + row] = values[c];
  }
}

const double* fvi_column(const FviTable* table, const char* name) {
  int c = 0;
  while (c < table->column_count && strcmp(table->columns[c].name, name) != 0) {
    c++;
  }
  CHECK(c < table->column_count, "%s has no column %s", table->name, name);
  return table->x + c * table->rows;
}

FviTable fvi_settings_table(const FviPlan* plan, const FviResult* results, Arena* arena) {
  FviTable table =
      new_table("settings", setting_columns, COUNT(setting_columns), plan->setting_count, arena);
  for (int row = 0; row < plan->setting_count; row++) {
    const FviSetting* at = &plan->settings[row];
    FviSummary summary = fvi_fold(plan, row, results + (int64_t)row * plan->options->seeds);
    double values[MAX_COLUMNS];
    int count = 0;
    SETTING_COLUMNS(VALUE)
    set_row(&table, row, values, count);
  }
  return table;
}

FviTable fvi_runs_table(const FviPlan* plan, const FviResult* results, Arena* arena) {
  FviTable table = new_table("runs", run_columns, COUNT(run_columns), fvi_job_count(plan), arena);
  for (int64_t row = 0; row < table.rows; row++) {
    const FviSetting* at = &plan->settings[row / plan->options->seeds];
    double values[MAX_COLUMNS];
    int count = 0;
    RUN_COLUMNS(VALUE)
    set_row(&table, row, values, count);
  }
  return table;
}

typedef struct {
  double ratio, low, high, loss;
} Measured;

// Among the settings first ... first + betas - 1, which differ in beta only.
static Measured best_measured(const FviPlan* plan, int first, const FviResult* results) {
  int betas = plan->options->real_ratio.count;
  int seeds = plan->options->seeds;
  Measured best = {.loss = INFINITY};
  double error = 0.0;
  for (int i = first; i < first + betas; i++) {
    FviSummary summary = fvi_fold(plan, i, results + (int64_t)i * seeds);
    if (summary.loss_mean < best.loss) {
      best.loss = summary.loss_mean;
      best.ratio = plan->settings[i].real_ratio;
      error = summary.loss_error;
    }
  }
  best.low = best.ratio;
  best.high = best.ratio;
  for (int i = first; i < first + betas; i++) {
    FviSummary summary = fvi_fold(plan, i, results + (int64_t)i * seeds);
    if (summary.loss_mean <= best.loss + error) {
      best.low = fmin(best.low, plan->settings[i].real_ratio);
      best.high = fmax(best.high, plan->settings[i].real_ratio);
    }
  }
  return best;
}

FviTable fvi_ratio_table(const FviPlan* plan, const FviResult* results, Arena* arena) {
  int betas = plan->options->real_ratio.count;
  FviTable table = new_table("ratio", ratio_columns, COUNT(ratio_columns),
                             plan->setting_count / betas, arena);
  for (int row = 0; row < table.rows; row++) {
    const FviSetting* at = &plan->settings[row * betas];
    BoundRatio best = bound_optimal_ratio(&at->problem, at->n_real, SMALLEST_RATIO);
    Measured measured = best_measured(plan, row * betas, results);
    double values[MAX_COLUMNS];
    int count = 0;
    RATIO_COLUMNS(VALUE)
    set_row(&table, row, values, count);
  }
  return table;
}

// beta from CURVE_SMALLEST to 1 at equal steps of its logarithm.
FviTable fvi_curve_table(const FviPlan* plan, Arena* arena) {
  int betas = plan->options->real_ratio.count;
  int64_t rows = (int64_t)plan->setting_count / betas * CURVE_POINTS;
  FviTable table = new_table("curve", curve_columns, COUNT(curve_columns), rows, arena);
  for (int64_t row = 0; row < rows; row++) {
    const FviSetting* at = &plan->settings[row / CURVE_POINTS * betas];
    int point = (int)(row % CURVE_POINTS);
    double ratio = exp(log(CURVE_SMALLEST) * (1.0 - point / (CURVE_POINTS - 1.0)));
    double log_samples = bound_log_samples(&at->problem, at->n_real, ratio);
    Bound bound = bound_terms(&at->problem, log_samples, ratio);
    double values[MAX_COLUMNS];
    int count = 0;
    CURVE_COLUMNS(VALUE)
    set_row(&table, row, values, count);
  }
  return table;
}

// N_real from 10 over RISE_DECADES at equal steps of its logarithm.
FviTable fvi_rise_table(const FviPlan* plan, Arena* arena) {
  const FviOptions* options = plan->options;
  int per_sigma = plan->setting_count / options->sigma.count / options->iterations.count;
  int64_t rows = (int64_t)plan->setting_count / per_sigma * RISE_POINTS;
  FviTable table = new_table("rise", rise_columns, COUNT(rise_columns), rows, arena);
  for (int64_t row = 0; row < rows; row++) {
    const FviSetting* at = &plan->settings[row / RISE_POINTS * per_sigma];
    double decades = RISE_DECADES * (double)(row % RISE_POINTS) / (RISE_POINTS - 1.0);
    double n_real = 10.0 * pow(10.0, decades);
    BoundRatio best = bound_optimal_ratio(&at->problem, n_real, SMALLEST_RATIO);
    double values[MAX_COLUMNS];
    int count = 0;
    RISE_COLUMNS(VALUE)
    set_row(&table, row, values, count);
  }
  return table;
}
