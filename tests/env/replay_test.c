#include "env/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OBS 3
#define ACT 2
#define LIMIT 40
#define RING 10
#define DRAWS 1000
#define ROUNDS 20

// Transition number `id`: every field says which transition it is.
static void add(Replay* replay, int id) {
  Real obs[OBS] = {(Real)id, (Real)id + (Real)0.25, (Real)id + (Real)0.5};
  Real act[ACT] = {(Real)id * (Real)0.5, -(Real)id};
  Real next_obs[OBS] = {(Real)id + 1000, (Real)id + 2000, (Real)id + 3000};
  replay_add(replay, obs, act, next_obs, (Real)id * 2, id % 3 == 0, (Real)-id);
}

static void assert_is_transition(const Replay* replay, const Real* row, int id) {
  assert_true(transition_obs(&replay->row, row)[0] == (Real)id);
  assert_true(transition_obs(&replay->row, row)[OBS - 1] == (Real)id + (Real)0.5);
  assert_true(transition_act(&replay->row, row)[0] == (Real)id * (Real)0.5);
  assert_true(transition_act(&replay->row, row)[ACT - 1] == -(Real)id);
  assert_true(transition_next_obs(&replay->row, row)[0] == (Real)id + 1000);
  assert_true(transition_next_obs(&replay->row, row)[OBS - 1] == (Real)id + 3000);
  assert_true(transition_rew(&replay->row, row) == (Real)id * 2);
  assert_true(transition_terminated(&replay->row, row) == (id % 3 == 0));
  assert_true(transition_logp(&replay->row, row) == (Real)-id);
}

// The buffer must hold exactly the transitions first ... last, in this order.
static void assert_holds(const Replay* replay, int first, int last) {
  assert_int_equal(replay->size, last - first + 1);
  for (int id = first; id <= last; id++) {
    assert_is_transition(replay, replay_row(replay, id - first), id);
  }
}

static void ring_keeps_the_newest_in_order(void** state) {
  (void)state;
  Replay replay;
  replay_init(&replay, OBS, ACT, LIMIT);
  replay_set_capacity(&replay, 7);
  for (int id = 0; id < 60; id++) {
    add(&replay, id);
    assert_holds(&replay, id < 7 ? 0 : id - 6, id);
  }
  replay_free(&replay);
}

static void changing_capacity_keeps_the_newest_in_order(void** state) {
  (void)state;
  // any sequence of additions and capacities, followed by the numbers that must be there
  Rng rng = rng_stream(3, 0, RNG_TEST, 0);
  Replay replay;
  replay_init(&replay, OBS, ACT, LIMIT);
  int first = 0;
  int added = 0;
  for (int round = 0; round < 500; round++) {
    int count = (int)rng_below(&rng, 12);
    for (int i = 0; i < count; i++) {
      add(&replay, added++);
      first = added - first > (int)replay.capacity ? added - (int)replay.capacity : first;
    }
    int capacity = 1 + (int)rng_below(&rng, LIMIT);
    replay_set_capacity(&replay, capacity);
    first = added - first > capacity ? added - capacity : first;
    assert_holds(&replay, first, added - 1);
  }
  replay_free(&replay);
}

static void sample_draws_every_row_equally_often(void** state) {
  (void)state;
  Rng rng = rng_stream(4, 0, RNG_TEST, 0);
  Arena arena;
  arena_init(&arena);
  Replay replay;
  replay_init(&replay, OBS, ACT, LIMIT);
  replay_set_capacity(&replay, RING);
  for (int id = 0; id < RING + 3; id++) {
    add(&replay, id);
  }
  Batch batch;
  batch_init(&batch, DRAWS, OBS, ACT, &arena);
  int counts[RING] = {0};
  for (int round = 0; round < ROUNDS; round++) {
    replay_sample(&batch, 0, DRAWS, &replay, &rng);
    for (int b = 0; b < DRAWS; b++) {
      int id = (int)batch.obs[b * OBS];
      assert_in_range(id, 3, RING + 2);
      assert_true(batch.act[b * ACT + 1] == -(Real)id);
      assert_true(batch.next_obs[b * OBS + 2] == (Real)id + 3000);
      assert_true(batch.rew[b] == (Real)id * 2);
      assert_true(batch.terminated[b] == (Real)(id % 3 == 0));
      counts[id - 3]++;
    }
  }
  // 2000 expected, standard deviation 42: five of them
  for (int i = 0; i < RING; i++) {
    assert_in_range(counts[i], 1790, 2210);
  }
  replay_free(&replay);
  arena_free(&arena);
}

