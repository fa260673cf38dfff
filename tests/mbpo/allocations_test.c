// A training run in its steady state takes no memory from the heap.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../count_allocations.h"
#include "mbpo/mbpo.h"

static const SacOptions sac = {.batch_size = 16,
                               .hidden_size = 16,
                               .hidden_layers = 2,
                               .learning_rate = 3e-4,
                               .discount = 0.99,
                               .target_rate = 0.005,
                               .initial_alpha = 1,
                               .target_entropy = -1};

static const EnsembleOptions model = {.members = 3,
                                      .elites = 2,
                                      .hidden_size = 16,
                                      .hidden_layers = 2,
                                      .learning_rate = 1e-3,
                                      .batch_size = 32,
                                      .weight_decay = 1,
                                      .holdout_ratio = 0.2,
                                      .holdout_limit = 5000,
                                      .patience = 5,
                                      .improvement = 0.01,
                                      .max_epochs = 3};

// Rollouts grow in every epoch, and with them the buffer of imagined transitions.
static const MbpoOptions mbpo = {.epoch_length = 50,
                                 .exploration_steps = 100,
                                 .min_pool = 100,
                                 .max_path_length = 40,
                                 .env_buffer = 10000,
                                 .real_ratio = 0.25,
                                 .policy_updates = 2,
                                 .train_interval = 25,
                                 .rollout_interval = 25,
                                 .rollouts = 40,
                                 .retain_epochs = 2,
                                 .rollout_schedule = {4, {0, 5, 1, 6}},
                                 .evaluation_episodes = 2};

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
  MbpoSetup setup = {.task = task,
                     .assets = SOURCE_DIR "/configs/mjcf",
                     .sac = &sac,
                     .model = &model,
                     .mbpo = &mbpo,
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
