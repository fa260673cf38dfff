// A controller is copied whole: no byte of what it visits can be changed without its copy following.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/archive.h"
#include "hyper/controller.h"

static const HyperOptions hyper = {
    .schedule_train_model = true, .schedule_real_ratio = true, .real_ratio_factor = 1.2,
    .real_ratio_max = 1, .policy_updates_max = 20, .rollout_length_max = 15};

static void make(Controller* c, Arena* arena) {
  ControllerShape shape = {.groups = "", .hidden_size = 2, .learning_rate = 1e-3, .max_batch = 8,
                           .max_stages = 2};
  Error error;
  assert_true(controller_init(c, &hyper, &shape, 5, arena, &error));
}

static uint64_t checksum(Controller* c) {
  Archive ar;
  archive_init_checksum(&ar);
  controller_visit(c, &ar);
  return ar.checksum;
}

static bool load(Controller* c, ArchiveMemory memory) {
  Archive ar;
  memory.position = 0;
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  controller_visit(c, &ar);
  return !ar.failed;
}

static void every_byte_that_is_visited_is_copied(void** state) {
  (void)state;
  Arena arena;
  Controller from, to;
  ArchiveMemory memory = {0};
  Archive ar;
  arena_init(&arena);
  make(&from, &arena);
  make(&to, &arena);
  from.stages = from.version = 1;
  from.stage[0] = (StageResult){.stage = 0, .episodes = 3, .score = 7};
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  controller_visit(&from, &ar);
  uint64_t before = checksum(&from);
  size_t flipped = 0;
  for (size_t i = 0; i < memory.size; i++) {
    memory.bytes[i] ^= 1;
    if (load(&from, memory) && checksum(&from) != before) {  // else a count that cannot be
      controller_copy(&to, &from);
      assert_true(checksum(&to) == checksum(&from));
      flipped++;
    }
    memory.bytes[i] ^= 1;
    assert_true(load(&from, memory));
  }
  assert_true(flipped + 8 >= memory.size && memory.size > 900);
  archive_memory_free(&memory);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_that_is_visited_is_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
