// A data file cannot choose what else is opened or loaded: links and storage that lead out of it are
// refused, and HDF5 looks for no plug-ins.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "reseal.h"
#include "store/h5.h"
#include "store/h5_table.h"

static char directory[64];
static char path[96];
static char elsewhere[96];

static const hsize_t shape[1] = {4};
static const double secret[4] = {1, 2, 3, 4};

static hid_t add_values(hid_t file, const char* name, hid_t list) {
  hid_t space = H5Screate_simple(1, shape, NULL);
  hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Sclose(space);
  assert_true(set >= 0);
  return set;
}

// A sealed file with a dataset "x" at `path`, opened to be forged; the secret at `elsewhere`.
static hid_t make_files(void) {
  Error error;
  H5File file;
  assert_true(h5_create(&file, path, "test", 1, &error));
  h5_group(&file, "group");
  h5_write(&file, &(H5Column){"group/x", H5_F64, 4, 0, "1", "numbers"}, secret);
  assert_true(h5_seal(&file, &error));
  hid_t other = H5Fcreate(elsewhere, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t set = add_values(other, "secret", H5P_DEFAULT);
  assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, secret) >= 0);
  H5Dclose(set);
  H5Fclose(other);
  return H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
}

static void close_forged(hid_t file) {
  H5Fclose(file);
  reseal(path);
}

static int set_up(void** state) {
  (void)state;
  strcpy(directory, "/tmp/h5_foreign_XXXXXX");
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/x.h5", directory);
  snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", directory);
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  unlink(path);
  unlink(elsewhere);
  return rmdir(directory);
}

static void expect_refused_at_opening(const char* link) {
  H5File file;
  Error error;
  assert_false(h5_open(&file, path, "test", 1, &error));
  assert_non_null(strstr(error.text, link));
  assert_non_null(strstr(error.text, "is a link to elsewhere, which is never followed"));
}

static void links_that_lead_out_are_refused(void** state) {
  (void)state;
  hid_t file = make_files();
  assert_true(H5Lcreate_external(elsewhere, "/secret", file, "group/y", H5P_DEFAULT,
                                 H5P_DEFAULT) >= 0);
  close_forged(file);
  expect_refused_at_opening("group/y");
  unlink(path);
  file = make_files();
  assert_true(H5Lcreate_soft("/group/x", file, "z", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  close_forged(file);
  expect_refused_at_opening("z");
}

static void expect_refused_at_reading(const char* name) {
  H5File file;
  Error error;
  double x[4];
  int64_t rows, columns;
  assert_true(h5_open(&file, path, "test", 1, &error));
  h5_read(&file, name, H5_F64, 4, 0, x);
  assert_true(file.failed && x[0] == 0);
  assert_false(h5_close(&file, &error));
  assert_non_null(strstr(error.text, "has its values in another file, which is never followed"));
  assert_true(h5_open(&file, path, "test", 1, &error));
  assert_false(h5_shape(&file, name, &rows, &columns));
  h5_close(&file, &error);
  assert_true(h5_open(&file, path, "test", 1, &error));
  assert_false(h5_verify(&file, NULL));
  h5_close(&file, &error);
}

static void values_outside_of_the_file_are_refused(void** state) {
  (void)state;
  hid_t file = make_files();
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(H5Pset_external(list, elsewhere, 0, sizeof secret) >= 0);
  H5Dclose(add_values(file, "group/external", list));
  H5Pclose(list);
  close_forged(file);
  expect_refused_at_reading("group/external");
}

static void virtual_datasets_are_refused(void** state) {
  (void)state;
  hid_t file = make_files();
  hid_t space = H5Screate_simple(1, shape, NULL);
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  assert_true(H5Pset_virtual(list, space, elsewhere, "/secret", space) >= 0);
  H5Dclose(add_values(file, "group/virtual", list));
  H5Pclose(list);
  H5Sclose(space);
  close_forged(file);
  expect_refused_at_reading("group/virtual");
}

static void tables_of_others_are_not_followed_either(void** state) {
  (void)state;
  Arena arena;
  Error error;
  H5Table table;
  arena_init(&arena);
  hid_t file = make_files();
  assert_true(h5_table_read(&table, elsewhere, "secret", &arena, &error));
  assert_true(H5Lcreate_external(elsewhere, "/secret", file, "y", H5P_DEFAULT, H5P_DEFAULT) >= 0);
  close_forged(file);
  assert_false(h5_table_read(&table, path, "y", &arena, &error));
  assert_non_null(strstr(error.text, "never followed"));
  arena_free(&arena);
}

static void no_plug_ins_are_looked_for(void** state) {
  (void)state;
  H5File file;
  Error error;
  unsigned allowed = 1;
  close_forged(make_files());
  assert_true(h5_open(&file, path, "test", 1, &error));
  assert_true(h5_close(&file, &error));
  assert_true(H5PLget_loading_state(&allowed) >= 0);
  assert_int_equal(allowed, 0);
}

static void integers_must_fit(void** state) {
  (void)state;
  H5File file;
  Error error;
  assert_true(h5_create(&file, path, "test", 1, &error));
  h5_set_i64(&file, "", "small", 7);
  h5_set_i64(&file, "", "large", (int64_t)1 << 40 | 7);
  assert_true(h5_seal(&file, &error));
  assert_true(h5_open(&file, path, "test", 1, &error));
  assert_int_equal(h5_get_int(&file, "", "small", 0, 7), 7);
  assert_int_equal(h5_get_int(&file, "", "large", 0, 7), 0);
  assert_false(h5_close(&file, &error));
  assert_non_null(strstr(error.text, "attribute 'large' is 1099511627783, expected 0 to 7"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(links_that_lead_out_are_refused),
      TEST(values_outside_of_the_file_are_refused),
      TEST(virtual_datasets_are_refused),
      TEST(tables_of_others_are_not_followed_either),
      TEST(no_plug_ins_are_looked_for),
      TEST(integers_must_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
