// Threads change no bit of a run, whatever their number, also where it changes in the middle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "small_options.h"

// Networks that are large enough for their products to be shared.
static void make(Mbpo* m, int threads, Arena* arena) {
  Small o = small_options();
  o.sac.batch_size = o.model.batch_size = 128;
  o.sac.hidden_size = o.model.hidden_size = 100;
  o.mbpo.rollouts = 500;
  MbpoSetup setup = {.task = "pendulum-v1",
                     .assets = SOURCE_DIR "/configs/mjcf",
                     .sac = &o.sac,
                     .model = &o.model,
                     .mbpo = &o.mbpo,
                     .epochs = 4,
                     .decision_interval = 10,
                     .max_rollout_length = 3,
                     .seed = 7,
                     .threads = threads};
  Error error;
  assert_true(mbpo_init(m, &setup, arena, &error));
  assert_int_equal(team_threads(m->team), threads);
}

static void run(Mbpo* m, int advances) {
  for (int i = 0; i < advances; i++) {
    assert_int_not_equal(mbpo_advance(m), MBPO_DIVERGED);
  }
}

static uint64_t checksum(Mbpo* m) {
  Archive ar;
  archive_init_checksum(&ar);
  mbpo_visit(m, &ar);
  return ar.checksum;
}

static void copy(Mbpo* to, Mbpo* from) {
  Archive ar;
  ArchiveMemory memory = {0};
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  mbpo_visit(from, &ar);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  mbpo_visit(to, &ar);
  assert_false(ar.failed);
  archive_memory_free(&memory);
}

static void a_run_has_the_same_bits_on_any_number_of_threads(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo alone;
  make(&alone, 1, &arena);
  run(&alone, 290);
  for (int threads = 2; threads <= 3; threads++) {
    Mbpo begun, resumed;
    make(&begun, threads, &arena);
    make(&resumed, 5 - threads, &arena);
    run(&begun, 230);
    copy(&resumed, &begun);
    run(&begun, 60);
    run(&resumed, 60);
    assert_true(checksum(&begun) == checksum(&alone));
    assert_true(checksum(&resumed) == checksum(&alone));
    mbpo_free(&begun);
    mbpo_free(&resumed);
  }
  mbpo_free(&alone);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_has_the_same_bits_on_any_number_of_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
