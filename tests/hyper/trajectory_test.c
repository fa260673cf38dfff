// The scores of the hyper-episodes of a stage.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hyper/trajectory.h"

#define COUNT 3

static void expect_scores(const Outcome outcomes[COUNT], const double expected[COUNT],
                          int diverged) {
  Trajectory trajectories[COUNT] = {0};
  double scores[COUNT];
  for (int i = 0; i < COUNT; i++) {
    trajectories[i].outcome = outcomes[i];
  }
  assert_int_equal(trajectory_scores(scores, trajectories, COUNT), diverged);
  for (int i = 0; i < COUNT; i++) {
    assert_true(scores[i] == expected[i]);
  }
}

// A run that lost its last epoch alone may have earned more than those that came to their end.
static void one_that_diverged_can_only_lower_the_score(void** state) {
  (void)state;
  expect_scores((Outcome[]){{false, 100}, {false, 400}, {false, 200}},
                (double[]){100, 400, 200}, 0);
  expect_scores((Outcome[]){{false, 100}, {true, 9000}, {false, 400}},
                (double[]){100, 100, 400}, 1);
  expect_scores((Outcome[]){{false, 100}, {true, -800}, {false, 400}},
                (double[]){100, -800, 400}, 1);
}

static void a_stage_of_nothing_else_still_has_scores(void** state) {
  (void)state;
  expect_scores((Outcome[]){{true, -100}, {true, -300}, {true, -200}},
                (double[]){-100, -300, -200}, 3);
}

static void a_feature_is_clipped_if_it_never_leaves_one_clip(void** state) {
  (void)state;
  double states[2][2 * FEATURE_COUNT] = {{0}};
  Trajectory stage[2] = {{.decisions = 2, .state = states[0]}, {.decisions = 2, .state = states[1]}};
  for (int i = 0; i < 4; i++) {
    double* row = &states[i / 2][(i % 2) * FEATURE_COUNT];
    row[FEATURE_MODEL_LOSS] = 1;
    row[FEATURE_CRITIC_LOSS] = i == 3 ? 0.5 : 1;
    row[FEATURE_POLICY_CHANGE] = i % 2;
  }
  assert_true(trajectories_clip(stage, 2, FEATURE_MODEL_LOSS, 0));
  assert_false(trajectories_clip(stage, 2, FEATURE_CRITIC_LOSS, 0));
  assert_false(trajectories_clip(stage, 2, FEATURE_POLICY_CHANGE, 0));
  assert_true(trajectories_clip(stage, 2, FEATURE_EVAL_RETURN, 0));
  assert_false(trajectories_clip(stage, 2, FEATURE_EVAL_RETURN, -1));
  assert_false(trajectories_clip(stage, 0, FEATURE_MODEL_LOSS, 0));
  stage[0].decisions = 1;
  assert_true(trajectories_clip(stage, 1, FEATURE_MODEL_LOSS, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_that_diverged_can_only_lower_the_score),
      cmocka_unit_test(a_feature_is_clipped_if_it_never_leaves_one_clip),
      cmocka_unit_test(a_stage_of_nothing_else_still_has_scores),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
