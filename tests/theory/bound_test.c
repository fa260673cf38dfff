#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "theory/bound.h"
#include "theory/normal.h"

static BoundProblem problem(void) {
  return (BoundProblem){
      .gamma = 0.9,
      .v_max = 10.0,
      .p = 1.0,
      .delta = 0.1,
      .iterations = 20,
      .actions = 2,
      .sigma = 1e-3,
      .lipschitz = 50.0,
      .bellman_error = 0.25,
      .concentrability = 20.0,
      .initial_error = 10.0,
      .capacity = CAPACITY_COVER,
      .parameters = 16,
  };
}

static void assert_relative(double value, double expected, double tolerance) {
  if (!(fabs(value / expected - 1.0) <= tolerance)) {
    fail_msg("%.17g is not %.17g within a relative %g", value, expected, tolerance);
  }
}

// (6) and (7), typed in once more without logarithms.
static void conditions_are_those_of_the_paper(void** state) {
  (void)state;
  BoundProblem at = problem();
  at.capacity = CAPACITY_LITERAL;
  double N = 5e6;
  double epsilon = 8.0;
  double delta0 = 0.1 / 20;
  double samples = 128.0 * pow(8.0 * 10.0 / epsilon, 2.0) * (log(1.0 / delta0) + log(32.0 * N));
  assert_relative(exp(bound_log_condition(&at, log(N), epsilon)), samples, 1e-12);
  double quantile = normal_quantile(1.0 - delta0 / (8.0 * N * 2 * (1.0 - 0.3)));
  BoundConditions conditions = bound_conditions(&at, log(N), 0.3, epsilon);
  // 1 - 1e-10 is rounded to 1e-16: six digits of the tail are left
  assert_relative(conditions.sigma_allowed, epsilon / (4.0 * 0.9 * 50.0 * quantile), 1e-6);
  assert_true(conditions.samples_hold == (N > samples));
}

static void capacity_counts_a_cover_of_the_class(void** state) {
  (void)state;
  BoundProblem at = problem();
  double epsilon = 5.0;
  double radius = epsilon / 32.0;
  double expected = log(20 / 0.1) + log(32.0) + 16.0 * log(1.0 + 10.0 / (2.0 * radius));
  expected *= 128.0 * pow(8.0 * 10.0 / epsilon, 2.0);
  assert_relative(exp(bound_log_condition(&at, 0.0, epsilon)), expected, 1e-12);
  at.p = 2.0;
  radius = pow(epsilon / 4.0, 2.0) / 8.0 / (2.0 * 20.0);
  expected = log(20 / 0.1) + log(32.0) + 16.0 * log(1.0 + 10.0 / (2.0 * radius));
  expected *= 128.0 * pow(8.0 * 10.0 / epsilon, 4.0);
  assert_relative(exp(bound_log_condition(&at, 0.0, epsilon)), expected, 1e-12);
}

static void samples_needed_are_where_condition_6_turns_true(void** state) {
  (void)state;
  for (int capacity = 0; capacity < 2; capacity++) {
    for (double epsilon = 1e-3; epsilon < 20.0; epsilon *= 7.0) {
      BoundProblem at = problem();
      at.capacity = (Capacity)capacity;
      double needed = bound_log_samples_needed(&at, epsilon);
      assert_true(bound_conditions(&at, needed + 1e-9, 0.5, epsilon).samples_hold);
      assert_false(bound_conditions(&at, needed - 1e-9, 0.5, epsilon).samples_hold);
      assert_relative(bound_epsilon_samples(&at, needed), epsilon, 1e-9);
    }
  }
}

static void sigma_allowed_is_where_condition_7_turns_true(void** state) {
  (void)state;
  BoundProblem at = problem();
  double allowed = bound_conditions(&at, log(1e4), 0.2, 3.0).sigma_allowed;
  at.sigma = allowed * (1.0 - 1e-12);
  assert_true(bound_conditions(&at, log(1e4), 0.2, 3.0).sigma_holds);
  assert_relative(bound_epsilon_sigma(&at, log(1e4), 0.2), 3.0, 1e-11);
  at.sigma = allowed * (1.0 + 1e-12);
  assert_false(bound_conditions(&at, log(1e4), 0.2, 3.0).sigma_holds);
}

static void estimation_term_rises_and_model_term_falls_with_the_ratio(void** state) {
  (void)state;
  BoundProblem at = problem();
  double estimation = 0.0;
  double model = INFINITY;
  for (double ratio = 1e-6; ratio < 1.0; ratio *= 1.1) {
    Bound bound = bound_terms(&at, bound_log_samples(&at, 1e4, ratio), ratio);
    assert_true(bound.estimation > estimation);
    assert_true(bound.model < model);
    estimation = bound.estimation;
    model = bound.model;
  }
}

static void terms_depend_on_ratio_over_n_real_only_up_to_one_minus_the_ratio(void** state) {
  (void)state;
  BoundProblem at = problem();
  Bound small = bound_terms(&at, bound_log_samples(&at, 1e4, 1e-4), 1e-4);
  Bound large = bound_terms(&at, bound_log_samples(&at, 1e6, 1e-2), 1e-2);
  assert_relative(small.estimation, large.estimation, 1e-12);
  // log(1 - beta) differs by 0.01 in a tail of about exp(-26)
  assert_relative(small.model, large.model, 1e-3);
}

