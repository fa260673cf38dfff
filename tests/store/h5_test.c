// Laws of sealed files: complete or absent, verified, equal content gives equal bytes.

#define _GNU_SOURCE
#include "store/h5.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "reseal.h"
#include "store/h5_archive.h"

#define ROWS 40000  // large enough for chunks

typedef struct {
  char dir[64];
  Arena arena;
  Error error;
  double* numbers;  // (ROWS, 3)
} Fixture;

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->dir, "/tmp/h5_test_XXXXXX");
  assert_non_null(mkdtemp(f->dir));
  arena_init(&f->arena);
  f->numbers = ARENA_NEW(&f->arena, 3 * ROWS, double);
  for (int i = 0; i < 3 * ROWS; i++) {
    f->numbers[i] = i % 1000 * 0.37;
  }
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", f->dir);
  assert_int_equal(system(command), 0);
  arena_free(&f->arena);
  free(f);
  return 0;
}

static const char* path_of(Fixture* f, const char* name) {
  char* path = arena_alloc(&f->arena, FILES_PATH_SIZE);
  snprintf(path, FILES_PATH_SIZE, "%s/%s", f->dir, name);
  return path;
}

static void fill(H5File* file, const double* numbers, double scale) {
  bool flags[3] = {true, false, true};
  int8_t small[2] = {-1, 2};
  int32_t counts[3] = {1, 2, 3};
  h5_set_text(file, "", "method", "Größe");
  h5_set_f64(file, "", "scale", scale);
  h5_group(file, "decisions");
  h5_set_i64s(file, "decisions", "head_sizes", (int64_t[]){2, 3, 3, 3}, 4);
  h5_write(file, &(H5Column){"decisions/state", H5_F64, ROWS, 3, "1", "what it reads"}, numbers);
  h5_write(file, &(H5Column){"decisions/explored", H5_BOOL, 3, 0, "1", "by chance"}, flags);
  h5_write(file, &(H5Column){"decisions/action", H5_I8, 1, 2, "choice", "chosen"}, small);
  h5_write(file, &(H5Column){"decisions/epoch", H5_I32, 3, 0, "1", "index"}, counts);
  h5_write(file, &(H5Column){"decisions/empty", H5_F32, 0, 7, "1", "no rows"}, NULL);
}

static bool write_one(Fixture* f, const char* path, double scale) {
  H5File file;
  if (!h5_create(&file, path, "test.file", 1, &f->error)) {
    return false;
  }
  fill(&file, f->numbers, scale);
  return h5_seal(&file, &f->error);
}

static int count_files(Fixture* f) {
  char** names;
  int count;
  assert_true(files_list(&names, &count, f->dir, "", &f->arena, &f->error));
  return count;
}

static void what_is_written_is_read_back(void** state) {
  Fixture* f = *state;
  H5File file;
  const char* path = path_of(f, "a.h5");
  assert_true(write_one(f, path, 0.5));
  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  assert_true(h5_verify(&file, NULL));
  double* back = ARENA_NEW(&f->arena, 3 * ROWS, double);
  bool flags[3];
  int8_t small[2];
  int64_t sizes[4], rows, columns;
  h5_read(&file, "decisions/state", H5_F64, ROWS, 3, back);
  h5_read(&file, "decisions/explored", H5_BOOL, 3, 0, flags);
  h5_read(&file, "decisions/action", H5_I8, 1, 2, small);
  h5_read(&file, "decisions/empty", H5_F32, 0, 7, NULL);
  h5_get_i64s(&file, "decisions", "head_sizes", sizes, 4);
  assert_string_equal(h5_get_text(&file, "", "method", &f->arena), "Größe");
  assert_true(h5_get_f64(&file, "", "scale") == 0.5);
  assert_true(h5_shape(&file, "decisions/state", &rows, &columns));
  assert_true(rows == ROWS && columns == 3);
  assert_true(h5_has(&file, "decisions") && !h5_has(&file, "nothing/there"));
  assert_true(h5_close(&file, &f->error));
  assert_memory_equal(back, f->numbers, 3 * ROWS * sizeof(double));
  assert_true(flags[0] && !flags[1] && flags[2] && small[0] == -1 && sizes[3] == 3);
}

