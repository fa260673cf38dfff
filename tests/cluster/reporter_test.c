// What rank 0 says of a run while it goes on.
#include "cluster/reporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
  char place[] = "/tmp/reporter_test_XXXXXX", path[RUN_PATH_SIZE], command[64];
  const char* flaw = health_text(HEALTH_NO_UPDATES);
  static const RunSpec x;
  RunDirectory directory;
  Reporter reporter;
  Arena arena;
  arena_init(&arena);
  assert_non_null(mkdtemp(place));
  snprintf(directory.path, sizeof directory.path, "%s", place);
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
  snprintf(command, sizeof command, "rm -r %s", place);
  assert_int_equal(system(command), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flaw_is_said_once_and_stands_in_the_events_of_every_epoch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
