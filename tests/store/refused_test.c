// Laws of files whose disk, memory or HDF5 refuses any one call: said, and done when it is asked for again.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../refused.h"
#include "store/files.h"
#include "store/h5.h"
#include "store/h5_archive.h"
#include "store/h5_table.h"
#include "store/pack.h"

#define ROWS 3000  // just enough for chunks

static double numbers[3 * ROWS];

static const char* path_in(const char* directory, const char* name) {
  static char path[FILES_PATH_SIZE];
  snprintf(path, sizeof path, "%.1000s/%s", directory, name);
  return path;
}

static bool seal(const char* directory, Error* error) {
  H5File file;
  const bool flags[3] = {true, false, true};
  if (!h5_create(&file, path_in(directory, "a.h5"), "test.file", 1, error)) {
    return false;
  }
  h5_set_text(&file, "", "method", "Größe");
  h5_set_f64(&file, "", "scale", 0.5);
  h5_group(&file, "decisions");
  h5_set_i64s(&file, "decisions", "head_sizes", (int64_t[]){2, 3, 3, 3}, 4);
  h5_write(&file, &(H5Column){"decisions/state", H5_F64, ROWS, 3, "1", "what it reads"}, numbers);
  h5_write(&file, &(H5Column){"decisions/explored", H5_BOOL, 3, 0, "1", "by chance"}, flags);
  return h5_seal(&file, error);
}

static bool read_back(const char* directory, Error* error) {
  H5File file;
  Arena arena;
  bool flags[3];
  int64_t sizes[4];
  static double back[3 * ROWS];
  if (!h5_open(&file, path_in(directory, "a.h5"), "test.file", 1, error)) {
    return false;
  }
  arena_init(&arena);
  h5_verify(&file, NULL);
  // what HDF5 does not find, whatever its reason, is missed by who needs it
  bool there = h5_attribute_count(&file, "decisions", "head_sizes") == 4;
  there = h5_has(&file, "decisions/state") && there;
  bool same = strcmp(h5_get_text(&file, "", "method", &arena), "Größe") == 0;
  same = h5_get_f64(&file, "", "scale") == 0.5 && same;
  h5_get_i64s(&file, "decisions", "head_sizes", sizes, 4);
  same = sizes[3] == 3 && same;
  h5_read(&file, "decisions/explored", H5_BOOL, 3, 0, flags);
  h5_read(&file, "decisions/state", H5_F64, h5_rows(&file, "decisions/state"), 3, back);
  same = same && flags[0] && !flags[1] && memcmp(back, numbers, sizeof back) == 0;
  arena_free(&arena);
  bool good = h5_close(&file, error);
  CHECK(same || !good, "other values, and no error");
  return good && (there || error_set(error, "%s: something is missing", file.path));
}

// What HDF5 could not read or allocate is no fault of the file.
static bool read_good(const char* directory, Error* error) {
  bool good = read_back(directory, error);
  CHECK(good || error->transient, "the file is blamed: %s", error->text);
  return good;
}

static void to_seal(void** state) {
  (void)state;
  each_call_refused(NULL, seal, EIO);
  each_call_refused(NULL, seal, EPERM);
}

static void to_seal_again(void** state) {
  (void)state;
  each_call_refused(seal, seal, EPERM);
}

static void to_read(void** state) {
  (void)state;
  each_call_refused(seal, read_good, EIO);
  each_call_refused(seal, read_good, ENOMEM);
  each_call_refused(seal, read_back, EPERM);
}

// All that is done with small files.
static bool write_and_read(const char* directory, Error* error) {
  Arena arena;
  char inner[FILES_PATH_SIZE], path[FILES_PATH_SIZE], target[FILES_PATH_SIZE];
  char *bytes = NULL, **names = NULL, start[FILES_START_SIZE];
  size_t size = 0;
  int count = 0;
  uint64_t hash;
  bool there = false;
  arena_init(&arena);
  snprintf(inner, sizeof inner, "%.900s/a/b", directory);
  snprintf(path, sizeof path, "%.1000s/lines", inner);
  bool good = files_make_directory(inner, error) && files_write(path_in(inner, "whole"), "1\n", 2, error) &&
              files_check_output(path, error) && files_write(path, "first", 5, error) &&
              files_append_line(path, "last", error) && files_settle(&there, path, error) &&
              files_read(&bytes, &size, files_target(target, path), &arena, error) &&
              files_list(&names, &count, inner, ".x", &arena, error) && files_list(&names, &count, inner, "e", &arena, error) &&
              files_hash(&hash, path, error);
  files_read_start(start, path);
  // to a file that goes, the line is added behind a newline of its own
  CHECK(!good || !there || (size == 11 && strcmp(bytes, "first\nlast\n") == 0), "other bytes: %s", bytes);
  arena_free(&arena);
  return good && (there || error_set(error, "%s: is not there", path));
}

static void to_write_and_read_small_files(void** state) {
  (void)state;
  each_call_refused(NULL, write_and_read, EIO);
  each_call_refused(write_and_read, write_and_read, EINTR);
  each_call_refused(NULL, write_and_read, EINVAL);
}

static bool read_table(const char* directory, Error* error) {
  H5Table table;
  Arena arena;
  arena_init(&arena);
  bool good = h5_table_read(&table, path_in(directory, "a.h5"), "decisions/state", &arena, error);
  CHECK(!good || (table.rows == ROWS && table.columns == 3 && table.x[4] == numbers[4]), "other numbers");
  arena_free(&arena);
  return good;
}

static void to_read_a_table(void** state) {
  (void)state;
  each_call_refused(seal, read_table, EIO);
}

static bool seal_single(const char* directory, Error* error) {
  H5File file;
  if (!h5_create(&file, path_in(directory, "000000.h5"), "test.file", 1, error)) {
    return false;
  }
  h5_set_i64(&file, "", "number", 42);
  return h5_seal(&file, error);
}

static bool read_packed(const char* directory, Error* error) {
  H5File file;
  uint64_t hash;
  bool there;
  const char* path = path_in(directory, "000000.h5");
  if (!pack_look(&there, path, error) || !pack_hash(&hash, path, error) ||
      !h5_open(&file, path, "test.file", 1, error)) {
    return false;
  }
  CHECK(there, "%s: is not there, and no error", path);
  int64_t number = h5_get_i64(&file, "", "number");
  bool good = h5_close(&file, error);
  CHECK(number == 42 || !good, "another number, and no error");
  return good;
}

static bool pack(const char* directory, Error* error) {
  return pack_write(directory, (PackRange){0, 0}, error);
}

static bool seal_and_pack(const char* directory, Error* error) {
  return seal_single(directory, error) && pack(directory, error);
}

static bool pack_and_read(const char* directory, Error* error) {
  return pack(directory, error) && read_packed(directory, error);
}

static void to_pack(void** state) {
  (void)state;
  each_call_refused(seal_single, pack_and_read, EIO);
  each_call_refused(seal_single, pack_and_read, EPERM);
}

static void to_read_from_a_pack(void** state) {
  (void)state;
  each_call_refused(seal_and_pack, read_packed, EIO);
}

int main(void) {
  for (int i = 0; i < 3 * ROWS; i++) {
    numbers[i] = i % 1000 * 0.37;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(to_seal),
      cmocka_unit_test(to_seal_again),
      cmocka_unit_test(to_read),
      cmocka_unit_test(to_write_and_read_small_files),
      cmocka_unit_test(to_read_a_table),
      cmocka_unit_test(to_pack),
      cmocka_unit_test(to_read_from_a_pack),
  };
  return cmocka_run_group_tests_name("refused any call:", tests, NULL, NULL);
}
