#include "nn/gaussian_nll.h"

#include "gradient_check.h"

#define B 6
#define D 5

typedef struct {
  Real head[B * 2 * D];
  Real target[B * D];
  Real max_logvar[D];
  Real min_logvar[D];
  Real d_head[B * 2 * D];
  Real d_max[D];
  Real d_min[D];
} Problem;

static void problem_init(Problem* problem) {
  Rng rng = rng_stream(2, 0, RNG_TEST, 0);
  *problem = (Problem){0};
  fill_normal(problem->head, B * 2 * D, 1, &rng);
  fill_normal(problem->target, B * D, 1, &rng);
  for (int d = 0; d < D; d++) {
    // close bounds, so that both softplus bend
    problem->max_logvar[d] = (Real)(0.5 + 0.1 * d);
    problem->min_logvar[d] = (Real)(-1 - 0.2 * d);
  }
}

static double problem_loss(void* context) {
  Problem* problem = context;
  return gaussian_nll(problem->d_head, problem->d_max, problem->d_min, problem->head,
                      problem->target, problem->max_logvar, problem->min_logvar, B, D);
}

static void all_gradients_equal_central_differences(void** state) {
  (void)state;
  Problem problem, gradients;
  problem_init(&problem);
  gradients = problem;
  problem_loss(&gradients);
  assert_gradient(problem_loss, &problem, problem.head, gradients.d_head, B * 2 * D);
  assert_gradient(problem_loss, &problem, problem.max_logvar, gradients.d_max, D);
  assert_gradient(problem_loss, &problem, problem.min_logvar, gradients.d_min, D);
}

static void gradients_of_the_bounds_are_added(void** state) {
  (void)state;
  Problem once, twice;
  problem_init(&once);
  problem_init(&twice);
  problem_loss(&once);
  problem_loss(&twice);
  problem_loss(&twice);
  for (int d = 0; d < D; d++) {
    assert_true(fabs((double)(twice.d_max[d] - 2 * once.d_max[d])) < 1e-6);
    assert_true(fabs((double)(twice.d_min[d] - 2 * once.d_min[d])) < 1e-6);
  }
  assert_memory_equal(once.d_head, twice.d_head, sizeof once.d_head);
}

static void loss_is_the_negative_log_density_up_to_a_constant(void** state) {
  (void)state;
  // bounds far away: lv = raw; loss = error^2 exp(-lv) + lv
  const Real head[] = {1, (Real)-0.5};
  const Real target[] = {3};
  const Real max[] = {50};
  const Real min[] = {-50};
  Real d_head[2], d_max[1] = {0}, d_min[1] = {0};
  double loss = gaussian_nll(d_head, d_max, d_min, head, target, max, min, 1, 1);
  assert_true(fabs(loss - (4 * exp(0.5) - 0.5)) < 1e-5);
}

static void sample_has_the_bounded_deviation(void** state) {
  (void)state;
  const Real head[] = {1, 2, 100, -100};  // (1, 2D): means 1 and 2, log-variances out of bounds
  const Real noise[] = {2, -2};
  const Real max[] = {(Real)0.5, (Real)0.5};
  const Real min[] = {-10, -10};
  Real sample[2];
  gaussian_sample(sample, head, noise, max, min, 1, 2);
  // softplus(10.5) - 10.5 = 3e-5 shows in the upper end; the lower end is exact
  assert_true(fabs((double)sample[0] - (1 + 2 * exp(0.25))) < 1e-4);
  assert_true(fabs((double)sample[1] - (2 - 2 * exp(-5))) < 1e-5);
}

static void squared_error_is_summed_over_rows_and_columns(void** state) {
  (void)state;
  const Real head[] = {1, 2, 9, 9, 3, 4, 9, 9};
  const Real target[] = {0, 4, 3, 1};
  assert_true(gaussian_squared_error(head, target, 2, 2) == 1 + 4 + 0 + 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_gradients_equal_central_differences),
      cmocka_unit_test(gradients_of_the_bounds_are_added),
      cmocka_unit_test(loss_is_the_negative_log_density_up_to_a_constant),
      cmocka_unit_test(sample_has_the_bounded_deviation),
      cmocka_unit_test(squared_error_is_summed_over_rows_and_columns),
  };
  return cmocka_run_group_tests_name("gaussian_nll", tests, NULL, NULL);
}
