#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "theory/fvi_tables.h"

// A plan made from key=value settings.
typedef struct {
  Arena arena;
  Arena scratch;
  Options set;
  FviOptions options;
  FviPlan plan;
} Fixture;

static void open_plan(Fixture* f, const char* const* assignments, int count) {
  Error error = {0};
  memset(f, 0, sizeof *f);
  arena_init(&f->arena);
  arena_init(&f->scratch);
  options_init(&f->set, &f->arena, NULL, NULL);
  options_section(&f->set, "fvi", fvi_option_table(), &f->options);
  for (int i = 0; i < count; i++) {
    if (!options_override(&f->set, assignments[i], &error)) {
      fail_msg("%s", error.text);
    }
  }
  if (!fvi_plan(&f->plan, &f->options, true, &f->arena, &f->scratch, &error)) {
    fail_msg("%s", error.text);
  }
}

#define OPEN_PLAN(f, ...) \
  do { \
    const char* const assignments[] = {__VA_ARGS__}; \
    open_plan(f, assignments, (int)(sizeof assignments / sizeof *assignments)); \
  } while (0)

static void close_plan(Fixture* f) {
  arena_free(&f->scratch);
  arena_free(&f->arena);
}

static FviResult* run_all(Fixture* f) {
  FviResult* results = ARENA_NEW(&f->arena, fvi_job_count(&f->plan), FviResult);
  for (int64_t job = 0; job < fvi_job_count(&f->plan); job++) {
    fvi_job_run(&results[job], &f->plan, job, &f->scratch);
  }
  return results;
}

// beta = 1 and many samples of a class that holds every BV: exactly value iteration.
static void without_any_error_it_is_value_iteration(void** state) {
  (void)state;
  const char* const problems[] = {"fvi.mdp=ring", "fvi.mdp=random", "fvi.mdp=pendulum"};
  for (int i = 0; i < 3; i++) {
    Fixture f;
    OPEN_PLAN(&f, problems[i], "fvi.cells=8", "fvi.sigma=[0]", "fvi.real_ratio=[0.5, 1]",
              "fvi.n_real=[6000]", "fvi.iterations=[60]", "fvi.seeds=1");
    FviResult* results = run_all(&f);
    for (int job = 0; job < 2; job++) {
      assert_true(results[job].loss < 1e-12);
      // gamma^60 V_max = 0.018, and no sampled backup adds to it but by rounding
      assert_true(results[job].value_error <= pow(0.9, 60) * 10.0);
      assert_true(results[job].step_error < 1e-12);
    }
    close_plan(&f);
  }
}

static void a_bad_model_costs_and_real_data_repairs(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.cells=32", "fvi.sigma=[0.1]", "fvi.real_ratio=[0.01, 1]",
            "fvi.n_real=[1000]", "fvi.iterations=[40]", "fvi.seeds=10");
  FviResult* results = run_all(&f);
  FviSummary model = fvi_fold(&f.plan, 0, results);
  FviSummary real = fvi_fold(&f.plan, 1, results + 10);
  assert_true(real.loss_mean == 0.0);
  assert_true(model.loss_mean > 10.0 * model.loss_error && model.loss_mean > 0.1);
  assert_true(fabs(results[0].real_share - 0.01) < 0.002);
  assert_true(results[10].real_share == 1.0);
  close_plan(&f);
}

// A constant fits the slope w of the rewards in a cell best in its middle: then the error of every
// step is the inherent Bellman error, and with N samples it exceeds it by O(1 / sqrt(N)).
static void step_error_tends_to_the_inherent_bellman_error(void** state) {
  (void)state;
  const char* const norms[] = {"fvi.p=1", "fvi.p=2", "fvi.p=3"};
  for (int i = 0; i < 3; i++) {
    Fixture f;
    OPEN_PLAN(&f, norms[i], "fvi.cells=4", "fvi.sigma=[0]", "fvi.wiggle=0.4", "fvi.gamma=0.5",
              "fvi.real_ratio=[1]", "fvi.n_real=[80000]", "fvi.iterations=[2]", "fvi.seeds=1");
    FviResult* results = run_all(&f);
    double error = f.plan.settings[0].problem.bellman_error;
    assert_true(results[0].step_error >= error * (1.0 - 1e-12));
    assert_true(results[0].step_error <= error * 1.01);
    close_plan(&f);
  }
}

