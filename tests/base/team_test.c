#include "base/team.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST_PARTS 100

typedef struct {
  int done[MOST_PARTS];  // how often each part was done
  int in;                // written by the caller, read by all
  int out[MOST_PARTS];
} Work;

static void count_part(void* self, int part) {
  Work* work = self;
  work->done[part]++;
  work->out[part] = work->in + part;
}

static void assert_all_done(Team* team, int parts, int in) {
  Work work = {.in = in};
  team_run(team, count_part, &work, parts);
  for (int part = 0; part < MOST_PARTS; part++) {
    assert_int_equal(work.done[part], part < parts);
    assert_int_equal(work.out[part], part < parts ? in + part : 0);
  }
}

static void each_part_is_done_once_whatever_the_number_of_threads(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int threads = 0; threads <= 5; threads++) {
    Team* team;
    Error error;
    assert_true(team_open(&team, threads, &arena, &error));
    assert_int_equal(team_threads(team), threads < 2 ? 1 : threads);
    assert_true((team == NULL) == (threads < 2));
    for (int task = 0; task < 3000; task++) {
      assert_all_done(team, task % (MOST_PARTS + 1), task);
    }
    team_close(team);
  }
  arena_free(&arena);
}

static void threads_that_sleep_are_woken_or_not_needed(void** state) {
  (void)state;
  Arena arena;
  Team* team;
  Error error;
  arena_init(&arena);
  assert_true(team_open(&team, 3, &arena, &error));
  for (int pause = 0; pause < 30; pause++) {
    usleep((useconds_t)(100 * pause));
    assert_all_done(team, 7, pause);
  }
  team_close(team);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_part_is_done_once_whatever_the_number_of_threads),
      cmocka_unit_test(threads_that_sleep_are_woken_or_not_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
