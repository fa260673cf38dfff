// Laws of text: what is written is read back, by people, YAML and the shell; what is no text is refused.
#include "base/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef void Adds(Text* out, const char* text);

static void expect(Adds* add, const char* given, const char* expected) {
  Arena arena;
  Text text;
  arena_init(&arena);
  text_init(&text, &arena);
  add(&text, given);
  assert_string_equal(text.bytes, expected);
  arena_free(&arena);
}

static void only_printable_characters_of_utf8_are_printable(void** state) {
  (void)state;
  static const char* const good[] = {"",         " ~",           "\xc2\xa0",         "\xed\x9f\xbf",
                                     "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
  static const char* const bad[] = {
      "\x1f", "\x7f", "\xc2\x9f",               // control characters
      "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",  // line and paragraph separators, byte order mark
      "\xed\xa0\x80", "\xef\xbf\xbe",           // a surrogate, no character
      "\x80", "\xc1\xbf", "\xf5\x80\x80\x80",   // not the first byte of any
      "\xc2", "\xe2\x82", "\xc3(",              // cut off
      "\xe0\x80\xaf", "\xf0\x80\x80\xaf",       // longer than needed
      "\xf4\x90\x80\x80",                       // beyond the last
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(text_is_printable(good[i]));
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (text_is_printable(bad[i])) {
      fail_msg("text %zu passes as printable", i);
    }
  }
}

static void quoted_text_escapes_what_json_and_yaml_would_not_read(void** state) {
  (void)state;
  expect(text_add_quoted, "a\"b\\c\n\t\x01", "\"a\\\"b\\\\c\\n\\t\\u0001\"");
  expect(text_add_quoted, "\xc3\xa9\xff", "\"\xc3\xa9\\u00ff\"");
  expect(text_add_scalar, "runs/a-1_b.yaml", "runs/a-1_b.yaml");
  expect(text_add_scalar, "Z", "Z");
  expect(text_add_scalar, "/a", "/a");
  expect(text_add_scalar, "null", "\"null\"");
  expect(text_add_scalar, "1e3", "\"1e3\"");
  expect(text_add_scalar, "", "\"\"");
  expect(text_add_scalar, "a: b", "\"a: b\"");
}

static void the_shell_reads_back_each_word(void** state) {
  (void)state;
  expect(text_add_shell_word, "a=b/c,d.e:f@g%h+1", "a=b/c,d.e:f@g%h+1");
  expect(text_add_shell_word, "", "''");
  expect(text_add_shell_word, "two words", "'two words'");
  expect(text_add_shell_word, "it's $HOME", "'it'\\''s $HOME'");
}

static void a_number_is_short_and_reads_back_the_same(void** state) {
  (void)state;
  static const double values[] = {0.0003, 1e300, -0.1, 1.0 / 3, 5e-324, 9007199254740993.0, INFINITY};
  char text[TEXT_NUMBER_SIZE];
  double value;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    text_number(text, values[i]);
    assert_true(text_read_number(&value, text) ? value == values[i] : isinf(values[i]));
  }
  text_number(text, 0.0003);
  assert_string_equal(text, "0.0003");
  text_number(text, NAN);
  assert_string_equal(text, "nan");
  static const char* const none[] = {"", "nan", "inf", "0x10", "1e999", "1e", "1 ", "--1", "."};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    if (text_read_number(&value, none[i])) {
      fail_msg("'%s' is read as a number", none[i]);
    }
  }
}

static void a_size_has_three_digits_and_the_unit_that_fits(void** state) {
  (void)state;
  static const struct {
    double bytes;
    const char* text;
  } rows[] = {{512, "0.512 kB"}, {999.4e3, "999 kB"}, {999.6e3, "1 MB"},  {5.5e9, "5.5 GB"},
              {2e12, "2 TB"},    {3e15, "3e+03 TB"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    Arena arena;
    Text text;
    arena_init(&arena);
    text_init(&text, &arena);
    text_add_size(&text, 0, rows[i].bytes);
    assert_string_equal(text.bytes, rows[i].text);
    arena_free(&arena);
  }
}

static const char* nearest_of(const char* word, const char* first, const char* second) {
  TextNearest nearest = {.word = word};
  text_consider(&nearest, first);
  text_consider(&nearest, second);
  return nearest.nearest;
}

static void the_nearest_of_the_near_is_meant(void** state) {
  (void)state;
  assert_int_equal(text_distance("train", "trian"), 1);
  assert_int_equal(text_distance("", "abc"), 3);
  assert_string_equal(nearest_of("trian", "trail", "train"), "train");
  assert_string_equal(nearest_of("train", "train", "trail"), "train");
  assert_null(nearest_of("abc", "abcde", "xyz"));  // of a short word one edit
  assert_string_equal(nearest_of("rollout_lenght", "rollout_lengths", "x"), "rollout_lengths");
  assert_null(nearest_of("a_very_long_word", "a_very_l_w", "x"));
}

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
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_printable_characters_of_utf8_are_printable),
      cmocka_unit_test(quoted_text_escapes_what_json_and_yaml_would_not_read),
      cmocka_unit_test(the_shell_reads_back_each_word),
      cmocka_unit_test(a_number_is_short_and_reads_back_the_same),
      cmocka_unit_test(a_size_has_three_digits_and_the_unit_that_fits),
      cmocka_unit_test(the_nearest_of_the_near_is_meant),
      cmocka_unit_test(a_list_of_directories_has_no_empty_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