// 200000 draws: a share of 5 percent is known within 0.0005, the mean within 0.0014 sigma; five of
// these are allowed.
static void model_error_is_half_normal_in_any_direction(void** state) {
  (void)state;
  for (int dims = 1; dims <= MDP_DIMS; dims++) {
    Rng rng = rng_stream(5, 0, RNG_TEST, dims);
    double mean = 0.0;
    double beyond = 0.0;
    double first = 0.0;
    double second = 0.0;
    for (int i = 0; i < 200000; i++) {
      double error[MDP_DIMS] = {0};
      fvi_model_error(error, 3.0, dims, &rng);
      double length = hypot(error[0], error[1]);
      mean += length / 200000;
      beyond += (length > 6.0) / 200000.0;
      first += error[0] / 200000;
      second += error[1] / 200000;
    }
    assert_true(fabs(mean / 3.0 - sqrt(2.0 / acos(-1.0))) < 5 * 0.0014);
    assert_true(fabs(beyond - 0.0455002639) < 5 * 0.0005);
    assert_true(fabs(first) < 0.04 && fabs(second) < 0.04);
  }
}

static void smaller_sigma_means_smaller_errors(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.cells=16", "fvi.gap=1", "fvi.sigma=[0, 0.003, 0.01, 0.03]",
            "fvi.real_ratio=[0.001]", "fvi.n_real=[20]", "fvi.iterations=[20]", "fvi.seeds=5",
            "fvi.model=fresh", "fvi.p=2");
  FviResult* results = run_all(&f);
  double before = -1.0;
  for (int i = 0; i < 4; i++) {
    FviSummary summary = fvi_fold(&f.plan, i, results + i * 5);
    assert_true(summary.step_error_max > before);
    before = summary.step_error_max;
  }
  close_plan(&f);
}

static void a_job_depends_on_nothing_but_its_index(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.cells=16", "fvi.wiggle=0.2", "fvi.n_real=[20, 60]",
            "fvi.real_ratio=[0.1, 0.5, 1]", "fvi.iterations=[5]", "fvi.seeds=3");
  FviResult* forward = run_all(&f);
  int64_t jobs = fvi_job_count(&f.plan);
  assert_int_equal(jobs, 18);
  Arena other;  // a scratch arena that has seen nothing
  arena_init(&other);
  for (int64_t job = jobs - 1; job >= 0; job--) {
    FviResult again;
    fvi_job_run(&again, &f.plan, job, &other);
    assert_memory_equal(&again, &forward[job], sizeof again);
  }
  arena_free(&other);
  close_plan(&f);
}

static void more_settings_do_not_change_the_results_of_one(void** state) {
  (void)state;
  Fixture f;
  Fixture g;
  OPEN_PLAN(&f, "fvi.n_real=[60]", "fvi.real_ratio=[0.5]", "fvi.iterations=[5]", "fvi.seeds=2");
  OPEN_PLAN(&g, "fvi.n_real=[20, 60]", "fvi.real_ratio=[0.2, 0.5]", "fvi.iterations=[5]",
            "fvi.seeds=4");
  FviResult* few = run_all(&f);
  FviResult* many = run_all(&g);
  assert_memory_equal(&few[0], &many[3 * 4], sizeof *few);
  assert_memory_equal(&few[1], &many[3 * 4 + 1], sizeof *few);
  close_plan(&g);
  close_plan(&f);
}

// Both conditions hold, the bound is below V_max, and it covers every seed.
static void bound_that_is_not_vacuous_holds(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.cells=6", "fvi.gamma=0.1", "fvi.gap=1", "fvi.wiggle=0.1", "fvi.epsilon=0.75",
            "fvi.solve_samples=true", "fvi.iterations=[2]", "fvi.sigma=[0.04]",
            "fvi.real_ratio=[0.2]", "fvi.seeds=5");
  const FviSetting* at = &f.plan.settings[0];
  assert_true(at->conditions.samples_hold && at->conditions.sigma_holds);
  assert_true(at->bound.total < f.plan.mdp.v_max && at->conditions.total < f.plan.mdp.v_max);
  assert_true(at->bound.total <= at->conditions.total);
  FviSummary summary = fvi_fold(&f.plan, 0, run_all(&f));
  assert_true(summary.coverage == 1.0 && summary.step_coverage == 1.0);
  close_plan(&f);
}

