#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>
#include <string.h>

#include "base/rng.h"
#include "theory/regression.h"

static double cost(const double* target, int count, double x, double p) {
  double sum = 0.0;
  for (int i = 0; i < count; i++) {
    sum += pow(fabs(x - target[i]), p);
  }
  return sum;
}

static void known_answers(void** state) {
  (void)state;
  double odd[] = {5.0, 1.0, 9.0};
  double even[] = {4.0, 2.0, 8.0, 6.0};
  assert_true(nearest_constant(odd, 3, 1.0) == 5.0);
  assert_true(nearest_constant(even, 4, 1.0) == 4.0);
  assert_true(nearest_constant(even, 4, 2.0) == 5.0);
  // 3 (x - 1)^15 = (3 - x)^15
  double skewed[] = {1.0, 1.0, 1.0, 3.0};
  double root = pow(3.0, 1.0 / 15.0);
  assert_true(fabs(nearest_constant(skewed, 4, 16.0) - (3.0 + root) / (1.0 + root)) < 1e-13);
  double same[] = {2.0, 2.0, 2.0};
  assert_true(nearest_constant(same, 3, 1.5) == 2.0);
}

static void no_other_constant_is_nearer(void** state) {
  (void)state;
  const double powers[] = {1.0, 1.5, 2.0, 4.0};
  for (int count = 1; count < 60; count++) {
    Rng rng = rng_stream(1, 0, RNG_TEST, count);
    double target[60];
    double kept[60];
    for (int i = 0; i < count; i++) {
      // ties are common in practice: many states share a target
      target[i] = kept[i] = floor(rng_range(&rng, 0.0, 20.0)) / 4.0;
    }
    for (int k = 0; k < 4; k++) {
      memcpy(target, kept, sizeof target);
      double best = cost(kept, count, nearest_constant(target, count, powers[k]), powers[k]);
      for (double x = -0.1; x < 5.1; x += 0.013) {
        assert_true(best <= cost(kept, count, x, powers[k]) * (1.0 + 1e-12) + 1e-12);
      }
    }
  }
}

static void cells_are_fitted_apart_and_empty_cells_keep_their_value(void** state) {
  (void)state;
  Arena scratch;
  arena_init(&scratch);
  const int cell[] = {2, 0, 2, 0, 0};
  const double target[] = {10.0, 1.0, 20.0, 2.0, 6.0};
  double value[] = {-1.0, -2.0, -3.0, -4.0};
  fit_cells(value, cell, target, 5, 4, 2.0, &scratch);
  assert_true(value[0] == 3.0 && value[1] == -2.0 && value[2] == 15.0 && value[3] == -4.0);
  fit_cells(value, cell, target, 5, 4, 1.0, &scratch);
  assert_true(value[0] == 2.0 && value[1] == -2.0 && value[2] == 10.0 && value[3] == -4.0);
  arena_free(&scratch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(no_other_constant_is_nearer),
      cmocka_unit_test(cells_are_fitted_apart_and_empty_cells_keep_their_value),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
