// A training run in its steady state takes no memory from the heap.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../count_allocations.h"
#include "small_options.h"

// Runs until `epochs` are finished.
static void run_to(Mbpo* m, int epochs) {
  while (m->epoch < epochs) {
    MbpoEvent event = mbpo_advance(m);
    assert_true(event != MBPO_FINISHED && event != MBPO_DIVERGED);
    if (event == MBPO_DECISION) {
      mbpo_train_model(m);
    }
  }
}

static void check_task(const char* task) {
  Arena arena;
  Mbpo m;
  Error error;
  Small o = small_options();
  // rollouts grow in every epoch, and with them the buffer of imagined transitions
  o.mbpo.rollout_schedule = (OptionList){4, {0, 5, 1, 6}};
  o.mbpo.retain_epochs = 2;
  o.mbpo.exploration_steps = 100;
  o.mbpo.max_path_length = 40;
  MbpoSetup setup = {.task = task,
                     .assets = SOURCE_DIR "/configs/mjcf",
                     .sac = &o.sac,
                     .model = &o.model,
                     .mbpo = &o.mbpo,
                     .scheduled = {.train_model = true},
                     .epochs = 7,
                     .decision_interval = 10,
                     .max_rollout_length = 6};
  arena_init(&arena);
  assert_true(mbpo_init(&m, &setup, &arena, &error));
  run_to(&m, 1);
  long allocations_before = allocations;
  size_t bytes_before = arena_bytes(&arena);
  run_to(&m, 6);
  assert_int_equal(allocations, allocations_before);
  assert_int_equal(arena_bytes(&arena), bytes_before);
  mbpo_free(&m);
  arena_free(&arena);
}

// Without this the next tests would pass on a counter that does not count.
static void counter_counts(void** state) {
  (void)state;
  Arena arena;
  long before = allocations;
  arena_init(&arena);
  arena_alloc(&arena, 1 << 20);
  assert_true(allocations > before || !COUNTS_ALLOCATIONS);
  arena_free(&arena);
}

static void training_allocates_nothing_in_plain_c(void** state) {
  (void)state;
  check_task("pendulum-v1");
}

static void training_allocates_nothing_on_mujoco(void** state) {
  (void)state;
  check_task("hopper-v4");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counter_counts),
      cmocka_unit_test(training_allocates_nothing_in_plain_c),
      cmocka_unit_test(training_allocates_nothing_on_mujoco),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
