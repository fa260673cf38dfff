// The operand seeds=: which texts it takes, and what it does to a command.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/seeds.h"

static int64_t seeds[SEEDS_MOST];

static void seeds_are_ranges_and_lists(void** state) {
  (void)state;
  assert_int_equal(seeds_parse(seeds, "7"), 1);
  assert_int_equal(seeds[0], 7);
  assert_int_equal(seeds_parse(seeds, "0..9"), 10);
  assert_int_equal(seeds[9], 9);
  assert_int_equal(seeds_parse(seeds, "3-5"), 3);
  assert_int_equal(seeds[0], 3);
  assert_int_equal(seeds_parse(seeds, "1,4,10..12"), 5);
  assert_int_equal(seeds[4], 12);
}

static void other_seeds_are_refused(void** state) {
  (void)state;
  static const char* const bad[] = {"",    "a",       "1,",  ",1",        "3..1",
                                    "-1",  "1..",     "1 2", "0..100000", "1.5",
                                    "1,,2", "9007199254740993", "1,1", "3,1..4"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(seeds_parse(seeds, bad[i]), 0);
  }
}

static void they_are_taken_out_of_a_command(void** state) {
  (void)state;
  Arena arena;
  Seeds taken;
  Error error = {0};
  char* operands[] = {"a.yaml", "seeds=4..5", "run.dir=x"};
  char* both[] = {"seeds=4..5", "run.seed=1"};
  int count = 3, two = 2;
  arena_init(&arena);
  assert_true(seeds_take(&taken, &count, operands, &arena, &error));
  assert_int_equal(count, 2);
  assert_string_equal(operands[1], "run.dir=x");
  assert_int_equal(taken.count, 2);
  assert_int_equal(taken.seed[1], 5);
  assert_false(seeds_take(&taken, &two, both, &arena, &error));
  assert_string_equal(error.text,
                      "seeds=4..5 and run.seed= are both given, expected one of them");
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(seeds_are_ranges_and_lists),
      cmocka_unit_test(other_seeds_are_refused),
      cmocka_unit_test(they_are_taken_out_of_a_command),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
