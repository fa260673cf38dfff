// D_model holds each state once, and is otherwise what a buffer of whole transitions is.
#define _GNU_SOURCE
#include "env/imagined.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define OBS 5
#define ACT 2
#define LIMIT 3000
#define BATCH 300
#define BRANCHES 900

// The same transitions in both, from branches that are rolled out together.
typedef struct {
  Imagined imagined;
  Replay whole;
  Rng rng;
  Real obs[BRANCHES][OBS];
  int64_t before[BRANCHES];
} Both;

static void set_up(Both* b, int64_t limit, uint64_t seed) {
  b->rng = rng_stream(seed, 0, RNG_TEST, 0);
  imagined_init(&b->imagined, OBS, ACT, limit);
  replay_init(&b->whole, OBS, ACT, limit);
}

static void tear_down(Both* b) {
  imagined_free(&b->imagined);
  replay_free(&b->whole);
}

// One step of each branch; some end, some are not stored. Returns how many go on.
static int step(Both* b, int count) {
  int alive = 0;
  for (int i = 0; i < count; i++) {
    Real act[ACT], next_obs[OBS], rew;
    rng_fill_normal(act, ACT, &b->rng);
    rng_fill_normal(next_obs, OBS, &b->rng);
    rng_fill_normal(&rew, 1, &b->rng);
    int fate = (int)rng_below(&b->rng, 20);
    if (fate == 0) {
      continue;
    }
    int64_t number = imagined_add(&b->imagined, b->before[i], b->obs[i], act, next_obs, rew, fate < 4);
    replay_add(&b->whole, b->obs[i], act, next_obs, rew, fate < 4, 0);
    if (fate >= 4) {
      memmove(b->obs[alive], next_obs, sizeof next_obs);
      b->before[alive++] = number;
    }
  }
  imagined_trim(&b->imagined);
  return alive;
}

static void roll_out(Both* b, int count, int length) {
  for (int i = 0; i < count; i++) {
    rng_fill_normal(b->obs[i], OBS, &b->rng);
    b->before[i] = IMAGINED_START;
  }
  for (int k = 0; k < length && count > 0; k++) {
    count = step(b, count);
  }
}

static void assert_same_batches(Both* b, Batch* one, Batch* other) {
  Rng again = b->rng;
  imagined_sample(one, 0, BATCH, &b->imagined, &b->rng);
  replay_sample(other, 0, BATCH, &b->whole, &again);
  assert_memory_equal(one->obs, other->obs, BATCH * OBS * sizeof(Real));
  assert_memory_equal(one->act, other->act, BATCH * ACT * sizeof(Real));
  assert_memory_equal(one->next_obs, other->next_obs, BATCH * OBS * sizeof(Real));
  assert_memory_equal(one->rew, other->rew, BATCH * sizeof(Real));
  assert_memory_equal(one->terminated, other->terminated, BATCH * sizeof(Real));
}

static uint64_t checksum(Imagined* imagined) {
  Archive archive;
  archive_init_checksum(&archive);
  imagined_visit(imagined, &archive, "imagined");
  return archive.checksum;
}

// Puts what a file would hold into a new buffer.
static void save_and_load(Imagined* m) {
  Imagined loaded;
  imagined_init(&loaded, OBS, ACT, m->limit);
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  imagined_visit(m, &archive, "imagined");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  imagined_visit(&loaded, &archive, "imagined");
  assert_false(archive.failed);
  assert_true(checksum(m) == checksum(&loaded));
  archive_memory_free(&memory);
  imagined_free(m);
  *m = loaded;
}

