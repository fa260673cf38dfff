// What comm.h says without MPI.
#include "cluster/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ranks_are_all_named_if_there_are_few(void** state) {
  (void)state;
  const int ranks[] = {1, 3, 5, 1007, 1009, 1011, 1013, 1015, 1017, 1019};
  char who[COMM_WHO_SIZE];
  comm_name_ranks(who, ranks, 1);
  assert_string_equal(who, "rank 1");
  comm_name_ranks(who, ranks, 2);
  assert_string_equal(who, "ranks 1 and 3");
  comm_name_ranks(who, ranks, 3);
  assert_string_equal(who, "ranks 1, 3 and 5");
  comm_name_ranks(who, ranks, 8);
  assert_string_equal(who, "ranks 1, 3, 5, 1007, 1009, 1011, 1013 and 1015");
  comm_name_ranks(who, ranks, 10);
  assert_string_equal(who, "ranks 1, 3, 5, 1007, 1009, 1011, 1013 and 3 more");
}

// Of four ranks, each with its own label.
static void gather(Comm* comm, void* all, const void* own, size_t size) {
  static const char* const labels[] = {"0.4", "0.3", "0.4", "0.2"};
  assert_int_equal(comm->rank, 0);
  assert_string_equal(own, labels[0]);
  for (int r = 0; r < comm->ranks; r++) {
    strcpy((char*)all + (size_t)r * size, labels[r]);
  }
}

static void who_differs_from_rank_0_is_named(void** state) {
  (void)state;
  const CommOps ops = {.gather = gather};
  char who[COMM_WHO_SIZE], other[COMM_LABEL_SIZE];
  Comm comm = {.ops = &ops, .ranks = 4};
  assert_int_equal(comm_compare(&comm, "0.4", who, other), 2);
  assert_string_equal(who, "ranks 1 and 3");
  assert_string_equal(other, "0.3");
  comm.ranks = 1;
  assert_int_equal(comm_compare(&comm, "0.4", who, other), 0);
}

static int left_with;
static void leave(Comm* comm, int code) { left_with = code + comm->rank; }
static void finalize(Comm* comm) { left_with = -1 - comm->rank; }
static void leave_nothing(Comm* comm) { (void)comm; }

static void with_a_lost_rank_nobody_waits_for_it_at_the_end(void** state) {
  (void)state;
  const CommOps ops = {.leave = leave, .finalize = finalize};
  Comm comm = {.ops = &ops, .ranks = 2};
  comm_finalize(&comm, 75);
  assert_int_equal(left_with, -1);
  comm.lost = true;
  comm.ops = &(const CommOps){.leave = leave, .finalize = leave_nothing};
  comm_finalize(&comm, 75);
  assert_int_equal(left_with, 75);
}

// Each finds nothing five times.
static int looks;
static double naps[16];
static int napped;

static bool poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  (void)comm, (void)data, (void)capacity;
  *rank = 1;
  *tag = 7;
  *size = 0;
  return ++looks % 6 == 0;
}

static void nap(Comm* comm, double seconds) {
  (void)comm;
  naps[napped++] = seconds;
}

static void who_waits_naps_longer_and_longer_until_something_comes(void** state) {
  (void)state;
  const CommOps ops = {.poll = poll, .sleep = nap};
  Comm comm = {.ops = &ops, .ranks = 2, .nap = COMM_SHORTEST_NAP};
  size_t size;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(comm_receive(&comm, 1, NULL, 0, &size), 7);
    assert_int_equal(napped, 5 * (i + 1));
    assert_true(naps[5 * i] == COMM_SHORTEST_NAP);
    for (int n = 5 * i + 1; n < napped; n++) {
      assert_true(naps[n] > naps[n - 1]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranks_are_all_named_if_there_are_few),
      cmocka_unit_test(who_differs_from_rank_0_is_named),
      cmocka_unit_test(who_waits_naps_longer_and_longer_until_something_comes),
      cmocka_unit_test(with_a_lost_rank_nobody_waits_for_it_at_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