static void fold_counts_the_seeds_within_the_bound(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.seeds=4", "fvi.n_real=[100]", "fvi.real_ratio=[1]");
  double bound = f.plan.settings[0].bound.total;
  FviResult results[4] = {{.loss = 0.0}, {.loss = bound}, {.loss = 2 * bound}, {.loss = 3 * bound}};
  FviSummary summary = fvi_fold(&f.plan, 0, results);
  assert_true(summary.coverage == 0.5);
  assert_true(fabs(summary.loss_mean / bound - 1.5) < 1e-12);
  assert_true(summary.loss_max == 3 * bound);
  // standard deviation of 0, 1, 2, 3 is sqrt(5 / 3)
  assert_true(fabs(summary.loss_error / bound - sqrt(5.0 / 12.0)) < 1e-12);
  close_plan(&f);
}

static void too_many_samples_are_an_error_only_for_a_run(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.n_real=[100]");
  f.options.max_samples = 99;
  f.options.real_ratio = (OptionList){1, {0.5}};
  Error error = {0};
  assert_false(fvi_plan(&f.plan, &f.options, true, &f.arena, &f.scratch, &error));
  assert_non_null(strstr(error.text, "fvi.max_samples = 99"));
  assert_true(fvi_plan(&f.plan, &f.options, false, &f.arena, &f.scratch, &error));
  f.options.epsilon = 1e-9;
  f.options.solve_samples = true;
  assert_true(fvi_plan(&f.plan, &f.options, false, &f.arena, &f.scratch, &error));
  assert_true(isfinite(f.plan.settings[0].bound.total));
  close_plan(&f);
}

static void tables_hold_the_results_in_order(void** state) {
  (void)state;
  Fixture f;
  OPEN_PLAN(&f, "fvi.n_real=[40, 80]", "fvi.real_ratio=[0.5, 1]", "fvi.iterations=[3]",
            "fvi.sigma=[0.01, 0.1]", "fvi.seeds=2");
  FviResult* results = run_all(&f);
  FviTable settings = fvi_settings_table(&f.plan, results, &f.arena);
  FviTable runs = fvi_runs_table(&f.plan, results, &f.arena);
  FviTable ratio = fvi_ratio_table(&f.plan, results, &f.arena);
  assert_int_equal(settings.rows, 8);
  assert_int_equal(runs.rows, 16);
  assert_int_equal(ratio.rows, 4);
  assert_true(fvi_column(&settings, "n_real")[2] == 80.0);
  assert_true(fvi_column(&settings, "sigma")[4] == 0.1);
  assert_true(fvi_column(&runs, "loss")[15] == results[15].loss);
  for (int i = 0; i < 4; i++) {
    double measured = fvi_column(&ratio, "measured_ratio")[i];
    assert_true(measured == 0.5 || measured == 1.0);
    assert_true(fvi_column(&ratio, "measured_low")[i] <= measured);
    assert_true(fvi_column(&ratio, "measured_high")[i] >= measured);
  }
  close_plan(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_any_error_it_is_value_iteration),
      cmocka_unit_test(a_bad_model_costs_and_real_data_repairs),
      cmocka_unit_test(step_error_tends_to_the_inherent_bellman_error),
      cmocka_unit_test(model_error_is_half_normal_in_any_direction),
      cmocka_unit_test(smaller_sigma_means_smaller_errors),
      cmocka_unit_test(a_job_depends_on_nothing_but_its_index),
      cmocka_unit_test(more_settings_do_not_change_the_results_of_one),
      cmocka_unit_test(bound_that_is_not_vacuous_holds),
      cmocka_unit_test(fold_counts_the_seeds_within_the_bound),
      cmocka_unit_test(too_many_samples_are_an_error_only_for_a_run),
      cmocka_unit_test(tables_hold_the_results_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
