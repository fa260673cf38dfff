// Fault injection: ends or holds the process where it is told, and does nothing otherwise.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void on_signal(int number) {
  (void)number;
  fault_release();
}

// A child that comes through when it is let go.
static pid_t held_child(const char* setting) {
  pid_t child = fork();
  if (child == 0) {
    setenv("AUTOMBPO_FAULT", setting, 1);
    signal(SIGUSR1, on_signal);
    fault_point("in-update");
    fault_point("in-update");
    _exit(7);
  }
  return child;
}

// The process that the file says is held; waits until there is one.
static long await_held(const char* path) {
  long held = 0;
  while (held == 0) {
    FILE* file = fopen(path, "r");
    assert_non_null(file);
    held = fscanf(file, "%ld", &held) == 1 ? held : 0;
    fclose(file);
    usleep(1000);
  }
  return held;
}

static void assert_comes_through(pid_t child) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 7);
}

static void one_is_held_until_a_signal_or_the_end_of_the_file(void** state) {
  (void)state;
  char path[] = "/tmp/fault_test_XXXXXX", setting[64];
  close(mkstemp(path));
  snprintf(setting, sizeof setting, "in-update:2:%s", path);
  pid_t child = held_child(setting);
  assert_int_equal(await_held(path), child);
  assert_comes_through(held_child(setting));  // another one
  assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
  assert_int_equal(kill(child, SIGUSR1), 0);
  assert_comes_through(child);
  assert_int_equal(truncate(path, 0), 0);
  child = held_child(setting);
  assert_int_equal(await_held(path), child);
  assert_int_equal(unlink(path), 0);
  assert_comes_through(child);
  assert_comes_through(held_child(setting));  // nobody asks for it any more
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_at_the_named_passing),
      cmocka_unit_test(does_nothing_unless_told),
      cmocka_unit_test(one_is_held_until_a_signal_or_the_end_of_the_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
