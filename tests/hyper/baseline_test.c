// Laws of the file of R': what it says is what is read, or an error that names the file and what was expected.
#include "hyper/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../scratch_file.h"
#include "store/files.h"

static const char good[] =
    "format: autombpo.baseline\n"
    "format_version: 1\n"
    "env: hopper-v2\n"
    "seeds: [0, 1]\n"
    "run_seeds: [3, 4]\n"
    "env_step: [1000, 2000]\n"
    "return_mean: [10, 20.5]\n"
    "return_std: [1, 2]\n";

// Reads the good file with `wrong` in the place of `part`.
static bool read_with(Baseline* b, const char* part, const char* wrong, Arena* arena, Error* error) {
  const char* at = strstr(good, part);
  char text[1024];
  assert_non_null(at);
  int size = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, wrong, at + strlen(part));
  assert_true(files_write(path, text, (size_t)size, error));
  error->text[0] = '\0';
  return baseline_load(b, path, arena, error);
}

static void refuse(const char* part, const char* wrong, const char* message) {
  Baseline b;
  Arena arena;
  Error error = {0};
  arena_init(&arena);
  if (read_with(&b, part, wrong, &arena, &error) || !strstr(error.text, path) || !strstr(error.text, message)) {
    fail_msg("'%s', expected '%s'", error.text, message);
  }
  arena_free(&arena);
}

static void what_it_says_is_read(void** state) {
  (void)state;
  Baseline b;
  Arena arena;
  Error error;
  arena_init(&arena);
  assert_true(read_with(&b, "", "", &arena, &error));
  assert_string_equal(b.env, "hopper-v2");
  assert_string_equal(b.run_seeds, "3,4");
  assert_true(b.seeds == 2 && b.count == 2 && b.env_step[1] == 2000);
  assert_true(baseline_at(&b, 1500) == 15.25 && baseline_least(&b) == 10);
  assert_true(read_with(&b, "seeds: [0, 1]\nrun_seeds: [3, 4]\n", "", &arena, &error));
  assert_true(b.seeds == 0 && !*b.run_seeds);
  arena_free(&arena);
}

static void what_is_saved_is_read(void** state) {
  (void)state;
  const BaselineSource source = {.env_engine = "none", .seeds = (int64_t[]){0, 1}, .config_hash = "0",
                                 .command = "test", .provenance = "test"};
  Baseline b, saved;
  Arena arena;
  Error error;
  arena_init(&arena);
  assert_true(read_with(&saved, "", "", &arena, &error));
  assert_true(baseline_save(&saved, &source, path, &error));
  if (!baseline_load(&b, path, &arena, &error)) {
    fail_msg("%s", error.text);
  }
  assert_string_equal(b.env, saved.env);
  assert_string_equal(b.run_seeds, saved.run_seeds);
  assert_int_equal(b.count, saved.count);
  assert_memory_equal(b.env_step, saved.env_step, 2 * sizeof *b.env_step);
  assert_memory_equal(b.return_mean, saved.return_mean, 2 * sizeof *b.return_mean);
  assert_memory_equal(b.return_std, saved.return_std, 2 * sizeof *b.return_std);
  arena_free(&arena);
}

static void what_is_wrong_is_named(void** state) {
  (void)state;
  refuse("format: autombpo.baseline\n", "", "not a baseline: expected 'format: autombpo.baseline'");
  refuse("autombpo.baseline", "autombpo.policy", "not a baseline: expected 'format: autombpo.baseline'");
  refuse("format_version: 1", "format_version: 2", "format version 2, this program reads 1");
  refuse("format_version: 1\n", "", "format version missing, this program reads 1");
  refuse("env: hopper-v2\n", "", "'env' is missing, expected a task id");
  refuse("env: hopper-v2", "env: ''", "'env' is missing, expected a task id");
  refuse("hopper-v2", "hopper-v2-with-a-name-that-is-longer-than-all-that-tasks-can-have-here",
         "'env' is missing, expected a task id");
  refuse("env_step: [1000, 2000]\n", "", "'env_step' is missing, expected a list of numbers");
  refuse("[1000, 2000]", "1000", "'env_step' is missing, expected a list of numbers");
  refuse("[1000, 2000]", "[]", "'env_step' is missing, expected a list of numbers");
  refuse("[10, 20.5]", "[10, x]", ":7:19: 'x' is not a number");
  refuse("[10, 20.5]", "[10]", ":7: 'return_mean' has 1 values, expected 2 as 'env_step'");
  refuse("[1, 2]", "[1, 2, 3]", ":8: 'return_std' has 3 values, expected 2 as 'env_step'");
  refuse("[1000, 2000]", "[-1, 2000]", "'env_step' holds -1, expected 0 to 9.0072e+15");
  refuse("[1000, 2000]", "[1000, 1e16]", "'env_step' holds 1e+16, expected 0 to 9.0072e+15");
  refuse("[1000, 2000]", "[1000, 1000]", "'env_step' must rise, but 1000 follows 1000");
  refuse("[1, 2]", "[1, 2", "did not find expected");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_it_says_is_read),
      cmocka_unit_test(what_is_saved_is_read),
      cmocka_unit_test(what_is_wrong_is_named),
  };
  return cmocka_run_group_tests(tests, make_scratch_file, remove_scratch_file);
}
