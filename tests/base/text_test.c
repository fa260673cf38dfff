// Pieces of text that others need.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void a_list_of_directories_has_no_empty_ones(void** state) {
  (void)state;
  Arena arena;
  const char *list = ":a:b/c::d e:", *none = NULL;
  arena_init(&arena);
  assert_string_equal(text_next_directory(&list, &arena), "a");
  assert_string_equal(text_next_directory(&list, &arena), "b/c");
  assert_string_equal(text_next_directory(&list, &arena), "d e");
  assert_null(text_next_directory(&list, &arena));
  assert_null(text_next_directory(&list, &arena));
  assert_null(text_next_directory(&none, &arena));
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_of_directories_has_no_empty_ones)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
