#include "cluster/cores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// A rank on machine `where` that may use cores first ... last.
static Cores rank_on(const char* where, int threads, int first, int last) {
  Cores cores = {.threads = threads};
  snprintf(cores.machine, sizeof cores.machine, "%s", where);
  snprintf(cores.host, sizeof cores.host, "host-%s", where);
  for (int i = first; i <= last; i++) {
    cores.may[i / 8] |= (unsigned char)(1 << i % 8);
  }
  return cores;
}

// `expected` = what is part of the only line; NULL: nothing is said.
static void assert_judged(const Cores* of, int ranks, const char* expected) {
  Arena arena;
  Text out;
  arena_init(&arena);
  text_init(&out, &arena);
  cores_judge(&out, of, ranks);
  if (!expected) {
    assert_string_equal(out.bytes, "");
  } else if (!strstr(out.bytes, expected) || strchr(out.bytes, '\n')[1]) {
    fail_msg("'%s', expected '%s'", out.bytes, expected);
  }
  arena_free(&arena);
}

static void threads_with_cores_of_their_own_are_fine(void** state) {
  (void)state;
  assert_judged((Cores[]){rank_on("a", 2, 0, 1)}, 1, NULL);
  // rank 0 deals: it takes no core
  assert_judged((Cores[]){rank_on("a", 2, 0, 3), rank_on("a", 2, 0, 3), rank_on("a", 2, 0, 3)}, 3,
                NULL);
  assert_judged((Cores[]){rank_on("a", 2, 0, 0), rank_on("a", 2, 0, 1), rank_on("b", 2, 0, 1)}, 3,
                NULL);
  // one thread a rank, and more ranks than cores
  assert_judged((Cores[]){rank_on("a", 1, 0, 0), rank_on("a", 1, 0, 0), rank_on("a", 1, 0, 0)}, 3,
                NULL);
  // not known
  assert_judged((Cores[]){rank_on("a", 4, 1, 0)}, 1, NULL);
}

static void ranks_bound_to_fewer_cores_than_threads_are_named(void** state) {
  (void)state;
  assert_judged((Cores[]){rank_on("a", 3, 5, 6)}, 1,
                "run.threads=3, but rank 0 may use 2 cores of host-a: expected at most as many");
  assert_judged((Cores[]){rank_on("a", 2, 0, 0), rank_on("a", 2, 0, 1), rank_on("a", 2, 2, 2),
                          rank_on("b", 2, 3, 3)}, 4,
                "rank 2 (and 1 more) may use 1 core of host-a: give each rank more (mpirun "
                "--bind-to none, or --map-by slot:PE=2)");
}

static void more_threads_than_cores_on_a_machine_are_told(void** state) {
  (void)state;
  assert_judged((Cores[]){rank_on("a", 2, 0, 3), rank_on("b", 2, 0, 2), rank_on("b", 2, 0, 2)}, 3,
                "2 ranks on host-b have 4 threads for 3 cores");
  // bound ranks that overlap
  assert_judged((Cores[]){rank_on("a", 2, 0, 3), rank_on("a", 2, 0, 1), rank_on("a", 2, 1, 2)}, 3,
                "2 ranks on host-a have 4 threads for 3 cores");
}

static void this_process_may_use_a_core(void** state) {
  (void)state;
  Cores cores = cores_of_this(2);
  assert_true(cores_count(&cores) > 0);
  assert_int_equal(cores.threads, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_with_cores_of_their_own_are_fine),
      cmocka_unit_test(ranks_bound_to_fewer_cores_than_threads_are_named),
      cmocka_unit_test(more_threads_than_cores_on_a_machine_are_told),
      cmocka_unit_test(this_process_may_use_a_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
