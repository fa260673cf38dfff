// Laws of COMPLETE: it lists what is sealed, tells of what was changed, and lets what was removed be made again.
#include "hyper/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hyper/scratch_directory.h"
#include "store/files.h"

static RunDirectory directory;

static const char* path_of(const char* name) {
  static char path[RUN_PATH_SIZE];
  run_file(path, &directory, name);
  return path;
}

static void write_text(const char* name, const char* text) {
  Error error;
  assert_true(files_write(path_of(name), text, strlen(text), &error));
}

static void expect_refused(const char* message) {
  Error error;
  assert_false(manifest_check(&directory, &error));
  if (!strstr(error.text, message)) {
    fail_msg("'%s', expected '%s'", error.text, message);
  }
}

// Two sealed files, and the first makes of the manifest: all of them are to be alike.
static int set_up(void** state) {
  Error error;
  (void)state;
  assert_true(scratch_directory_make(&directory, &error));
  write_text("episodes/000000.h5", "first");
  write_text("policy/v000000.h5", "controller");
  assert_true(manifest_check(&directory, &error));  // there is none yet
  assert_true(manifest_write(&directory, &error));
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  return 0;
}

static void what_is_there_is_listed_and_good(void** state) {
  (void)state;
  Arena arena;
  Error error;
  char* text;
  size_t size;
  arena_init(&arena);
  assert_true(manifest_check(&directory, &error) && manifest_write(&directory, &error));
  assert_true(files_read(&text, &size, path_of("COMPLETE"), &arena, &error));
  assert_non_null(strstr(text, "  episodes/000000.h5\n"));
  assert_non_null(strstr(text, "  policy/v000000.h5\n"));
  arena_free(&arena);
}

static void what_was_changed_is_named_and_what_is_gone_may_be_made_again(void** state) {
  (void)state;
  Error error;
  write_text("episodes/000000.h5", "forged");
  expect_refused("episodes/000000.h5: is damaged or was changed");
  assert_false(manifest_write(&directory, &error));
  unlink(path_of("episodes/000000.h5"));
  assert_true(manifest_check(&directory, &error));
}

static void what_is_no_line_of_a_manifest_is_refused(void** state) {
  (void)state;
  static const char* const wrong[] = {"hello\n", "00  \n", "0123456789abcdef  ../other/000000.h5\n", "xyz  episodes/0.h5\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    write_text("COMPLETE", wrong[i]);
    expect_refused("is no line of a manifest; remove it: it is made again");
  }
}

static void an_empty_one_is_replaced_and_a_run_without_files_has_none_to_list(void** state) {
  (void)state;
  Error error;
  char start[FILES_START_SIZE];
  write_text("COMPLETE", "");
  unlink(path_of("episodes/000000.h5"));
  unlink(path_of("policy/v000000.h5"));
  rmdir(path_of("policy"));
  assert_true(manifest_write(&directory, &error));
  files_read_start(start, path_of("COMPLETE"));
  assert_string_equal(start, "# autombpo.manifest 1: checksum and name of every sealed file\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_there_is_listed_and_good),
      TEST(what_was_changed_is_named_and_what_is_gone_may_be_made_again),
      TEST(what_is_no_line_of_a_manifest_is_refused),
      TEST(an_empty_one_is_replaced_and_a_run_without_files_has_none_to_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
