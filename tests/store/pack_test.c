// Laws of packs: a file in one is read as if it stood by itself, tar reads them, and nothing is removed
// that is not in one with the same bytes.

#include "store/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/h5.h"

#define FILES 5
#define ALL ((PackRange){0, FILES - 1})

typedef struct {
  char dir[64];
  uint64_t hash[FILES];  // as they were sealed
  Error error;
} Fixture;

static char path_text[FILES_PATH_SIZE];

static const char* path_of(const Fixture* f, const char* name) {
  snprintf(path_text, sizeof path_text, "%s/%s", f->dir, name);
  return path_text;
}

static const char* file_of(const Fixture* f, int e) {
  snprintf(path_text, sizeof path_text, "%s/%06d.h5", f->dir, e);
  return path_text;
}

#define PACK "packed/000000-000004.tar"

static void run(const char* format, const char* dir) {
  char command[512];
  snprintf(command, sizeof command, format, dir);
  assert_int_equal(system(command), 0);
}

static void seal(Fixture* f, const char* path, int64_t number) {
  H5File file;
  assert_true(h5_create(&file, path, "test.file", 1, &f->error));
  h5_set_i64(&file, "", "number", number);
  assert_true(h5_seal(&file, &f->error));
}

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->dir, "/tmp/pack_test_XXXXXX");
  assert_non_null(mkdtemp(f->dir));
  for (int e = 0; e < FILES; e++) {
    seal(f, file_of(f, e), 100 + e);
    assert_true(files_hash(&f->hash[e], file_of(f, e), &f->error));
  }
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  run("rm -r %s", f->dir);
  free(f);
  return 0;
}

static void assert_there(Fixture* f, int e) {
  H5File file;
  uint64_t hash;
  assert_true(pack_stands(file_of(f, e)) && pack_exists(file_of(f, e)));
  assert_true(pack_hash(&hash, file_of(f, e), &f->error));
  assert_true(hash == f->hash[e]);
  assert_true(h5_open(&file, file_of(f, e), "test.file", 1, &f->error));
  assert_int_equal(h5_get_i64(&file, "", "number"), 100 + e);
  assert_true(h5_close(&file, &f->error));
}

static void pack(Fixture* f) { assert_true(pack_write(f->dir, ALL, &f->error)); }

static void a_file_in_a_pack_is_read_as_if_it_stood_by_itself(void** state) {
  Fixture* f = *state;
  pack(f);
  for (int e = 0; e < FILES; e++) {
    assert_false(files_exists(file_of(f, e)));
    assert_there(f, e);
  }
  bool there = true;
  assert_true(pack_look(&there, file_of(f, FILES), &f->error) && !there);
  uint64_t hash;
  assert_false(pack_hash(&hash, file_of(f, FILES), &f->error));
  assert_non_null(strstr(f->error.text, "000005.h5: No such file"));
}

static void tar_takes_out_the_same_bytes(void** state) {
  Fixture* f = *state;
  pack(f);
  run("cd %s && tar -xf " PACK " && rm -r packed && test `ls | wc -l` = 6", f->dir);
  for (int e = 0; e < FILES; e++) {
    uint64_t hash;
    assert_true(files_hash(&hash, file_of(f, e), &f->error));
    assert_true(hash == f->hash[e]);
  }
}

static void a_pack_is_a_function_of_its_files(void** state) {
  Fixture* f = *state;
  uint64_t first, again;
  pack(f);
  assert_true(files_hash(&first, path_of(f, PACK), &f->error));
  run("cd %s && tar -xf " PACK " && rm " PACK, f->dir);
  pack(f);
  assert_true(files_hash(&again, path_of(f, PACK), &f->error));
  assert_true(first == again);
}

static void who_packs_again_does_nothing(void** state) {
  Fixture* f = *state;
  pack(f);
  pack(f);
  assert_true(pack_write(f->dir, (PackRange){1, 2}, &f->error));
  run("test `ls %s/packed | wc -l` = 1", f->dir);
}

