// Laws of the clocks that report: a reminder does not come at once again.
#include "base/stopwatch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void a_process_that_is_not_there_has_used_no_time(void** state) {
  (void)state;
  assert_true(clock_processor_of(getpid()) >= 0);
  assert_true(isnan(clock_processor_of(0x7ffffff)));
}

static void a_reminder_is_due_at_once_then_later_and_later(void** state) {
  (void)state;
  double now = clock_wall();
  Reminder r = {0};
  assert_true(reminder_due(&r) && r.interval == 10 && r.due >= now + 10);
  r.due = now + 3600;
  assert_false(reminder_due(&r));
  r = (Reminder){.due = now, .interval = 1e6};
  assert_true(reminder_due(&r) && r.interval == 3600);
  r = (Reminder){.due = now, .interval = 1000};
  assert_true(reminder_due(&r) && r.interval == 2000);
  r = (Reminder){.due = now - 100, .interval = 50};  // there was nothing to say for longer than that
  assert_true(reminder_due(&r) && r.interval == 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_process_that_is_not_there_has_used_no_time),
      cmocka_unit_test(a_reminder_is_due_at_once_then_later_and_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
