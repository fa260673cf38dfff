// What rank 0 says of a run while it goes on.
#include "cluster/reporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hyper/scratch_directory.h"

// How often a text stands in a file.
static int times(const char* wanted, FILE* file) {
  char line[512];
  int count = 0;
  rewind(file);
  while (fgets(line, sizeof line, file)) {
    count += strstr(line, wanted) != NULL;
  }
  return count;
}

static void a_flaw_is_said_once_and_stands_in_the_events_of_every_epoch(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE];
  const char* flaw = health_text(HEALTH_NO_UPDATES);
  static const RunSpec x;
  RunDirectory directory;
  Reporter reporter;
  Arena arena;
  Error error;
  arena_init(&arena);
  assert_true(scratch_directory_make(&directory, &error));
  FILE* said = tmpfile();
  assert_non_null(said);
  int kept = dup(STDERR_FILENO);
  dup2(fileno(said), STDERR_FILENO);
  reporter_init(&reporter, &x, &directory, 1, 1, true, &arena);
  for (int epochs = 1; epochs <= 3; epochs++) {
    Progress p = {.epochs = epochs, .health = {.sac_updates = 0}};
    reporter_progress(&reporter, 0, 0, &p);
  }
  dup2(kept, STDERR_FILENO);
  close(kept);
  assert_int_equal(times(flaw, said), 1);
  fclose(said);
  run_file(path, &directory, "metrics.jsonl");
  FILE* events = fopen(path, "r");
  assert_non_null(events);
  assert_int_equal(times(flaw, events), 3);
  fclose(events);
  arena_free(&arena);
  scratch_directory_remove(&directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flaw_is_said_once_and_stands_in_the_events_of_every_epoch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
