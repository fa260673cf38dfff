#include "nn/categorical.h"

#include "gradient_check.h"

#define K 4

typedef struct {
  Real logits[K];
  int choice;
} Problem;

static double problem_loss(void* context) {
  Problem* problem = context;
  Real logp[K];
  categorical_logp(logp, problem->logits, 1, K);
  return 3 * (double)logp[problem->choice];
}

static void backward_equals_central_differences(void** state) {
  (void)state;
  for (int choice = 0; choice < K; choice++) {
    Problem problem = {{1, (Real)-0.5, 2, (Real)0.25}, choice};
    Real logp[K], d_logits[K] = {0};
    categorical_logp(logp, problem.logits, 1, K);
    categorical_logp_backward(d_logits, logp, choice, 3, K);
    assert_gradient(problem_loss, &problem, problem.logits, d_logits, K);
  }
}

static void probabilities_sum_to_one_for_large_logits(void** state) {
  (void)state;
  const Real logits[2 * K] = {1000, 999, -1000, 0, 1, 2, 3, 4};
  Real logp[2 * K];
  categorical_logp(logp, logits, 2, K);
  for (int b = 0; b < 2; b++) {
    double sum = 0;
    for (int k = 0; k < K; k++) {
      sum += exp((double)logp[b * K + k]);
    }
    // the logits' own rounding: 1000 carries 6e-5 in float
    assert_true(fabs(sum - 1) < 2e-4);
  }
}

static void choice_inverts_the_cumulative_distribution(void** state) {
  (void)state;
  const Real logits[] = {(Real)log(0.1), (Real)log(0.2), (Real)log(0.3), (Real)log(0.4)};
  Real logp[K];
  categorical_logp(logp, logits, 1, K);
  assert_int_equal(categorical_choose(logp, K, 0), 0);
  assert_int_equal(categorical_choose(logp, K, 0.0999), 0);
  assert_int_equal(categorical_choose(logp, K, 0.1001), 1);
  assert_int_equal(categorical_choose(logp, K, 0.2999), 1);
  assert_int_equal(categorical_choose(logp, K, 0.3001), 2);
  assert_int_equal(categorical_choose(logp, K, 0.6001), 3);
  assert_int_equal(categorical_choose(logp, K, 1 - 0x1p-53), 3);
}

static void entropy_of_equal_choices_is_log_k(void** state) {
  (void)state;
  const Real logits[K] = {2, 2, 2, 2};
  Real logp[K];
  categorical_logp(logp, logits, 1, K);
  assert_true(fabs(categorical_entropy(logp, K) - log(K)) < 1e-6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(backward_equals_central_differences),
      cmocka_unit_test(probabilities_sum_to_one_for_large_logits),
      cmocka_unit_test(choice_inverts_the_cumulative_distribution),
      cmocka_unit_test(entropy_of_equal_choices_is_log_k),
  };
  return cmocka_run_group_tests_name("categorical", tests, NULL, NULL);
}