static void it_gives_what_whole_transitions_give(void** state) {
  (void)state;
  static Both b;
  set_up(&b, LIMIT, 7);
  Arena arena;
  arena_init(&arena);
  Batch one, other;
  batch_init(&one, BATCH, OBS, ACT, &arena);
  batch_init(&other, BATCH, OBS, ACT, &arena);
  int64_t most = 0;
  for (int round = 0; round < 150; round++) {
    roll_out(&b, 1 + (int)rng_below(&b.rng, BRANCHES), 1 + (int)rng_below(&b.rng, 5));
    assert_int_equal(b.imagined.size, b.whole.size);
    if (b.whole.size > 0) {
      assert_same_batches(&b, &one, &other);
    }
    if (round % 3 == 0) {
      // also the largest, where every place is in use
      int64_t capacity = round % 4 == 0 ? LIMIT : 1 + (int64_t)rng_below(&b.rng, LIMIT);
      imagined_set_capacity(&b.imagined, capacity);
      replay_set_capacity(&b.whole, capacity);
    }
    if (round % 7 == 0) {
      save_and_load(&b.imagined);
    }
    most = b.imagined.added;
  }
  assert_true(most > 10 * (LIMIT + IMAGINED_REACH));  // it went round
  arena_free(&arena);
  tear_down(&b);
}

static void load_then_add_equals_uninterrupted(void** state) {
  (void)state;
  static Both b, again;
  set_up(&b, LIMIT, 8);
  set_up(&again, LIMIT, 8);
  for (int round = 0; round < 40; round++) {
    save_and_load(&again.imagined);
    roll_out(&b, BRANCHES, 3);
    roll_out(&again, BRANCHES, 3);
    assert_true(checksum(&b.imagined) == checksum(&again.imagined));
  }
  tear_down(&b);
  tear_down(&again);
}

static double resident(void* start, size_t bytes) {
  size_t pages = (bytes + 4095) / 4096, there = 0;
  unsigned char* in = calloc(pages, 1);
  assert_int_equal(mincore(start, bytes, in), 0);
  for (size_t i = 0; i < pages; i++) {
    there += in[i] & 1;
  }
  free(in);
  return (double)there * 4096;
}

// The window moves through the places and leaves no memory behind.
static void only_what_is_in_use_holds_memory(void** state) {
  (void)state;
  static Both b;
  const int64_t limit = 400000, capacity = 20000;
  set_up(&b, limit, 9);
  imagined_set_capacity(&b.imagined, capacity);
  replay_set_capacity(&b.whole, capacity);
  Imagined* m = &b.imagined;
  size_t row = (size_t)m->row_size * sizeof(Real), state_bytes = OBS * sizeof(Real);
  while (m->added < 3 * limit / 2) {
    roll_out(&b, BRANCHES, 5);
  }
  // beside the window what is dropped when it is enough, and a page at the edges of each such piece
  double kept = (double)capacity + 3 * IMAGINED_REACH;
  double edges = 4096.0 * (double)m->added / IMAGINED_REACH + 3 * 4096;
  size_t places = (size_t)limit + IMAGINED_REACH;
  assert_true(resident(m->rows, places * row) < kept * (double)row + edges);
  assert_true(resident(m->before, places * 4) < kept * 4 + edges);
  assert_true(resident(m->start, (size_t)limit * state_bytes) < kept * (double)state_bytes + edges);
  tear_down(&b);
}

static void load_refuses_a_transition_without_its_state(void** state) {
  (void)state;
  static Both b;
  for (int wrong = 0; wrong < 4; wrong++) {
    set_up(&b, LIMIT, 10);
    roll_out(&b, 20, 3);
    const int32_t values[] = {0, IMAGINED_REACH + 1, 2000, -1 - LIMIT};
    b.imagined.before[10] = values[wrong];
    Archive archive;
    ArchiveMemory memory = {0};
    archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
    imagined_visit(&b.imagined, &archive, "imagined");
    archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
    imagined_visit(&b.imagined, &archive, "imagined");
    assert_true(archive.failed);
    assert_non_null(strstr(archive.error.text, "not there"));
    archive_memory_free(&memory);
    tear_down(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_gives_what_whole_transitions_give),
      cmocka_unit_test(load_then_add_equals_uninterrupted),
      cmocka_unit_test(only_what_is_in_use_holds_memory),
      cmocka_unit_test(load_refuses_a_transition_without_its_state),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
