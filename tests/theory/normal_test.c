#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "theory/normal.h"

typedef struct {
  double at;
  double value;
} Pair;

static void assert_close(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) {
    fail_msg("%.17g is not %.17g within %g", value, expected, tolerance);
  }
}

// Wichura (1988), Algorithm AS 241, Applied Statistics 37: the three test values of PPND16.
static void quantile_agrees_with_published_values_of_as241(void** state) {
  (void)state;
  assert_close(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  assert_close(normal_quantile(0.001), -3.090232306167814, 1e-14);
  assert_close(normal_quantile(1e-20), -9.262340089798408, 1e-14);
}

// The usual table values, to 22 digits by 40-digit arithmetic.
static void quantile_agrees_with_tables_to_1e_12(void** state) {
  (void)state;
  const Pair pairs[] = {
      {0.4, 0.2533471031357997987982},
      {0.1, 1.281551565544600466965},
      {0.05, 1.644853626951472714864},
      {0.025, 1.959963984540054235525},
      {0.01, 2.326347874040841100886},
      {0.005, 2.575829303548900760979},
      {1e-4, 3.719016485455680564394},
      {1e-6, 4.753424308822898948194},
      {1e-10, 6.361340902404056204695},
      {1e-100, 21.27345356096532429512},
      {1e-197, 29.9762842411230375583},
      {1e-300, 37.04709629936119923722},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    double q = pairs[i].at;
    assert_close(normal_upper_quantile(q), pairs[i].value, 1e-14 * (1.0 + pairs[i].value));
    assert_close(normal_upper_quantile_log(log(q)), pairs[i].value, 2e-14 * (1.0 + pairs[i].value));
    assert_close(normal_quantile(q), -pairs[i].value, 1e-14 * (1.0 + pairs[i].value));
  }
}

static void quantile_of_a_logarithm_reaches_below_the_smallest_double(void** state) {
  (void)state;
  assert_close(normal_upper_quantile_log(-1e3), 44.61574773196940302048, 1e-13);
  assert_close(normal_upper_quantile_log(-1e4), 141.3798398731271637028, 1e-12);
  assert_close(normal_upper_quantile_log(-1e6), 1414.207782991017326953, 1e-11);
}

// 1/2 - 1e-7 is given exactly to 1e-17, so z = 2.5e-7 is known to 1e-10 of itself.
static void quantile_keeps_relative_accuracy_near_the_center(void** state) {
  (void)state;
  assert_close(normal_upper_quantile(0.4999999) / 2.506628274631026751766e-7, 1.0, 1e-9);
  assert_true(normal_upper_quantile(0.5) == 0.0);
  assert_true(normal_quantile(0.5) == 0.0);
}

static void tail_agrees_with_40_digit_arithmetic_on_both_sides_of_the_switch(void** state) {
  (void)state;
  const Pair pairs[] = {
      {-8.0, -6.220960574271786058534e-16},
      {-1.0, -0.1727537790234498895265},
      {0.0, -0.6931471805599453094172},
      {1.0, -1.841021645009263505771},
      {29.9, -451.3229124585286344679},
      {30.1, -457.3295644163822578831},
      {100.0, -5005.524208694205088626},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    double z = pairs[i].at;
    double expected = pairs[i].value;
    // rounding z / sqrt(2) to 1e-16 changes the tail by a relative z^2 1e-16
    assert_close(normal_log_upper_tail(z), expected, 2e-16 * (10.0 + z * z) * fabs(expected));
  }
}

// Across [-38, 38] in steps that hit no special value.
static void tail_of_the_quantile_is_the_identity(void** state) {
  (void)state;
  for (double z = 0.01; z < 200.0; z *= 1.07) {
    assert_close(normal_upper_quantile_log(normal_log_upper_tail(z)) / z, 1.0, 1e-13);
  }
  for (double q = 1e-9; q < 1.0; q += 0.013) {
    assert_close(normal_upper_quantile(q), -normal_quantile(q), 0.0);
    assert_close(exp(normal_log_upper_tail(normal_upper_quantile(q))), q, 1e-15);
  }
}

static void ends_of_the_range_are_infinite(void** state) {
  (void)state;
  assert_true(normal_upper_quantile(0.0) == INFINITY);
  assert_true(normal_upper_quantile(1.0) == -INFINITY);
  assert_true(normal_upper_quantile_log(-INFINITY) == INFINITY);
  assert_true(normal_upper_quantile_log(0.0) == -INFINITY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantile_agrees_with_published_values_of_as241),
      cmocka_unit_test(quantile_agrees_with_tables_to_1e_12),
      cmocka_unit_test(quantile_of_a_logarithm_reaches_below_the_smallest_double),
      cmocka_unit_test(quantile_keeps_relative_accuracy_near_the_center),
      cmocka_unit_test(tail_agrees_with_40_digit_arithmetic_on_both_sides_of_the_switch),
      cmocka_unit_test(tail_of_the_quantile_is_the_identity),
      cmocka_unit_test(ends_of_the_range_are_infinite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
