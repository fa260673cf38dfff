// Laws of the JSON writer: one line, valid JSON, numbers that read back exactly.

#include "store/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void structures_nest_and_separate(void** state) {
  (void)state;
  Arena arena;
  Text out;
  Json json;
  arena_init(&arena);
  text_init(&out, &arena);
  json_init(&json, &out);
  json_begin_object(&json, NULL);
  json_text(&json, "event", "epoch");
  json_begin_array(&json, "ranks");
  json_integer(&json, NULL, -9007199254740993);
  json_begin_object(&json, NULL);
  json_end(&json);
  json_bool(&json, NULL, true);
  json_end(&json);
  json_number(&json, "nan", NAN);
  json_number(&json, "inf", -INFINITY);
  json_text(&json, "none", NULL);
  json_number(&json, "half", 0.5);
  json_end(&json);
  assert_string_equal(out.bytes,
                      "{\"event\":\"epoch\",\"ranks\":[-9007199254740993,{},true],"
                      "\"nan\":null,\"inf\":null,\"none\":null,\"half\":0.5}");
  arena_free(&arena);
}

static void text_is_escaped(void** state) {
  (void)state;
  Arena arena;
  Text out;
  Json json;
  arena_init(&arena);
  text_init(&out, &arena);
  json_init(&json, &out);
  json_text(&json, NULL, "a\"b\\c\nd\te\x01");
  assert_string_equal(out.bytes, "\"a\\\"b\\\\c\\nd\\te\\u0001\"");
  text_init(&out, &arena);
  json_text(&json, NULL, "Gr\xc3\xb6\xc3\x9f" "e");
  assert_string_equal(out.bytes, "\"Gr\xc3\xb6\xc3\x9f" "e\"");
  text_init(&out, &arena);
  json_text(&json, NULL, "bad\xff");
  assert_string_equal(out.bytes, "\"bad\\u00ff\"");
  arena_free(&arena);
}

static void numbers_read_back_exactly(void** state) {
  (void)state;
  srand(2);
  for (int i = 0; i < 10000; i++) {
    double value = ldexp((double)rand() / RAND_MAX - 0.5, rand() % 2000 - 1000);
    char text[TEXT_NUMBER_SIZE];
    text_number(text, value);
    assert_true(strtod(text, NULL) == value);
  }
  char text[TEXT_NUMBER_SIZE];
  text_number(text, 0.0003);
  assert_string_equal(text, "0.0003");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(structures_nest_and_separate),
      cmocka_unit_test(text_is_escaped),
      cmocka_unit_test(numbers_read_back_exactly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
