// Laws of the log: one line an event, in a form that tools can split; silence where it is due.

#include "base/log.h"

#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
  Log log;
  char* text;
  size_t size;
} Fixture;

static void begin(Fixture* f, const char* level, int rank, double interval) {
  *f = (Fixture){0};
  log_init(&f->log, level, rank, interval);
  f->log.stream = open_memstream(&f->text, &f->size);
  f->log.terminal = false;
}

static void end(Fixture* f) {
  fclose(f->log.stream);
  free(f->text);
}

static void assert_matches(const char* text, const char* pattern) {
  regex_t regex;
  assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
  if (regexec(&regex, text, 0, NULL, 0) != 0) {
    fail_msg("'%s' does not match '%s'", text, pattern);
  }
  regfree(&regex);
}

static void an_event_is_one_line_with_its_place(void** state) {
  (void)state;
  Fixture f;
  begin(&f, "info", 0, 60);
  log_event(&f.log, LOG_INFO, (LogPlace){17, 4000}, "model", "epochs=%d took=%.1fs", 21, 2.1);
  assert_matches(f.text,
                 "^20[0-9-]{8}T[0-9:]{8}Z INFO  r0 e17 s4000 model: epochs=21 took=2.1s\n$");
  log_event(&f.log, LOG_WARN, LOG_NOWHERE, "disk", "left=1G");
  assert_matches(strchr(f.text, '\n') + 1, "Z WARN  r0 disk: left=1G\n$");
  end(&f);
}

static void other_ranks_and_lower_levels_are_silent(void** state) {
  (void)state;
  Fixture f;
  begin(&f, "info", 3, 60);
  log_event(&f.log, LOG_INFO, LOG_NOWHERE, "a", "b");
  log_progress(&f.log, "50%%");
  assert_int_equal(f.size, 0);
  log_event(&f.log, LOG_WARN, LOG_NOWHERE, "a", "b");
  assert_matches(f.text, "WARN  r3 a: b");
  end(&f);
  begin(&f, "warn", 0, 60);
  log_event(&f.log, LOG_INFO, LOG_NOWHERE, "a", "b");
  fflush(f.log.stream);
  assert_int_equal(f.size, 0);
  end(&f);
}

static void progress_in_a_log_is_rare_and_plain(void** state) {
  (void)state;
  Fixture f;
  begin(&f, "info", 0, 3600);
  assert_true(log_progress_due(&f.log));
  log_progress(&f.log, "%d%%  ETA 1h00m", 37);
  assert_string_equal(f.text, "37%  ETA 1h00m\n");
  assert_false(log_progress_due(&f.log));
  end(&f);
}

static void progress_on_a_terminal_is_redrawn_and_cleared_for_events(void** state) {
  (void)state;
  Fixture f;
  begin(&f, "info", 0, 3600);
  f.log.terminal = true;
  log_progress(&f.log, "1%%");
  log_progress(&f.log, "2%%");
  assert_string_equal(f.text, "\r\033[K1%\r\033[K2%");
  log_event(&f.log, LOG_INFO, LOG_NOWHERE, "a", "b");
  assert_matches(f.text + strlen("\r\033[K1%\r\033[K2%"), "^\r\033\\[K20.*a: b\n$");
  end(&f);
}

static void the_file_gets_the_lines_but_no_control_characters(void** state) {
  (void)state;
  Fixture f;
  Error error;
  char path[] = "/tmp/log_test_XXXXXX";
  close(mkstemp(path));
  begin(&f, "info", 0, 60);
  f.log.terminal = true;
  assert_true(log_open(&f.log, path, &error));
  log_progress(&f.log, "1%%");
  log_event(&f.log, LOG_INFO, LOG_NOWHERE, "a", "b");
  log_close(&f.log);
  end(&f);
  char text[256] = "";
  FILE* file = fopen(path, "r");
  fread(text, 1, sizeof text - 1, file);
  fclose(file);
  unlink(path);
  assert_matches(text, "^20[^\r\033]*a: b\n$");
  assert_false(log_open(&f.log, "/nowhere/x", &error));
  assert_string_equal(error.text, "/nowhere/x: No such file or directory");
}

static void durations_are_short(void** state) {
  (void)state;
  char out[LOG_DURATION_SIZE];
  log_duration(out, 41230.0);
  assert_string_equal(out, "11h27m");
  log_duration(out, 185.0);
  assert_string_equal(out, "3m05s");
  log_duration(out, 9.9);
  assert_string_equal(out, "9s");
  log_duration(out, NAN);
  assert_string_equal(out, "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_event_is_one_line_with_its_place),
      cmocka_unit_test(other_ranks_and_lower_levels_are_silent),
      cmocka_unit_test(progress_in_a_log_is_rare_and_plain),
      cmocka_unit_test(progress_on_a_terminal_is_redrawn_and_cleared_for_events),
      cmocka_unit_test(the_file_gets_the_lines_but_no_control_characters),
      cmocka_unit_test(durations_are_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
