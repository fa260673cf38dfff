// Laws of the files of a run: what is listed, and what is swept up.
#include "hyper/run_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/scratch_directory.h"
#include "store/pack.h"

static RunDirectory directory;
static Arena arena;

static int set_up(void** state) {
  Error error;
  (void)state;
  arena_init(&arena);
  return scratch_directory_make(&directory, &error) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  arena_free(&arena);
  return 0;
}

static const char* path_of(const char* name) {
  static char path[RUN_PATH_SIZE];
  run_file(path, &directory, name);
  return path;
}

static void make(const char* name) {
  Error error;
  assert_true(files_write(path_of(name), name, strlen(name), &error));
}

static void a_sweep_takes_all_that_is_unfinished_and_leases_and_nothing_else(void** state) {
  (void)state;
  Error error;
  static const char* const swept[] = {
      "run.yaml.a.tmp",     "run.yaml.b.tmp",     "episodes/000000.h5.tmp",
      "episodes/000001.h5.tmp", "policy/v000000.h5.tmp", "policy/v000001.h5.tmp",
      "snapshot/000000.h5.tmp", "snapshot/000001.h5.tmp", "episodes/packed/a.tmp",
      "episodes/packed/b.tmp", "lease/000000",      "lease/000001"};
  static const char* const kept[] = {"run.yaml", "episodes/000000.h5", "policy/v000000.h5",
                                     "snapshot/000000.h5", "episodes/packed/a"};
  assert_true(files_make_directory(path_of("snapshot"), &error));
  assert_true(files_make_directory(path_of("episodes/packed"), &error));
  for (size_t i = 0; i < sizeof swept / sizeof *swept; i++) {
    make(swept[i]);
  }
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    make(kept[i]);
  }
  run_directory_sweep(&directory);
  for (size_t i = 0; i < sizeof swept / sizeof *swept; i++) {
    assert_false(files_exists(path_of(swept[i])));
  }
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    assert_true(files_exists(path_of(kept[i])));
  }
}

static void what_is_there_is_listed_once_in_order(void** state) {
  (void)state;
  RunIndices there;
  Error error;
  static const char* const names[] = {"episodes/000012.h5", "episodes/000003.h5",
                                      "episodes/1000000.h5", "episodes/000000.h5"};
  static const int64_t expected[] = {0, 3, 4, 12, 1000000};
  for (int e = 3; e < 5; e++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, &directory, e);
    assert_true(files_write(path, "x", 1, &error));
  }
  assert_true(pack_write(path_of("episodes"), (PackRange){3, 4}, &error));
  for (int i = 0; i < 4; i++) {
    make(names[i]);
  }
  assert_true(run_list(&there, run_episode_path, &directory, &arena, &error));
  assert_int_equal(there.count, 5);
  assert_memory_equal(there.index, expected, sizeof expected);
}

static void names_of_others_are_not_listed(void** state) {
  (void)state;
  RunIndices there;
  Error error;
  static const char* const names[] = {"episodes/000001.h5.host-1-0.tmp", "episodes/1.h5",
                                      "episodes/x000002.h5", "episodes/notes"};
  for (int i = 0; i < 4; i++) {
    make(names[i]);
  }
  assert_true(run_list(&there, run_episode_path, &directory, &arena, &error));
  assert_int_equal(there.count, 0);
}

static void a_part_that_is_not_there_has_nothing(void** state) {
  (void)state;
  RunIndices there;
  Error error;
  assert_true(run_list(&there, run_answers_path, &directory, &arena, &error));
  assert_int_equal(there.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_sweep_takes_all_that_is_unfinished_and_leases_and_nothing_else),
      TEST(what_is_there_is_listed_once_in_order),
      TEST(names_of_others_are_not_listed),
      TEST(a_part_that_is_not_there_has_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
