// Fault injection: ends the process where it is told, and does nothing otherwise.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"

// Exit code of a process that passes `first` once and `second` three times; 0 = it came through.
static int passes(const char* setting, const char* first, const char* second) {
  pid_t child = fork();
  if (child == 0) {
    if (setting) {
      setenv("AUTOMBPO_FAULT", setting, 1);
    } else {
      unsetenv("AUTOMBPO_FAULT");
    }
    fault_point(first);
    for (int i = 0; i < 3; i++) {
      fault_point(second);
    }
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void ends_at_the_named_passing(void** state) {
  (void)state;
  assert_int_equal(passes("before-rename:1", "before-rename", "other"), 137);
  assert_int_equal(passes("before-rename:3", "other", "before-rename"), 137);
  assert_int_equal(passes("before-rename:4", "other", "before-rename"), 0);
}

static void does_nothing_unless_told(void** state) {
  (void)state;
  assert_int_equal(passes(NULL, "before-rename", "before-rename"), 0);
  assert_int_equal(passes("before-rename:1", "before", "before-rename-too"), 0);
  assert_int_equal(passes("before-rename", "before-rename", "before-rename"), 0);
  assert_int_equal(passes("before-rename:0", "before-rename", "before-rename"), 0);
  assert_int_equal(passes(":1", "a", "b"), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_at_the_named_passing),
      cmocka_unit_test(does_nothing_unless_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
