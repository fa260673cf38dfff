// A file that claims more than it holds is refused at once (found by tests/fuzz/sealed_fuzz.c).
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

static void make_file(const char* path, hsize_t rows, hsize_t columns) {
  Error error;
  H5File file;
  assert_true(h5_create(&file, path, "test", 1, &error));
  assert_true(h5_seal(&file, &error));
  hid_t handle = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hsize_t shape[2] = {rows, columns};
  hid_t space = H5Screate_simple(2, shape, NULL);
  hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(list, H5D_ALLOC_TIME_LATE);
  hid_t set = H5Dcreate2(handle, "x", H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  assert_true(set >= 0);
  H5Dclose(set);
  H5Pclose(list);
  H5Sclose(space);
  H5Fclose(handle);
  reseal(path);
}

static void refused(hsize_t rows, hsize_t columns) {
  char directory[] = "/tmp/h5_claims_XXXXXX";
  char path[64];
  H5File file;
  Error error;
  int64_t found_rows, found_columns;
  H5Table table;
  Arena arena;
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/x.h5", directory);
  make_file(path, rows, columns);
  assert_true(h5_open_any(&file, path, &error));
  assert_false(h5_shape(&file, "x", &found_rows, &found_columns));
  assert_false(h5_verify(&file, NULL));
  assert_false(h5_close(&file, &error));
  assert_non_null(strstr(error.text, "claims more values than the file holds"));
  arena_init(&arena);
  assert_false(h5_table_read(&table, path, "x", &arena, &error));
  arena_free(&arena);
  unlink(path);
  rmdir(directory);
}

static void claims_of_more_values_than_the_file_holds_are_refused(void** state) {
  (void)state;
  refused(1u << 20, 1);
  refused((hsize_t)1 << 40, 1);
  refused(8, (hsize_t)1 << 40);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(claims_of_more_values_than_the_file_holds_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