static void equal_content_gives_equal_bytes(void** state) {
  Fixture* f = *state;
  char *a, *b;
  size_t a_size, b_size;
  assert_true(write_one(f, path_of(f, "a.h5"), 0.5));
  // a clock with a second's resolution would now differ
  struct timespec pause = {1, 100000000};
  nanosleep(&pause, NULL);
  assert_true(write_one(f, path_of(f, "longer_name.h5"), 0.5));
  assert_true(files_read(&a, &a_size, path_of(f, "a.h5"), &f->arena, &f->error));
  assert_true(files_read(&b, &b_size, path_of(f, "longer_name.h5"), &f->arena, &f->error));
  assert_int_equal(a_size, b_size);
  assert_memory_equal(a, b, a_size);
}

static void sealing_twice_is_harmless_but_nothing_is_overwritten(void** state) {
  Fixture* f = *state;
  uint64_t before, after;
  const char* path = path_of(f, "a.h5");
  assert_true(write_one(f, path, 0.5));
  assert_true(files_hash(&before, path, &f->error));
  assert_true(write_one(f, path, 0.5));
  assert_false(write_one(f, path, 0.25));
  assert_non_null(strstr(f->error.text, "exists already with other content"));
  assert_true(files_hash(&after, path, &f->error));
  assert_true(before == after);
  assert_int_equal(count_files(f), 1);
}

static void unsealed_files_leave_nothing(void** state) {
  Fixture* f = *state;
  H5File file;
  assert_true(h5_create(&file, path_of(f, "a.h5"), "test.file", 1, &f->error));
  fill(&file, f->numbers, 1.0);
  assert_int_equal(count_files(f), 1);
  assert_false(files_exists(path_of(f, "a.h5")));
  assert_true(h5_close(&file, &f->error));
  assert_int_equal(count_files(f), 0);
}

static void expect_refused(Fixture* f, const char* path, const char* format, int version,
                           const char* text) {
  H5File file;
  assert_false(h5_open(&file, path, format, version, &f->error));
  if (!strstr(f->error.text, text)) {
    fail_msg("'%s' does not say '%s'", f->error.text, text);
  }
}

static void wrong_files_are_refused_with_the_reason(void** state) {
  Fixture* f = *state;
  H5File file;
  const char* path = path_of(f, "a.h5");
  assert_true(write_one(f, path, 0.5));
  expect_refused(f, path, "test.file", 2, "a.h5: format version 1, this program reads 2");
  expect_refused(f, path, "other", 1, "a.h5: format 'test.file', expected 'other'");
  expect_refused(f, path_of(f, "none.h5"), "test.file", 1, "none.h5: No such file");
  assert_true(files_write(path_of(f, "b.h5"), "not HDF5", 8, &f->error));
  expect_refused(f, path_of(f, "b.h5"), "test.file", 1, "b.h5: has no seal at its end");

  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  double number = 1.0;
  h5_read(&file, "decisions/epoch", H5_F64, 1, 0, &number);
  assert_true(number == 0.0);
  assert_false(h5_close(&file, &f->error));
  assert_non_null(strstr(f->error.text, "a.h5: decisions/epoch: has type i32, expected f64"));
  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  int32_t counts[4];
  h5_read(&file, "decisions/epoch", H5_I32, 4, 0, counts);
  assert_false(h5_close(&file, &f->error));
  assert_non_null(strstr(f->error.text, "has 3 rows of 1, expected 4 of 1"));
  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  h5_get_i64(&file, "decisions", "absent");
  assert_false(h5_close(&file, &f->error));
  assert_non_null(strstr(f->error.text, "decisions: attribute 'absent' is missing"));
}

