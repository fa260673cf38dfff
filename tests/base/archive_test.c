// Laws of archives in memory: what was saved is loaded to the bit, or the first thing that does not fit is named.
#include "base/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
  int32_t steps;
  double weights[4];
  bool begun;
} Module;

static void visit(void* self, Archive* ar) {
  Module* m = self;
  archive_enter(ar, "module");
  archive_i32(ar, "steps", &m->steps, 1);
  archive_f64(ar, "weights", m->weights, 4);
  archive_bool(ar, "begun", &m->begun);
  archive_leave(ar);
}

static void visit_packed(Module* m, Archive* ar) { archive_packed(ar, "packed", visit, m); }

static void what_is_saved_is_loaded_and_has_the_same_checksum(void** state) {
  (void)state;
  Module saved = {7, {1, -2.5, 3e-300, 4}, true}, loaded = {0};
  ArchiveMemory memory = {0};
  Archive save, load, checksum, none;
  archive_init_memory(&save, ARCHIVE_SAVE, &memory);
  visit_packed(&saved, &save);
  archive_init_memory(&load, ARCHIVE_LOAD, &memory);
  visit_packed(&loaded, &load);
  archive_init_checksum(&checksum);
  visit_packed(&loaded, &checksum);
  archive_init_memory(&none, ARCHIVE_CHECKSUM, NULL);
  visit_packed(&loaded, &none);
  assert_true(!save.failed && !load.failed && !checksum.failed);
  assert_memory_equal(loaded.weights, saved.weights, sizeof saved.weights);
  assert_true(loaded.steps == 7 && loaded.begun);
  assert_true(save.checksum == load.checksum && load.checksum == checksum.checksum);
  assert_true(none.checksum == checksum.checksum);
  archive_memory_free(&memory);
}

static void what_ends_early_is_named_and_nothing_more_is_read(void** state) {
  (void)state;
  Module saved = {7, {1, 2, 3, 4}, true}, loaded = {0};
  ArchiveMemory memory = {0};
  Archive ar;
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  visit(&saved, &ar);
  memory.size = sizeof saved.steps + sizeof saved.weights - 1;
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  visit(&loaded, &ar);
  assert_true(ar.failed && loaded.steps == 7 && !loaded.begun);
  assert_string_equal(ar.error.text, "weights: ends early: 32 bytes wanted, 31 left");
  archive_fail(&ar, "a second failure");
  assert_string_equal(ar.error.text, "weights: ends early: 32 bytes wanted, 31 left");
  archive_memory_free(&memory);
}

// Of a packed module with `size` bytes of which there are `there`.
static void expect_packed_failure(uint64_t size, size_t there, const char* message) {
  Module loaded = {0};
  unsigned char bytes[64] = {0};
  ArchiveMemory memory = {.bytes = bytes, .size = sizeof size + there};
  Archive ar;
  memcpy(bytes, &size, sizeof size);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  visit_packed(&loaded, &ar);
  assert_true(ar.failed);
  assert_string_equal(ar.error.text, message);
}

static void a_packed_part_that_cannot_be_is_refused(void** state) {
  (void)state;
  expect_packed_failure((uint64_t)1 << 40, 37,
                        "packed: 1099511627776 bytes, expected at most 1073741824");
  expect_packed_failure(37, 36, "bytes: ends early: 37 bytes wanted, 36 left");
  expect_packed_failure(20, 20, "weights: ends early: 32 bytes wanted, 16 left");
  expect_packed_failure(0, 0, "steps: ends early: 4 bytes wanted, 0 left");
  Module loaded = {0};
  ArchiveMemory empty = {0};
  Archive ar;
  archive_init_memory(&ar, ARCHIVE_LOAD, &empty);
  visit_packed(&loaded, &ar);
  assert_string_equal(ar.error.text, "size: ends early: 8 bytes wanted, 0 left");
}

static bool refuse(Archive* ar, const char* name) { return error_set(&ar->error, "no group %s", name); }
static bool refuse_to_leave(Archive* ar) { return error_set(&ar->error, "not left"); }

static void a_group_that_cannot_be_entered_or_left_fails_the_archive(void** state) {
  (void)state;
  Module m = {0};
  Archive ar;
  archive_init_checksum(&ar);
  ar.enter = refuse;
  visit(&m, &ar);
  assert_true(ar.failed);
  assert_string_equal(ar.error.text, "module: no group module");
  archive_init_checksum(&ar);
  ar.leave = refuse_to_leave;
  visit(&m, &ar);
  assert_true(ar.failed);
  assert_string_equal(ar.error.text, "not left");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_saved_is_loaded_and_has_the_same_checksum),
      cmocka_unit_test(what_ends_early_is_named_and_nothing_more_is_read),
      cmocka_unit_test(a_packed_part_that_cannot_be_is_refused),
      cmocka_unit_test(a_group_that_cannot_be_entered_or_left_fails_the_archive),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
