// Laws of the YAML reader: the tree with its places, or every problem with its place.

#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
  Arena arena;
  Error error;
  YamlNode* root;
} Fixture;

static int set_up(void** state) {
  static Fixture fixture;
  fixture = (Fixture){0};
  arena_init(&fixture.arena);
  *state = &fixture;
  return 0;
}

static int tear_down(void** state) {
  arena_free(&((Fixture*)*state)->arena);
  return 0;
}

static bool read_text(Fixture* f, const char* text) {
  f->error.text[0] = '\0';
  return yaml_read(&f->root, "a.yaml", text, strlen(text), &f->arena, &f->error);
}

static void expect_error(Fixture* f, const char* text, const char* message) {
  assert_false(read_text(f, text));
  assert_string_equal(f->error.text, message);
}

static void a_document_is_a_tree_with_places(void** state) {
  Fixture* f = *state;
  assert_true(read_text(f,
                   "# baseline\n"
                   "env: hopper-v2\n"
                   "return_mean: [310.2,\n"
                   "  402.9]\n"
                   "nested: {a: {b: 'x'}}\n"));
  assert_int_equal(f->root->kind, YAML_MAP);
  assert_int_equal(f->root->count, 3);
  const YamlNode* env = yaml_find(f->root, "env");
  assert_string_equal(env->text, "hopper-v2");
  assert_true(env->line == 2 && env->column == 6 && env->key_column == 1);
  const YamlNode* list = yaml_find(f->root, "return_mean");
  double value;
  assert_int_equal(list->count, 2);
  assert_true(yaml_number(&value, list->first->next, "a.yaml", &f->error));
  assert_true(value == 402.9 && list->first->next->line == 4);
  const YamlNode* b = yaml_find(yaml_find(yaml_find(f->root, "nested"), "a"), "b");
  assert_true(b->quoted && strcmp(b->text, "x") == 0);
  assert_null(yaml_find(f->root, "absent"));
  assert_false(yaml_number(&value, env, "a.yaml", &f->error));
  assert_string_equal(f->error.text, "a.yaml:2:6: 'hopper-v2' is not a number");
}

static void an_empty_document_is_an_empty_map(void** state) {
  Fixture* f = *state;
  assert_true(read_text(f, ""));
  assert_true(f->root->kind == YAML_MAP && f->root->count == 0);
  assert_true(read_text(f, "# only a comment\n"));
  assert_int_equal(f->root->count, 0);
}

static void a_number_is_written_in_decimals_and_finite(void** state) {
  Fixture* f = *state;
  static const char* const wrong[] = {"''", "1e", "1e999", "0x1", "[1]", "1-"};
  double value;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char text[32];
    snprintf(text, sizeof text, "a: %s", wrong[i]);
    assert_true(read_text(f, text));
    assert_false(yaml_number(&value, f->root->first, "a.yaml", &f->error));
    assert_non_null(strstr(f->error.text, "is not a number"));
  }
}

static void nothing_is_written_in_three_ways(void** state) {
  Fixture* f = *state;
  assert_true(read_text(f, "- ~\n- null\n-\n- ''\n- nul\n- []\n- '<<'\n"));
  const YamlNode* item = f->root->first;
  for (int i = 0; item; item = item->next) {
    assert_int_equal(yaml_is_null(item), i++ < 3);
  }
  assert_null(yaml_find(f->root, "a"));  // items of a list have no key
  assert_true(read_text(f, "a:\n'<<': 1\n"));
  assert_true(yaml_is_null(f->root->first));
  assert_string_equal(f->root->first->next->key, "<<");
}

static void what_is_outside_the_subset_is_refused(void** state) {
  Fixture* f = *state;
  expect_error(f, "a: &x 1\nb: *x\n",
               "a.yaml:1:4: anchors are not supported\na.yaml:2:4: aliases are not supported");
  expect_error(f, "a: !!int 1\n", "a.yaml:1:4: tags are not supported");
  expect_error(f, "<<: {a: 1}\n", "a.yaml:1:1: merge keys are not supported");
  expect_error(f, "a: 1\na: 2\n", "a.yaml:2:1: duplicate key 'a' (first in line 1)");
  expect_error(f, "[x]: 1\n", "a.yaml:1:1: a key must be a plain word");
  expect_error(f, "a: 1\n---\nb: 2\n", "a.yaml:2:1: more than one document");
  expect_error(f, "a: \"x\\0y\"\n", "a.yaml:1:4: text holds a zero byte");
}

static void broken_text_is_refused_with_its_place(void** state) {
  Fixture* f = *state;
  expect_error(f, "a: [1, 2\nb: 3\n", "a.yaml:2:2: did not find expected ',' or ']'");
  expect_error(f, "a:\n\tb: 1\n", "a.yaml:2:1: found character that cannot start any token");
  expect_error(f, "a: 1\nb", "a.yaml:3:1: could not find expected ':'");
  assert_false(read_text(f, "{a"));
  assert_false(read_text(f, "a: \xff\n"));
  assert_non_null(strstr(f->error.text, "a.yaml:"));
}

static void hostile_text_is_bounded(void** state) {
  Fixture* f = *state;
  char deep[2001];
  memset(deep, '[', 2000);
  deep[2000] = '\0';
  expect_error(f, deep, "a.yaml:1:33: nested too deeply");
  size_t size = (size_t)YAML_MAX_BYTES + 1;
  char* large = arena_alloc(&f->arena, size + 1);
  memset(large, 'a', size);
  expect_error(f, large, "a.yaml: larger than 4194304 bytes");
  char* keys = arena_alloc(&f->arena, 16 * (YAML_MAX_KEYS + 2));
  for (int i = 0; i <= YAML_MAX_KEYS; i++) {
    sprintf(keys + strlen(keys), "k%d: 1\n", i);
  }
  expect_error(f, keys, "a.yaml:4097:1: more than 4096 keys in one map");
}

static void a_missing_file_is_named(void** state) {
  Fixture* f = *state;
  assert_false(yaml_read_file(&f->root, "/nowhere/a.yaml", &f->arena, &f->error));
  assert_string_equal(f->error.text, "/nowhere/a.yaml: No such file or directory");
  f->error.text[0] = '\0';
  assert_false(yaml_read_file(&f->root, "/tmp", &f->arena, &f->error));
  assert_string_equal(f->error.text, "/tmp: Is a directory");
  f->error.text[0] = '\0';
  assert_false(yaml_read_file(&f->root, "/dev/zero", &f->arena, &f->error));
  assert_string_equal(f->error.text, "/dev/zero: larger than 4194304 bytes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_document_is_a_tree_with_places, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_empty_document_is_an_empty_map, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_number_is_written_in_decimals_and_finite, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nothing_is_written_in_three_ways, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_outside_the_subset_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(broken_text_is_refused_with_its_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(hostile_text_is_bounded, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_missing_file_is_named, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