static void damaged_bytes_are_found(void** state) {
  Fixture* f = *state;
  H5File file;
  char* bytes;
  size_t size;
  const char* path = path_of(f, "a.h5");
  assert_true(write_one(f, path, 0.5));
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  // the int32 column 1, 2, 3 is stored contiguously
  int32_t counts[3] = {1, 2, 3};
  char* place = memmem(bytes, size, counts, sizeof counts);
  assert_non_null(place);
  place[0] = 9;
  assert_true(files_write(path_of(f, "b.h5"), bytes, size, &f->error));
  expect_refused(f, path_of(f, "b.h5"), "test.file", 1, "b.h5: is damaged: its bytes have");

  // one whose mark fits again has the checksum of its datasets still
  assert_true(files_write(path_of(f, "c.h5"), bytes, size - 34, &f->error));
  expect_refused(f, path_of(f, "c.h5"), "test.file", 1, "c.h5: has no seal at its end");
  reseal(path_of(f, "c.h5"));
  assert_true(h5_open(&file, path_of(f, "c.h5"), "test.file", 1, &f->error));
  assert_false(h5_verify(&file, NULL));
  assert_false(h5_close(&file, &f->error));
  assert_non_null(strstr(f->error.text, "c.h5: content has checksum"));
}

static void any_single_damage_is_refused_before_hdf5_reads_it(void** state) {
  Fixture* f = *state;
  char* bytes;
  size_t size;
  H5File file;
  const char* path = path_of(f, "a.h5");
  const char* damaged = path_of(f, "b.h5");
  assert_true(write_one(f, path, 0.5));
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  for (size_t i = 0; i < size; i += i < size - 34 ? (size - 34) / 50 : 1) {
    bytes[i] ^= 0x10;
    FILE* stream = fopen(damaged, "wb");
    assert_true(fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0);
    assert_false(h5_open(&file, damaged, "test.file", 1, &f->error));
    bytes[i] ^= 0x10;
  }
  // and one that ends early, before its mark, in it, or goes on behind it
  const size_t sizes[] = {0, 20, size / 2, size - 35, size - 34, size - 33, size - 1, size + 1};
  for (int i = 0; i < 8; i++) {
    assert_true(files_write(damaged, bytes, sizes[i], &f->error));
    assert_false(h5_open(&file, damaged, "test.file", 1, &f->error));
  }
}

// The limit stands for a full disk, at every stage of writing.
static void a_full_disk_is_an_error_and_leaves_nothing(void** state) {
  Fixture* f = *state;
  struct rlimit old, small;
  char* bytes;
  size_t size;
  assert_true(write_one(f, path_of(f, "a.h5"), 0.5));
  assert_true(files_read(&bytes, &size, path_of(f, "a.h5"), &f->arena, &f->error));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  for (small.rlim_cur = 100; small.rlim_cur < size; small.rlim_cur += 500) {
    setrlimit(RLIMIT_FSIZE, &small);
    bool wrote = write_one(f, path_of(f, "b.h5"), 0.5);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(wrote);
    assert_non_null(strstr(f->error.text, "b.h5"));
    assert_int_equal(count_files(f), 1);
  }
  small.rlim_cur = size;
  setrlimit(RLIMIT_FSIZE, &small);
  assert_true(write_one(f, path_of(f, "b.h5"), 0.5));
  setrlimit(RLIMIT_FSIZE, &old);
}

typedef struct {
  double weights[5];
  int32_t steps;
  bool begun;
} Module;

static void module_visit(Module* module, Archive* archive, int32_t count, const char* name) {
  archive_enter(archive, "module");
  archive_i32(archive, name, &module->steps, 1);
  archive_enter(archive, "inner");
  archive_f64(archive, "weights", module->weights, (size_t)count);
  archive_leave(archive);
  archive_leave(archive);
  archive_bool(archive, "begun", &module->begun);
}