static void sample_fills_only_the_rows_asked_for(void** state) {
  (void)state;
  Rng rng = rng_stream(5, 0, RNG_TEST, 0);
  Arena arena;
  arena_init(&arena);
  Replay real;
  Replay imaginary;
  replay_init(&real, OBS, ACT, LIMIT);
  replay_init(&imaginary, OBS, ACT, LIMIT);
  add(&real, 1);
  add(&imaginary, 2);
  Batch batch;
  batch_init(&batch, 300, OBS, ACT, &arena);
  replay_sample(&batch, 0, 13, &real, &rng);
  replay_sample(&batch, 13, 287, &imaginary, &rng);
  replay_sample(&batch, 300, 0, &real, &rng);
  for (int b = 0; b < 300; b++) {
    assert_true(batch.obs[b * OBS] == (b < 13 ? 1 : 2));
  }
  replay_free(&real);
  replay_free(&imaginary);
  arena_free(&arena);
}

static uint64_t checksum(Replay* replay) {
  Archive archive;
  archive_init_checksum(&archive);
  replay_visit(replay, &archive, "replay");
  return archive.checksum;
}

static void load_then_add_equals_uninterrupted(void** state) {
  (void)state;
  for (int count = 0; count < 25; count += 4) {
    Replay original;
    Replay loaded;
    replay_init(&original, OBS, ACT, LIMIT);
    replay_init(&loaded, OBS, ACT, LIMIT);
    replay_set_capacity(&original, 10);
    for (int id = 0; id < count; id++) {
      add(&original, id);
    }
    Archive archive;
    ArchiveMemory memory = {0};
    archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
    replay_visit(&original, &archive, "replay");
    archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
    replay_visit(&loaded, &archive, "replay");
    assert_false(archive.failed);
    for (int id = count; id < count + 5; id++) {
      add(&original, id);
      add(&loaded, id);
    }
    assert_true(checksum(&original) == checksum(&loaded));
    assert_holds(&loaded, count + 5 > 10 ? count - 5 : 0, count + 4);
    archive_memory_free(&memory);
    replay_free(&original);
    replay_free(&loaded);
  }
}

static void load_refuses_rows_of_another_size(void** state) {
  (void)state;
  Replay wide;
  Replay narrow;
  replay_init(&wide, OBS, ACT, LIMIT);
  replay_init(&narrow, OBS - 1, ACT, LIMIT);
  add(&wide, 1);
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  replay_visit(&wide, &archive, "replay");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  replay_visit(&narrow, &archive, "replay");
  assert_true(archive.failed);
  assert_non_null(strstr(archive.error.text, "numbers"));
  archive_memory_free(&memory);
  replay_free(&wide);
  replay_free(&narrow);
}

static void load_refuses_more_rows_than_the_limit(void** state) {
  (void)state;
  Replay large;
  Replay small;
  replay_init(&large, OBS, ACT, LIMIT);
  replay_init(&small, OBS, ACT, LIMIT / 2);
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  replay_visit(&large, &archive, "replay");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  replay_visit(&small, &archive, "replay");
  assert_true(archive.failed);
  archive_memory_free(&memory);
  replay_free(&large);
  replay_free(&small);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ring_keeps_the_newest_in_order),
      cmocka_unit_test(changing_capacity_keeps_the_newest_in_order),
      cmocka_unit_test(sample_draws_every_row_equally_often),
      cmocka_unit_test(sample_fills_only_the_rows_asked_for),
      cmocka_unit_test(load_then_add_equals_uninterrupted),
      cmocka_unit_test(load_refuses_rows_of_another_size),
      cmocka_unit_test(load_refuses_more_rows_than_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
