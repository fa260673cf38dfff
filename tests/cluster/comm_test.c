// What comm.h says without MPI.
#include "cluster/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ranks_are_all_named_if_there_are_few)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