static bool load(Fixture* f, const char* path, Module* module, int32_t count, const char* name) {
  H5File file;
  Archive archive;
  assert_true(h5_open(&file, path, "test.checkpoint", 1, &f->error));
  h5_archive_init(&archive, ARCHIVE_LOAD, &file, &f->arena);
  module_visit(module, &archive, count, name);
  bool good = h5_archive_end(&archive, &f->error);
  Error ignored;
  h5_close(&file, &ignored);
  return good;
}

static void an_archive_gives_back_the_state_or_refuses(void** state) {
  Fixture* f = *state;
  Module saved = {{1.0, -2.5, 3e-300, 4.0, 5.0}, 7, true};
  Module loaded = {{0}, 0, false};
  H5File file;
  Archive archive;
  const char* path = path_of(f, "gen-1.h5");
  assert_true(h5_create(&file, path, "test.checkpoint", 1, &f->error));
  h5_archive_init(&archive, ARCHIVE_SAVE, &file, &f->arena);
  module_visit(&saved, &archive, 5, "steps");
  assert_true(h5_archive_end(&archive, &f->error));
  assert_true(h5_seal(&file, &f->error));

  assert_true(load(f, path, &loaded, 5, "steps"));
  assert_memory_equal(loaded.weights, saved.weights, sizeof saved.weights);
  assert_true(loaded.steps == 7 && loaded.begun);
  assert_false(load(f, path, &loaded, 4, "steps"));
  assert_non_null(strstr(f->error.text, "module/inner/weights: has 5 rows of 1, expected 4 of 1"));
  assert_false(load(f, path, &loaded, 5, "step"));
  assert_non_null(strstr(f->error.text, "module/step: is missing"));

  // what was saved but is not asked for
  assert_true(h5_open(&file, path, "test.checkpoint", 1, &f->error));
  h5_archive_init(&archive, ARCHIVE_LOAD, &file, &f->arena);
  archive_bool(&archive, "begun", &loaded.begun);
  assert_false(h5_archive_end(&archive, &f->error));
  assert_non_null(strstr(f->error.text, "holds 3 arrays, expected 1"));
  assert_true(h5_close(&file, &f->error));
}

// Rows beyond a chunk, more rows than one piece, nothing at all.
static void shapes_at_the_edge_are_written_and_read(void** state) {
  Fixture* f = *state;
  H5File file;
  const int many = 200000;
  double* numbers = ARENA_NEW(&f->arena, many, double);
  double* back = ARENA_NEW(&f->arena, many, double);
  int64_t none[1] = {7};
  for (int i = 0; i < many; i++) {
    numbers[i] = i;
  }
  assert_true(h5_create(&file, path_of(f, "a.h5"), "test.file", 1, &f->error));
  h5_write(&file, &(H5Column){"wide", H5_F64, 1, many, "1", "one row"}, numbers);
  h5_write(&file, &(H5Column){"tall", H5_F64, many, 0, "1", "one column"}, numbers);
  h5_set_i64s(&file, "", "no_sizes", none, 0);
  h5_set_i64(&file, "", "count", 11);
  assert_true(h5_seal(&file, &f->error));
  assert_true(h5_open(&file, path_of(f, "a.h5"), "test.file", 1, &f->error) && h5_verify(&file, NULL));
  h5_read(&file, "wide", H5_F64, 1, many, back);
  assert_memory_equal(back, numbers, (size_t)many * sizeof *back);
  h5_read(&file, "tall", H5_F64, many, 0, back);
  assert_memory_equal(back, numbers, (size_t)many * sizeof *back);
  h5_get_i64s(&file, "", "no_sizes", none, 0);
  assert_true(none[0] == 7 && h5_attribute_count(&file, "", "no_sizes") == 0);
  assert_int_equal(h5_get_int(&file, "", "count", 0, 11), 11);
  char name[FILES_PATH_SIZE + 8];
  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = '\0';
  assert_false(h5_has(&file, name));
  assert_true(h5_close(&file, &f->error));
}

