// The choices of a fork: each is one of its head, and what is none is named.
#include "hyper/fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_choice_is_read_by_its_name(void** state) {
  (void)state;
  ForkChoice choices[FORK_MOST_CHOICES];
  int count;
  Error error;
  assert_true(fork_read_choices(choices, &count, "train_model=skip,real_ratio=up,rollout_length=keep", &error));
  assert_int_equal(count, 3);
  assert_true(choices[0].head == HEAD_TRAIN_MODEL && choices[0].choice == 0);
  assert_true(choices[1].head == HEAD_REAL_RATIO && choices[1].choice == 2);
  assert_true(choices[2].head == HEAD_ROLLOUT_LENGTH && choices[2].choice == 1);
}

static void what_is_no_choice_is_named(void** state) {
  (void)state;
  static const char* const wrong[] = {"real_ratio", "real_ratio=train", "beta=up", "real_ratio=up,,", " real_ratio=up"};
  ForkChoice choices[FORK_MOST_CHOICES];
  int count;
  Error error;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_false(fork_read_choices(choices, &count, wrong[i], &error));
    assert_non_null(strstr(error.text, "is not a choice, expected HEAD=CHOICE"));
  }
  assert_false(fork_read_choices(choices, &count, "", &error));
  assert_string_equal(error.text, "names no choice, expected HEAD=CHOICE");
  char many[16 * (FORK_MOST_CHOICES + 1)] = "";
  for (int i = 0; i <= FORK_MOST_CHOICES; i++) {
    strcat(many, "real_ratio=up,");
  }
  assert_false(fork_read_choices(choices, &count, many, &error));
  assert_non_null(strstr(error.text, "more than 12 choices"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_choice_is_read_by_its_name),
      cmocka_unit_test(what_is_no_choice_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