static void what_was_sealed_again_goes_unless_it_differs(void** state) {
  Fixture* f = *state;
  pack(f);
  seal(f, file_of(f, 2), 102);
  assert_there(f, 2);
  pack(f);
  assert_false(files_exists(file_of(f, 2)));
  seal(f, file_of(f, 3), 999);
  assert_false(pack_write(f->dir, ALL, &f->error));
  assert_non_null(strstr(f->error.text, "000003.h5: "));
  assert_non_null(strstr(f->error.text, "other bytes"));
  assert_true(files_exists(file_of(f, 3)));
}

static void where_one_is_missing_nothing_is_packed(void** state) {
  Fixture* f = *state;
  unlink(file_of(f, 4));
  assert_false(pack_write(f->dir, ALL, &f->error));
  assert_non_null(strstr(f->error.text, "000004.h5: No such file"));
  run("test `ls %s/*.h5 | wc -l` = 4", f->dir);
  run("test -z \"`ls %s/packed`\"", f->dir);
}

static void overlapping_packs_are_fine(void** state) {
  Fixture* f = *state;
  assert_true(pack_write(f->dir, (PackRange){1, 2}, &f->error));
  pack(f);
  for (int e = 0; e < FILES; e++) {
    assert_there(f, e);
  }
}

static void assert_refused(Fixture* f, int e, const char* text) {
  H5File file;
  assert_false(h5_open(&file, file_of(f, e), "test.file", 1, &f->error));
  assert_non_null(strstr(f->error.text, text));
}

static void damage_is_named(void** state) {
  Fixture* f = *state;
  pack(f);
  run("printf X | dd of=%s/" PACK " bs=1 seek=600 conv=notrunc status=none", f->dir);
  assert_refused(f, 0, "000000.h5: is damaged");
  assert_there(f, 1);
  run("sed -i 's/^000001.h5 /000009.h5 /' %s/" PACK, f->dir);
  assert_refused(f, 1, "000000-000004.tar: is damaged: it does not tell where 000001.h5 is");
  assert_there(f, 2);
  run("truncate -s 600 %s/" PACK, f->dir);
  assert_refused(f, 2, "000000-000004.tar: is damaged");
  run("truncate -s 0 %s/" PACK, f->dir);
  assert_refused(f, 2, "000000-000004.tar: is damaged");
}

// An index may say anything.
static void places_outside_of_the_pack_are_refused(void** state) {
  static const char* const places[] = {"99999999", "      -1"};
  Fixture* f = *state;
  pack(f);
  for (int i = 0; i < 2; i++) {
    char change[128];
    snprintf(change, sizeof change, "sed -i -E 's/^(000003.h5 .{14}).{8}/\\1%s/' %%s/" PACK, places[i]);
    run(change, f->dir);
    assert_refused(f, 3, "000000-000004.tar: is damaged");
  }
}

static void other_names_are_no_packs(void** state) {
  static const char* const names[] = {"index.txt",         "000000-000004.tar.host-1-0.tmp",
                                      "0-4.tar",           "000004-000000.tar",
                                      "-00001-000004.tar", "000000-999999999.tar"};
  (void)state;
  PackRange range;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    assert_false(pack_range(&range, names[i]));
  }
  assert_true(pack_range(&range, "000012-1000000.tar"));
  assert_int_equal(range.first, 12);
  assert_int_equal(range.last, 1000000);
}

static void links_are_not_followed(void** state) {
  Fixture* f = *state;
  pack(f);
  run("cd %s && mv " PACK " aside && ln -s ../aside " PACK, f->dir);
  assert_refused(f, 0, "is a symbolic link");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_file_in_a_pack_is_read_as_if_it_stood_by_itself),
      TEST(tar_takes_out_the_same_bytes),
      TEST(a_pack_is_a_function_of_its_files),
      TEST(who_packs_again_does_nothing),
      TEST(what_was_sealed_again_goes_unless_it_differs),
      TEST(where_one_is_missing_nothing_is_packed),
      TEST(overlapping_packs_are_fine),
      TEST(damage_is_named),
      TEST(places_outside_of_the_pack_are_refused),
      TEST(other_names_are_no_packs),
      TEST(links_are_not_followed),
  };
  return cmocka_run_group_tests_name("packs:", tests, NULL, NULL);
}
