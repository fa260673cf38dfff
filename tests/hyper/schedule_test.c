// Laws of the file of a schedule: what it says is what is followed, or an error that names the file and the line.
#include "hyper/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../scratch_file.h"
#include "store/files.h"

static bool read_text(Schedule* s, const char* text, Arena* arena, Error* error) {
  assert_true(files_write(path, text, strlen(text), error));
  return schedule_read(s, path, arena, error);
}

static void refuse(const char* text, const char* message) {
  Schedule s;
  Arena arena;
  Error error = {0};
  arena_init(&arena);
  if (read_text(&s, text, &arena, &error) || !strstr(error.text, path) || !strstr(error.text, message)) {
    fail_msg("%s: '%s', expected '%s'", text, error.text, message);
  }
  arena_free(&arena);
}

// Space, an end of line of DOS, comments and empty lines say nothing.
static void what_is_written_by_hand_is_followed(void** state) {
  (void)state;
  Schedule s;
  Arena arena;
  Error error;
  Text text;
  arena_init(&arena);
  text_init(&text, &arena);
  assert_true(read_text(&s, "# mine\n\n progress , real_ratio\t,policy_updates\r\n0, 0.25 , 1\n 1,0.75,3 \n", &arena,
                        &error));
  assert_true(s.knots == 2 && s.by_progress);
  assert_true(s.has[HEAD_REAL_RATIO] && s.has[HEAD_POLICY_UPDATES] && !s.has[HEAD_TRAIN_MODEL]);
  assert_true(schedule_value(&s, HEAD_REAL_RATIO, 0, 0.5) == 0.5);
  assert_true(schedule_value(&s, HEAD_POLICY_UPDATES, 0, 2) == 3);
  schedule_format(&s, &text);
  assert_string_equal(text.bytes, "progress,real_ratio,policy_updates\n0,0.25,1\n1,0.75,3\n");
  assert_true(read_text(&s, "decision,train_model\n0,1\n7,0\n", &arena, &error));
  assert_true(schedule_value(&s, HEAD_TRAIN_MODEL, 6, 0) == 1 && schedule_value(&s, HEAD_TRAIN_MODEL, 7, 0) == 0);
  text_init(&text, &arena);
  schedule_format(&s, &text);
  assert_string_equal(text.bytes, "decision,train_model\n0,1\n7,0\n");
  arena_free(&arena);
}

static void what_is_wrong_is_named_with_its_line(void** state) {
  (void)state;
  refuse("", ": not a schedule, expected a header and at least one line");
  refuse("decision,train_model\n", ": not a schedule, expected a header and at least one line");
  refuse("step,train_model\n", ":1: the first column is 'step', expected decision or progress");
  refuse("decision\n0\n", ":1: no hyperparameter, expected at least one column beside 'decision'");
  refuse("decision,beta\n", ":1: column 'beta' is unknown or occurs twice");
  refuse("decision,real_ratio,real_ratio\n", ":1: column 'real_ratio' is unknown or occurs twice");
  refuse("decision,train_model\n0,1,2\n", ":2: 3 columns, expected 2");
  refuse("decision,train_model\n0,1,2,3,4,5,6,7,8,9,10,11\n", ":2: more than ");
  refuse("decision,train_model\n0.5,1\n", ":2: decision is '0.5', expected an integer from 0 to 1e+09");
  refuse("decision,train_model\nx,1\n", ":2: decision is 'x', expected an integer from 0 to 1e+09");
  refuse("progress,train_model\n1.5,1\n", ":2: progress is '1.5', expected a number from 0 to 1");
  refuse("progress,train_model\n-1,1\n", ":2: progress is '-1', expected a number from 0 to 1");
  refuse("progress,train_model\n0,1\n0,1\n", ":3: '0' does not come after the line before");
  refuse("progress,train_model\n0,2\n", ":2: train_model is '2', expected an integer from 0 to 1");
  refuse("progress,train_model\n0,\n", ":2: train_model is '', expected an integer from 0 to 1");
}

static void a_file_that_is_not_there_is_named(void** state) {
  (void)state;
  Schedule s;
  Arena arena;
  Error error;
  arena_init(&arena);
  assert_false(schedule_read(&s, "/nowhere/schedule.csv", &arena, &error));
  assert_string_equal(error.text, "/nowhere/schedule.csv: No such file or directory");
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_by_hand_is_followed),
      cmocka_unit_test(what_is_wrong_is_named_with_its_line),
      cmocka_unit_test(a_file_that_is_not_there_is_named),
  };
  return cmocka_run_group_tests(tests, make_scratch_file, remove_scratch_file);
}
