#include "bench/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void median_is_the_middle_or_the_mean_of_two(void** state) {
  (void)state;
  double odd[] = {5, 1, 4}, even[] = {8, 2, 4, 6}, one[] = {3}, spread;
  assert_float_equal(measure_median(&spread, odd, 3), 4, 0);
  assert_float_equal(spread, 1, 0);
  assert_float_equal(measure_median(&spread, even, 4), 5, 0);
  assert_float_equal(spread, 6.0 / 5, 0);
  assert_float_equal(measure_median(&spread, one, 1), 3, 0);
  assert_float_equal(spread, 0, 0);
}

static void count(void* self) { ++*(int*)self; }

static void each_thing_is_run_in_every_repeat(void** state) {
  (void)state;
  int calls[2] = {0};
  Timed timed[2] = {{count, &calls[0]}, {count, &calls[1]}};
  Timing timings[2];
  measure(timings, timed, 2, 3, 1e-6);
  for (int i = 0; i < 2; i++) {
    assert_true(calls[i] >= 3);
    assert_true(timings[i].seconds > 0);
    assert_true(timings[i].spread >= 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(median_is_the_middle_or_the_mean_of_two),
      cmocka_unit_test(each_thing_is_run_in_every_repeat),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
