#include "nn/adam.h"

#include <string.h>

#include "gradient_check.h"

#define P 37  // no multiple of a vector
#define STEPS 5

typedef struct {
  Arena arena;
  Adam adam;
  Rng rng;
  Real params[P];
  Real targets[P];
  Real grad[P];
} Problem;

static void problem_init(Problem* problem) {
  arena_init(&problem->arena);
  adam_init(&problem->adam, P, 1e-2, &problem->arena);
  problem->rng = rng_stream(4, 0, RNG_TEST, 0);
  fill_normal(problem->params, P, 1, &problem->rng);
  fill_normal(problem->targets, P, 1, &problem->rng);
}

static void problem_run(Problem* problem, int steps) {
  for (int i = 0; i < steps; i++) {
    fill_normal(problem->grad, P, 1, &problem->rng);
    adam_step_polyak(&problem->adam, problem->params, problem->grad, problem->targets, 0.1);
  }
}

static void steps_follow_the_published_recursion(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  double params[P], targets[P], first[P] = {0}, second[P] = {0};
  for (int p = 0; p < P; p++) {
    params[p] = (double)problem.params[p];
    targets[p] = (double)problem.targets[p];
  }
  for (int t = 1; t <= STEPS; t++) {
    problem_run(&problem, 1);
    for (int p = 0; p < P; p++) {
      double grad = (double)problem.grad[p];
      first[p] = 0.9 * first[p] + 0.1 * grad;
      second[p] = 0.999 * second[p] + 0.001 * grad * grad;
      double mean = first[p] / (1 - pow(0.9, t));
      double square = second[p] / (1 - pow(0.999, t));
      params[p] -= 1e-2 * mean / (sqrt(square) + 1e-8);
      targets[p] += 0.1 * (params[p] - targets[p]);
    }
  }
  // values of order 1, five roundings a step
  double tolerance = sizeof(Real) == 4 ? 3e-6 : 1e-14;
  for (int p = 0; p < P; p++) {
    assert_true(fabs((double)problem.params[p] - params[p]) < tolerance);
    assert_true(fabs((double)problem.targets[p] - targets[p]) < tolerance);
  }
  arena_free(&problem.arena);
}

static void averaging_in_the_same_pass_changes_no_parameter(void** state) {
  (void)state;
  Problem with, without;
  problem_init(&with);
  problem_init(&without);
  fill_normal(with.grad, P, 1, &with.rng);
  memcpy(without.grad, with.grad, sizeof with.grad);
  adam_step_polyak(&with.adam, with.params, with.grad, with.targets, 0.1);
  adam_step(&without.adam, without.params, without.grad);
  assert_memory_equal(with.params, without.params, sizeof with.params);
  arena_free(&with.arena);
  arena_free(&without.arena);
}

static void a_step_in_parts_is_the_step_of_those_parts(void** state) {
  (void)state;
  Problem whole, parts, start;
  problem_init(&whole);
  problem_init(&parts);
  problem_init(&start);
  fill_normal(whole.grad, P, 1, &whole.rng);
  memcpy(parts.grad, whole.grad, sizeof whole.grad);
  adam_step(&whole.adam, whole.params, whole.grad);
  AdamStep by = adam_begin(&parts.adam);
  adam_step_part(&parts.adam, by, parts.params, parts.grad, 0, 0, 5);
  adam_step_part(&parts.adam, by, parts.params, parts.grad + 11, 0, 11, P - 11);
  for (int p = 0; p < P; p++) {
    bool stepped = p < 5 || p >= 11;
    assert_true(parts.params[p] == (stepped ? whole : start).params[p]);
    assert_true(parts.adam.first[p] == (stepped ? whole.adam.first[p] : 0));
    assert_true(parts.adam.second[p] == (stepped ? whole.adam.second[p] : 0));
  }
  assert_int_equal(parts.adam.steps, 1);
  arena_free(&whole.arena);
  arena_free(&parts.arena);
  arena_free(&start.arena);
}

static void decay_is_part_of_the_gradient(void** state) {
  (void)state;
  Problem inside, outside;
  problem_init(&inside);
  problem_init(&outside);
  fill_normal(inside.grad, P, 1, &inside.rng);
  double squares = 0;
  for (int p = 0; p < P; p++) {
    squares += (double)inside.params[p] * (double)inside.params[p];
    outside.grad[p] = inside.grad[p] + (Real)0.25 * inside.params[p];
  }
  double sum = adam_step_part(&inside.adam, adam_begin(&inside.adam), inside.params, inside.grad,
                              0.25, 0, P);
  adam_step(&outside.adam, outside.params, outside.grad);
  assert_memory_equal(inside.params, outside.params, sizeof inside.params);
  assert_true(fabs(sum / squares - 1) < (sizeof(Real) == 4 ? 1e-6 : 1e-14));
  arena_free(&inside.arena);
  arena_free(&outside.arena);
}

static void an_element_does_not_depend_on_its_position(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem);
  for (int p = 0; p < P; p++) {
    problem.params[p] = (Real)0.3;
    problem.grad[p] = (Real)0.7;
    problem.targets[p] = (Real)0.1;
  }
  for (int i = 0; i < STEPS; i++) {
    adam_step_polyak(&problem.adam, problem.params, problem.grad, problem.targets, 0.1);
  }
  for (int p = 1; p < P; p++) {
    assert_memory_equal(&problem.params[p], &problem.params[0], sizeof(Real));
    assert_memory_equal(&problem.targets[p], &problem.targets[0], sizeof(Real));
  }
  arena_free(&problem.arena);
}

static void run_save_load_run_equals_one_run(void** state) {
  (void)state;
  Problem whole, half, rest;
  problem_init(&whole);
  problem_run(&whole, 2 * STEPS);
  problem_init(&half);
  problem_run(&half, STEPS);
  ArchiveMemory memory = {0};
  Archive archive;
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  adam_visit(&half.adam, &archive, "adam");
  problem_init(&rest);
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  adam_visit(&rest.adam, &archive, "adam");
  assert_false(archive.failed);
  memcpy(rest.params, half.params, sizeof rest.params);
  memcpy(rest.targets, half.targets, sizeof rest.targets);
  rest.rng = half.rng;
  problem_run(&rest, STEPS);
  assert_memory_equal(rest.params, whole.params, sizeof whole.params);
  assert_memory_equal(rest.targets, whole.targets, sizeof whole.targets);
  archive_memory_free(&memory);
  arena_free(&whole.arena);
  arena_free(&half.arena);
  arena_free(&rest.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_follow_the_published_recursion),
      cmocka_unit_test(averaging_in_the_same_pass_changes_no_parameter),
      cmocka_unit_test(a_step_in_parts_is_the_step_of_those_parts),
      cmocka_unit_test(decay_is_part_of_the_gradient),
      cmocka_unit_test(an_element_does_not_depend_on_its_position),
      cmocka_unit_test(run_save_load_run_equals_one_run),
  };
  return cmocka_run_group_tests_name("adam", tests, NULL, NULL);
}