// Argument 1 - delta0 / (8 N |A| (1 - beta)) below 1/2: fewer than delta0 / 4 model samples.
static void model_term_is_clipped_at_zero_near_ratio_one(void** state) {
  (void)state;
  BoundProblem at = problem();
  double delta0 = 0.1 / 20;
  double N = 1000.0;
  double edge = delta0 / (4.0 * N * 2.0);  // 1 - beta at which the argument is 1/2
  assert_true(bound_quantile(&at, log(N), 1.0) == 0.0);
  assert_true(bound_quantile(&at, log(N), 1.0 - 0.99 * edge) == 0.0);
  assert_true(bound_quantile(&at, log(N), 1.0 - 1.01 * edge) > 0.0);
  assert_true(bound_quantile(&at, log(N), 1.0 - 1.01 * edge) < 0.02);
  assert_true(bound_terms(&at, log(N), 1.0).model == 0.0);
  assert_true(bound_conditions(&at, log(N), 1.0, 1.0).sigma_allowed == INFINITY);
}

static void terms_add_up_with_the_constants_of_the_theorem(void** state) {
  (void)state;
  BoundProblem at = problem();
  Bound bound = bound_terms(&at, log(1e6), 0.5);
  double scale = 2.0 * 0.9 / 0.01 * 20.0;
  assert_relative(bound.approximation, scale * 0.25, 1e-12);
  assert_relative(bound.estimation, scale * 0.5 * bound.epsilon_n, 1e-12);
  assert_relative(bound.model, scale * 0.5 * bound.epsilon_sigma, 1e-12);
  assert_relative(bound.iteration, 2.0 * 0.9 / 0.1 * pow(0.9, 20) * 10.0, 1e-12);
  double sum = bound.approximation + bound.estimation + bound.model + bound.iteration;
  assert_relative(bound.total, sum, 1e-15);
}

// The sum form never exceeds the form with eps0 = max(epsilon_N, epsilon_sigma).
static void sum_form_is_at_most_the_lemma_form(void** state) {
  (void)state;
  BoundProblem at = problem();
  for (double sigma = 1e-8; sigma < 10.0; sigma *= 10.0) {
    at.sigma = sigma;
    Bound bound = bound_terms(&at, log(1e5), 0.3);
    double epsilon = fmax(bound.epsilon_n, bound.epsilon_sigma);
    assert_true(bound.total <= bound_conditions(&at, log(1e5), 0.3, epsilon).total * (1 + 1e-12));
  }
}

static void optimal_ratio_rises_with_real_data_and_falls_with_a_better_model(void** state) {
  (void)state;
  BoundProblem at = problem();
  double before = 0.0;
  double best_before = 0.0;
  for (double n_real = 1e5; n_real < 1e11; n_real *= 10.0) {
    BoundRatio ratio = bound_optimal_ratio(&at, n_real, 1e-12);
    assert_true(ratio.interior > before);
    assert_true(ratio.best >= best_before);
    before = ratio.interior;
    best_before = ratio.best;
  }
  BoundRatio rough = bound_optimal_ratio(&at, 1e8, 1e-12);
  at.sigma *= 0.1;
  assert_true(bound_optimal_ratio(&at, 1e8, 1e-12).interior < rough.interior);
}

// With p = 1 the best beta / N_real is the same for every N_real, as long as beta is far below 1.
static void optimal_ratio_is_proportional_to_real_data(void** state) {
  (void)state;
  BoundProblem at = problem();
  double few = bound_optimal_ratio(&at, 1e5, 1e-12).interior;
  double many = bound_optimal_ratio(&at, 1e7, 1e-12).interior;
  assert_true(many < 0.01);
  assert_relative(many / few, 100.0, 0.02);
}

static void extreme_sizes_stay_finite(void** state) {
  (void)state;
  BoundProblem at = problem();
  at.delta = 1e-300;
  Bound bound = bound_terms(&at, 1500.0, 0.5);
  assert_true(isfinite(bound.total) && bound.model > 0.0);
  assert_relative(bound.quantile, sqrt(2.0 * 2190.0), 0.02);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conditions_are_those_of_the_paper),
      cmocka_unit_test(capacity_counts_a_cover_of_the_class),
      cmocka_unit_test(samples_needed_are_where_condition_6_turns_true),
      cmocka_unit_test(sigma_allowed_is_where_condition_7_turns_true),
      cmocka_unit_test(estimation_term_rises_and_model_term_falls_with_the_ratio),
      cmocka_unit_test(terms_depend_on_ratio_over_n_real_only_up_to_one_minus_the_ratio),
      cmocka_unit_test(model_term_is_clipped_at_zero_near_ratio_one),
      cmocka_unit_test(terms_add_up_with_the_constants_of_the_theorem),
      cmocka_unit_test(sum_form_is_at_most_the_lemma_form),
      cmocka_unit_test(optimal_ratio_rises_with_real_data_and_falls_with_a_better_model),
      cmocka_unit_test(optimal_ratio_is_proportional_to_real_data),
      cmocka_unit_test(extreme_sizes_stay_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
