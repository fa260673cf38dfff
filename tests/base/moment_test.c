// Laws of moments as text: what is written is read, and what is no moment is none.
#include "base/moment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_moment_is_written_by_the_calendar_of_greenwich(void** state) {
  (void)state;
  char text[MOMENT_SIZE];
  moment_write(text, 1e9);
  assert_string_equal(text, "2001-09-09T01:46:40Z");
}

static void now_is_no_time_ago(void** state) {
  (void)state;
  char text[MOMENT_SIZE];
  moment_now(text);
  assert_true(moment_age(text) < 3600);
}

static void a_moment_is_read_as_files_have_it(void** state) {
  (void)state;
  assert_true(moment_age("2001-01-01T00:00:00Z") > 20 * 365 * 86400.0);
  assert_true(moment_age("2999-01-01T00:00:00Z") == 0);
  assert_true(isnan(moment_age("2026-01-31")));
  assert_true(isnan(moment_age("2026-01-31T12:00:00Z later")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_moment_is_written_by_the_calendar_of_greenwich),
      cmocka_unit_test(now_is_no_time_ago),
      cmocka_unit_test(a_moment_is_read_as_files_have_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
