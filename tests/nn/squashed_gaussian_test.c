#include "nn/squashed_gaussian.h"

#include "gradient_check.h"

#define B 7
#define A 3

typedef struct {
  Real head[B * 2 * A];
  Real noise[B * A];
  Real act[B * A];
  Real logp[B];
  Real act_weight[B * A];
  Real logp_weight[B];
} Problem;

static void problem_init(Problem* problem) {
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  fill_normal(problem->head, B * 2 * A, 0.7, &rng);
  fill_normal(problem->noise, B * A, 1, &rng);
  fill_normal(problem->act_weight, B * A, 1, &rng);
  fill_normal(problem->logp_weight, B, 1, &rng);
}

static double problem_loss(void* context) {
  Problem* problem = context;
  squashed_gaussian_forward(problem->act, problem->logp, problem->head, problem->noise, B, A);
  double loss = 0;
  for (int i = 0; i < B * A; i++) {
    loss += (double)problem->act_weight[i] * (double)problem->act[i];
  }
  for (int b = 0; b < B; b++) {
    loss += (double)problem->logp_weight[b] * (double)problem->logp[b];
  }
  return loss;
}

static void backward_equals_central_differences(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  problem_loss(&problem);
  Real d_head[B * 2 * A];
  squashed_gaussian_backward(d_head, problem.act_weight, problem.logp_weight, problem.act,
                             problem.noise, problem.head, B, A);
  assert_gradient(problem_loss, &problem, problem.head, d_head, B * 2 * A);
}

static void clamped_log_std_gets_no_gradient_and_is_clamped(void** state) {
  (void)state;
  Problem problem, edge;
  problem_init(&problem);
  problem.head[A] = 5;        // row 0
  problem.head[A + 1] = -40;
  edge = problem;
  edge.head[A] = LOG_STD_MAX;
  edge.head[A + 1] = LOG_STD_MIN;
  problem_loss(&problem);
  problem_loss(&edge);
  assert_memory_equal(problem.act, edge.act, sizeof edge.act);
  assert_memory_equal(problem.logp, edge.logp, sizeof edge.logp);
  Real d_head[B * 2 * A];
  squashed_gaussian_backward(d_head, problem.act_weight, problem.logp_weight, problem.act,
                             problem.noise, problem.head, B, A);
  assert_true(d_head[A] == 0 && d_head[A + 1] == 0 && d_head[A + 2] != 0);
}

static void density_of_one_action_integrates_to_one(void** state) {
  (void)state;
  // midpoint rule over act in (-1, 1); the density vanishes at both ends
  enum { CELLS = 4000 };
  static Real head[CELLS * 2], act[CELLS], logp[CELLS];
  for (int i = 0; i < CELLS; i++) {
    head[2 * i] = (Real)0.3;
    head[2 * i + 1] = (Real)-0.9;
    act[i] = (Real)(-1 + (2 * i + 1) / (double)CELLS);
  }
  squashed_gaussian_logp(logp, head, act, CELLS, 1);
  double integral = 0;
  for (int i = 0; i < CELLS; i++) {
    integral += exp((double)logp[i]) * 2 / CELLS;
  }
  assert_true(fabs(integral - 1) < 1e-4);
}

static void logp_of_drawn_actions_equals_forward(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  problem_loss(&problem);
  Real logp[B];
  squashed_gaussian_logp(logp, problem.head, problem.act, B, A);
  // atanh near +-1 multiplies the rounding of act by 1 / (1 - act^2): below 100 for these draws
  double tolerance = sizeof(Real) == 4 ? 1e-3 : 1e-10;
  for (int b = 0; b < B; b++) {
    assert_true(fabs((double)(logp[b] - problem.logp[b])) < tolerance);
  }
}

static void extreme_heads_give_finite_values(void** state) {
  (void)state;
  const Real head[] = {60, -60, 2, 2, 0, 30, -20, -20};
  const Real noise[] = {5, -5, 0, 4};
  Real act[4], logp[2];
  squashed_gaussian_forward(act, logp, head, noise, 2, 2);
  for (int i = 0; i < 4; i++) {
    assert_true(fabs((double)act[i]) <= 1);
  }
  assert_true(isfinite((double)logp[0]) && isfinite((double)logp[1]));
  const Real edge[] = {1, -1, 1, 1};
  squashed_gaussian_logp(logp, head, edge, 2, 2);
  assert_true(isfinite((double)logp[0]));
}

static void rows_do_not_depend_on_their_batch(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  problem_loss(&problem);
  for (int b = 0; b < B; b++) {
    Real act[A], mean[A], whole_mean[B * A], logp;
    squashed_gaussian_forward(act, &logp, problem.head + b * 2 * A, problem.noise + b * A, 1, A);
    assert_memory_equal(act, problem.act + b * A, sizeof act);
    assert_memory_equal(&logp, problem.logp + b, sizeof logp);
    squashed_gaussian_mean(mean, problem.head + b * 2 * A, 1, A);
    squashed_gaussian_mean(whole_mean, problem.head, B, A);
    assert_memory_equal(mean, whole_mean + b * A, sizeof mean);
  }
}

static void mean_is_the_action_without_noise(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  Real zero[B * A] = {0}, drawn[B * A], mean[B * A];
  squashed_gaussian_forward(drawn, NULL, problem.head, zero, B, A);
  squashed_gaussian_mean(mean, problem.head, B, A);
  assert_memory_equal(drawn, mean, sizeof mean);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(backward_equals_central_differences),
      cmocka_unit_test(clamped_log_std_gets_no_gradient_and_is_clamped),
      cmocka_unit_test(density_of_one_action_integrates_to_one),
      cmocka_unit_test(logp_of_drawn_actions_equals_forward),
      cmocka_unit_test(extreme_heads_give_finite_values),
      cmocka_unit_test(rows_do_not_depend_on_their_batch),
      cmocka_unit_test(mean_is_the_action_without_noise),
  };
  return cmocka_run_group_tests_name("squashed_gaussian", tests, NULL, NULL);
}
