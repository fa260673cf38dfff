// The line of progress: what matters most comes first, and nothing is cut in the middle.
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/progress_line.h"

static const Progress running = {.env_step = 123456, .epochs = 17, .eval_return = -1234.4};
static const ProgressFacts facts = {.share = 0.42, .eta = 7384, .steps_per_second = 88, .sealed = 3,
                                    .total = 10, .diverged = 1, .epochs = 50, .running = &running,
                                    .best_score = 2500.25, .best_episode = 2};

static void an_mbpo_run_tells_epoch_samples_and_return_in_80_columns(void** state) {
  (void)state;
  ProgressFacts one = facts;
  char line[80];
  one.diverged = 0;
  progress_line(line, sizeof line, &one);
  assert_non_null(strstr(line, "ETA 2h03m"));
  assert_non_null(strstr(line, "3/10 hyper-episodes"));
  assert_non_null(strstr(line, "epoch 17/50"));
  assert_non_null(strstr(line, "return -1234"));
  assert_non_null(strstr(line, "123456 samples"));
}

static void a_line_fits_its_terminal_in_whole_parts(void** state) {
  (void)state;
  char whole[256], line[256];
  progress_line(whole, sizeof whole, &facts);
  for (size_t size = 1; size <= sizeof line; size++) {
    progress_line(line, size, &facts);
    assert_true(strlen(line) < size);
    char copy[256], *rest = strcpy(copy, line);
    for (char* part = strstr(rest, "  "); part; part = strstr(rest, "  ")) {
      *part = '\0';
      assert_non_null(strstr(whole, rest));
      rest = part + 2;
    }
    assert_non_null(strstr(whole, rest));
  }
}

static void what_is_not_known_is_said(void** state) {
  (void)state;
  ProgressFacts fresh = {.eta = NAN, .total = 1, .best_episode = -1};
  char line[80];
  progress_line(line, sizeof line, &fresh);
  assert_non_null(strstr(line, "ETA ?"));
  assert_null(strstr(line, "best"));
  assert_null(strstr(line, "stage"));
}

// stderr of a test is no terminal of known width, unless somebody sits before it.
static void without_a_terminal_the_width_is_that_of_columns(void** state) {
  (void)state;
  int was = dup(2), none = open("/dev/null", O_WRONLY);
  dup2(none, 2);
  setenv("COLUMNS", "57", 1);
  int named = progress_columns();
  setenv("COLUMNS", "wide", 1);
  int odd = progress_columns();
  unsetenv("COLUMNS");
  int unknown = progress_columns();
  dup2(was, 2);
  close(was);
  close(none);
  assert_true(named == 57 && odd == 80 && unknown == 80);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_mbpo_run_tells_epoch_samples_and_return_in_80_columns),
      cmocka_unit_test(a_line_fits_its_terminal_in_whole_parts),
      cmocka_unit_test(what_is_not_known_is_said),
      cmocka_unit_test(without_a_terminal_the_width_is_that_of_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