static void what_does_not_fit_is_refused_with_both_sizes(void** state) {
  Fixture* f = *state;
  H5File file;
  const char* path = path_of(f, "a.h5");
  double number[ROWS];
  assert_true(write_one(f, path, 0.5));
  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  h5_read(&file, "decisions/state", H5_F64, ROWS, 0, number);
  h5_get_i64s(&file, "", "after", (int64_t[]){1}, 1);  // the first failure stays
  assert_int_equal(h5_rows(&file, "decisions/state"), 0);
  assert_false(h5_close(&file, &f->error));
  assert_non_null(strstr(f->error.text, "has 40000 rows of 3, expected 40000 of 1"));
  for (int limit = 0; limit < 2; limit++) {
    assert_true(h5_open(&file, path, "test.file", 1, &f->error));
    int value = h5_get_int(&file, "", "format_version", limit == 0 ? 2 : -5, limit == 0 ? 5 : 0);
    assert_int_equal(value, 0);
    assert_false(h5_close(&file, &f->error));
    assert_non_null(strstr(f->error.text, limit == 0 ? "attribute 'format_version' is 1, expected 2 to 5"
                                                     : "attribute 'format_version' is 1, expected -5 to 0"));
  }
}

static void a_name_that_cannot_be_written_is_refused(void** state) {
  Fixture* f = *state;
  H5File file;
  char name[FILES_PATH_SIZE], temporary[FILES_PATH_SIZE];
  uint64_t checksum = 0;
  assert_false(h5_create(&file, f->dir, "test.file", 1, &f->error));
  assert_non_null(strstr(f->error.text, "is a directory, expected a regular file"));
  memset(name, 'a', sizeof name);
  name[sizeof name - 2] = '\0';
  assert_false(h5_create(&file, name, "test.file", 1, &f->error));
  assert_non_null(strstr(f->error.text, "path is too long"));
  // what a process of the same number has left on this host
  const char* path = path_of(f, "a.h5");
  assert_true(files_temporary(temporary, path, 0, &f->error));
  assert_true(files_write(temporary, "left behind", 11, &f->error));
  assert_true(write_one(f, path, 0.5));
  assert_true(h5_open(&file, path, "test.file", 1, &f->error));
  assert_true(h5_verify(&file, &checksum) && checksum == file.checksum && checksum != 0);
  assert_true(h5_close(&file, &f->error));
}

static void an_archive_that_is_nested_too_deeply_is_refused(void** state) {
  Fixture* f = *state;
  H5File file;
  Archive archive;
  assert_true(h5_create(&file, path_of(f, "a.h5"), "test.checkpoint", 1, &f->error));
  h5_archive_init(&archive, ARCHIVE_SAVE, &file, &f->arena);
  for (int i = 0; i < FILES_PATH_SIZE; i++) {
    archive_enter(&archive, "inner");
  }
  assert_false(h5_archive_end(&archive, &f->error));
  assert_non_null(strstr(f->error.text, "nested too deeply"));
  assert_true(h5_close(&file, &f->error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
      cmocka_unit_test_setup_teardown(equal_content_gives_equal_bytes, set_up, tear_down),
      cmocka_unit_test_setup_teardown(sealing_twice_is_harmless_but_nothing_is_overwritten, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(unsealed_files_leave_nothing, set_up, tear_down),
      cmocka_unit_test_setup_teardown(wrong_files_are_refused_with_the_reason, set_up, tear_down),
      cmocka_unit_test_setup_teardown(damaged_bytes_are_found, set_up, tear_down),
      cmocka_unit_test_setup_teardown(any_single_damage_is_refused_before_hdf5_reads_it, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(a_full_disk_is_an_error_and_leaves_nothing, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(shapes_at_the_edge_are_written_and_read, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused_with_both_sizes, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(a_name_that_cannot_be_written_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_archive_that_is_nested_too_deeply_is_refused, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(an_archive_gives_back_the_state_or_refuses, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
