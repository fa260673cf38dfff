#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include "hyper/answer_log.h"
#include "hyper/dialogue.h"

#define TRAIN 1u << 0 | 1u << 1
#define STEP 1u << 0 | 1u << 1 | 1u << 2

static const HyperOptions options = {.real_ratio_min = 0.05,
                                     .real_ratio_max = 0.9,
                                     .policy_updates_min = 1,
                                     .policy_updates_max = 20,
                                     .rollout_length_min = 1,
                                     .rollout_length_max = 15};

// All heads are asked but the last; G cannot go up.
static const uint8_t allowed[HEAD_COUNT] = {TRAIN, STEP, 1u << 0 | 1u << 1, 0};

static bool read_and_check(Answer* answer, const char* line, Error* error) {
  Arena arena;
  arena_init(&arena);
  bool good = dialogue_read(answer, "answer", line, &arena, error) &&
              dialogue_check(answer, "answer", allowed, &options, error);
  arena_free(&arena);
  return good;
}

static void test_an_answer_is_read_and_written_with_the_same_bits(void** state) {
  (void)state;
  Arena arena;
  Error error = {0};
  Answer answer, again;
  arena_init(&arena);
  assert_true(read_and_check(&answer,
                             "{\"hyper_episode\": 12, \"decision\":3,\"choice\":{\"train_model\":1,"
                             "\"policy_updates\":0},\"value\":{\"real_ratio\":0.30000000000000004}}",
                             &error));
  assert_int_equal(answer.hyper_episode, 12);
  assert_int_equal(answer.decision, 3);
  assert_int_equal(answer.action.choice[HEAD_TRAIN_MODEL], 1);
  assert_int_equal(answer.action.choice[HEAD_POLICY_UPDATES], 0);
  assert_int_equal(answer.action.choice[HEAD_REAL_RATIO], ACTION_NONE);
  assert_int_equal(answer.action.choice[HEAD_ROLLOUT_LENGTH], ACTION_NONE);
  assert_true(answer.action.value[HEAD_REAL_RATIO] == 0.1 + 0.2);
  assert_true(isnan(answer.action.logp[HEAD_TRAIN_MODEL]));
  assert_true(read_and_check(&again, dialogue_answer(&answer, &arena), &error));
  assert_true(again.action.value[HEAD_REAL_RATIO] == 0.1 + 0.2);
  assert_memory_equal(again.action.choice, answer.action.choice, HEAD_COUNT);
  arena_free(&arena);
}

// What stands in the place of a part of a good answer, and the message.
static void refuse(const char* part, const char* wrong, const char* message) {
  static const char good[] =
      "{\"hyper_episode\":12,\"decision\":3,\"choice\":{\"train_model\":1,\"policy_updates\":0},"
      "\"value\":{\"real_ratio\":0.5}}";
  char line[512];
  Answer answer;
  Error error = {0};
  const char* at = strstr(good, part);
  assert_non_null(at);
  snprintf(line, sizeof line, "%.*s%s%s", (int)(at - good), good, wrong, at + strlen(part));
  assert_true(read_and_check(&answer, good, &error));
  if (read_and_check(&answer, line, &error) || strcmp(error.text, message) != 0) {
    fail_msg("%s: '%s', expected '%s'", line, error.text, message);
  }
}

static void test_an_answer_that_is_wrong_is_refused_with_its_field(void** state) {
  (void)state;
  static const char heads[] = "expected train_model, real_ratio, policy_updates, rollout_length";
  char text[512];
  refuse("\"decision\":3,", "", "answer: decision is missing, expected that of the question");
  refuse("\"hyper_episode\":12,", "",
         "answer: hyper_episode is missing, expected that of the question");
  refuse("12", "-1", "answer: hyper_episode is '-1', expected an integer from 0 to 1000000000");
  refuse("12", "\"12\"", "answer: hyper_episode is '12', expected an integer from 0 to 1000000000");
  refuse("3", "3.5", "answer: decision is '3.5', expected an integer from 0 to 1000000000");
  refuse("3", "null", "answer: decision is 'null', expected an integer from 0 to 1000000000");
  refuse("3", "[3]", "answer: decision is '[...]', expected an integer from 0 to 1000000000");
  refuse("\"decision\"", "\"step\"",
         "answer: 'step' is unknown, expected hyper_episode, decision, choice, value");
  refuse("{\"real_ratio\":0.5}", "0.5",
         "answer: value is '0.5', expected an object with a member for each head");
  snprintf(text, sizeof text, "answer: value: 'beta' is not a head, or occurs twice, %s", heads);
  refuse("real_ratio", "beta", text);
  snprintf(text, sizeof text, "answer: value: 'train_model' is not a head, or occurs twice, %s", heads);
  refuse("real_ratio", "train_model", text);
  refuse("0.5", "1e400", "answer: value: real_ratio is '1e400', expected a number from -1000000000 to "
         "1000000000");
  refuse("0.5", "true", "answer: value: real_ratio is 'true', expected a number from -1000000000 to "
         "1000000000");
  refuse("0.5", "0.95", "answer: value: real_ratio is 0.94999999999999996, expected a number from "
         "0.050000000000000003 to 0.90000000000000002");
  refuse("0.5", "0.01", "answer: value: real_ratio is 0.01, expected a number from "
         "0.050000000000000003 to 0.90000000000000002");
  refuse("0.5", "{\"a\":1}", "answer: value: real_ratio is '{...}', expected a number from -1000000000 to "
         "1000000000");
  refuse("0.5", "[1]", "answer: value: real_ratio is '[...]', expected a number from -1000000000 to "
         "1000000000");
  refuse("\"policy_updates\":0},\"value\":{\"real_ratio\":0.5}",
         "\"real_ratio\":0},\"value\":{\"policy_updates\":1.5}",
         "answer: value: policy_updates is 1.5, expected an integer from 1 to 20");
  refuse("\"train_model\":1", "\"train_model\":2", "answer: choice: train_model is '2', expected an integer from 0 to 1");
  refuse("\"policy_updates\":0", "\"policy_updates\":2",
         "answer: choice: policy_updates is 2, which is not in allowed");
  refuse(",\"policy_updates\":0", "",
         "answer: policy_updates is missing, expected a choice or a value of each head in allowed");
  refuse("\"policy_updates\":0", "\"policy_updates\":0,\"rollout_length\":1",
         "answer: rollout_length was not asked, expected only the heads in allowed");
}

static void test_what_is_no_json_object_is_refused(void** state) {
  (void)state;
  static const char* const lines[] = {"", "hello", "[1]", "3", "{\"a\":1", "{} {}", "a: 1", "\x01{}"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    Answer answer;
    Error error = {0};
    assert_false(read_and_check(&answer, lines[i], &error));
    assert_non_null(strstr(error.text, "is not a JSON object"));
  }
}

// What is said ------------------------------------------------------------------------------------

static void a_controller_is_told_what_the_run_is(void** state) {
  (void)state;
  Arena arena;
  RunSpec x = {.env = "Hopper-v2",
               .method = "autombpo",
               .seed = 5,
               .config_hash = "0123456789abcdef",
               .mbpo = {.epoch_length = 100},
               .hyper = options,
               .scheduler = {.kind = "external"}};
  x.hyper.decision_interval = 25;
  x.hyper.reward_scale = 1000;
  x.hyper.feature_min = -1;
  x.hyper.apply_epochs = 6;
  x.hyper.schedule_real_ratio = x.hyper.schedule_policy_updates = true;
  RunDirectory directory = {.path = "runs/one"};
  Scheduler s = {.spec = &x, .directory = &directory, .plan = {.epochs = 6, .hyper_episodes = 40}};
  arena_init(&arena);
  assert_string_equal(
      dialogue_hello(&s, &arena),
      "{\"type\":\"hello\",\"v\":1,\"run\":\"runs/one\",\"env\":\"Hopper-v2\","
      "\"method\":\"autombpo\",\"seed\":5,\"config_hash\":\"0123456789abcdef\","
      "\"hyper_episodes\":40,\"epochs\":6,\"epoch_length\":100,\"decision_interval\":25,"
      "\"decisions\":24,\"reward_scale\":1000,\"feature_min\":-1,\"heads\":{"
      "\"real_ratio\":{\"choices\":3,\"low\":0.05,\"high\":0.9,\"integer\":false},"
      "\"policy_updates\":{\"choices\":3,\"low\":1,\"high\":20,\"integer\":true}},"
      "\"features\":[\"progress\",\"model_loss\",\"critic_loss\",\"policy_change\","
      "\"eval_return\",\"real_ratio\",\"policy_updates\",\"rollout_length\"]}");
  arena_free(&arena);
}

static void a_question_has_the_state_and_what_is_allowed(void** state) {
  (void)state;
  Arena arena;
  HyperState s = {.raw = {1, 2, 3, 4, 5, 6, 7, 8},
                  .scaled = {0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1},
                  .allowed = {TRAIN, 1u << 1 | 1u << 2, 0, STEP}};
  SchedulerRequest request = {.hyper_episode = 12, .decision = 1, .state = &s, .reward = -2};
  arena_init(&arena);
  assert_string_equal(
      dialogue_question(&request, &arena),
      "{\"type\":\"decide\",\"hyper_episode\":12,\"decision\":1,\"reward\":-2,"
      "\"state\":[0.125,0.25,0.375,0.5,0.625,0.75,0.875,1],\"features_raw\":[1,2,3,4,5,6,7,8],"
      "\"allowed\":{\"train_model\":[0,1],\"real_ratio\":[1,2],\"rollout_length\":[0,1,2]},"
      "\"hyperparameters\":{\"real_ratio\":6,\"policy_updates\":7,\"rollout_length\":8}}");
  request.decision = 0;
  assert_non_null(strstr(dialogue_question(&request, &arena), "\"decision\":0,\"reward\":null,"));
  arena_free(&arena);
}

static void an_end_and_an_error_are_told(void** state) {
  (void)state;
  Arena arena;
  SchedulerOutcome outcome = {.hyper_episode = 12, .score = 3, .decisions = 1, .reward = -2};
  arena_init(&arena);
  assert_string_equal(dialogue_sealed(&outcome, &arena),
                      "{\"type\":\"sealed\",\"hyper_episode\":12,\"score\":3,"
                      "\"diverged\":false,\"reward\":-2}");
  outcome = (SchedulerOutcome){.hyper_episode = 12, .score = NAN, .diverged = true};
  assert_string_equal(dialogue_sealed(&outcome, &arena),
                      "{\"type\":\"sealed\",\"hyper_episode\":12,\"score\":null,"
                      "\"diverged\":true,\"reward\":null}");
  assert_string_equal(dialogue_error("no", &arena), "{\"type\":\"error\",\"error\":\"no\"}");
  arena_free(&arena);
}

// Log ---------------------------------------------------------------------------------------------

typedef struct {
  RunDirectory directory;
  char path[RUN_PATH_SIZE];
} Place;

static int set_up(void** state) {
  static Place place;
  strcpy(place.directory.path, "/tmp/autombpo-answers-XXXXXX");
  *state = &place;
  bool made = mkdtemp(place.directory.path) != NULL;
  run_answers_path(place.path, &place.directory, 7);
  return made ? 0 : -1;
}

static int tear_down(void** state) {
  Place* place = *state;
  char parent[RUN_PATH_SIZE];
  run_file(parent, &place->directory, "answers");
  unlink(place->path);
  rmdir(parent);
  rmdir(place->directory.path);
  return 0;
}

static Answer answer_with(int decision, double real_ratio) {
  Answer answer = {.hyper_episode = 7, .decision = decision};
  hyper_action_none(&answer.action);
  answer.action.sets[HEAD_REAL_RATIO] = true;
  answer.action.value[HEAD_REAL_RATIO] = real_ratio;
  return answer;
}

static void add(const Place* place, int decision, double real_ratio) {
  Error error = {0};
  Answer answer = answer_with(decision, real_ratio);
  if (!answer_log_add(&place->directory, &answer, &error)) {
    fail_msg("%s", error.text);
  }
}

// NaN: it is not there.
static double logged(const Place* place, int decision) {
  Error error = {0};
  Answer answer;
  bool found;
  if (!answer_log_find(&answer, &found, &place->directory, 7, decision, &error)) {
    fail_msg("%s", error.text);
  }
  return found ? answer.action.value[HEAD_REAL_RATIO] : NAN;
}

static void who_holds_the_lock_is_not_waited_for_long(void** state) {
  Place* place = *state;
  Error error = {0};
  Answer answer = answer_with(0, 0.5);
  add(place, 0, 0.5);
  int held = open(place->path, O_RDONLY | O_CLOEXEC);
  assert_int_equal(flock(held, LOCK_EX), 0);
  assert_false(answer_log_add(&place->directory, &answer, &error));
  assert_true(error.transient);
  assert_non_null(strstr(error.text, "locked"));
  close(held);
  assert_true(answer_log_add(&place->directory, &answer, &error));
}

static void append_bytes(const Place* place, const char* bytes, size_t size) {
  FILE* file = fopen(place->path, "a");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

static void append(const Place* place, const char* text) {
  append_bytes(place, text, strlen(text));
}

static void test_the_first_answer_to_a_decision_stands(void** state) {
  Place* place = *state;
  assert_true(isnan(logged(place, 0)));
  add(place, 0, 0.25);
  add(place, 1, 0.5);
  add(place, 0, 0.75);
  assert_true(logged(place, 0) == 0.25 && logged(place, 1) == 0.5 && isnan(logged(place, 2)));
}

static void test_a_line_that_is_cut_off_is_dropped(void** state) {
  Place* place = *state;
  add(place, 0, 0.25);
  append(place, "{\"hyper_episode\":7,\"decision\":1,\"value\":{\"real_ratio\":0.9}}");
  assert_true(isnan(logged(place, 1)));
  add(place, 1, 0.5);
  assert_true(logged(place, 0) == 0.25 && logged(place, 1) == 0.5);
}

static void test_a_line_that_a_loss_of_power_has_left_is_dropped(void** state) {
  static const char end[] = "\0\0\0\0\0\0\0\0{\"real_ratio\":0.9}}\n";
  Place* place = *state;
  add(place, 0, 0.25);
  append_bytes(place, end, sizeof end - 1);
  assert_true(logged(place, 0) == 0.25 && isnan(logged(place, 1)));
  add(place, 1, 0.5);
  assert_true(logged(place, 0) == 0.25 && logged(place, 1) == 0.5);
}

static void refuse_log(const Place* place, int decision, const char* message) {
  Error error = {0};
  Answer answer;
  bool found;
  assert_false(answer_log_find(&answer, &found, &place->directory, 7, decision, &error));
  if (!strstr(error.text, message)) {
    fail_msg("'%s', expected '%s'", error.text, message);
  }
}

static void test_a_damaged_log_is_refused_with_the_way_out(void** state) {
  Place* place = *state;
  add(place, 0, 0.25);
  refuse_log(place, 3, "ends with the answer to decision 0, but hyper-episode 7 goes on from decision 3");
  append(place, "{\"hyper_episode\":7,\"decision\":5,\"choice\":{},\"value\":{}}\n");
  refuse_log(place, 1, "000007.jsonl:2: is of hyper-episode 7, decision 5, expected 7, 1\nRemove it");
  append(place, "scribble\n");
  refuse_log(place, 2, "000007.jsonl:3: 'scribble' is not a JSON object");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_answer_is_read_and_written_with_the_same_bits),
      cmocka_unit_test(test_an_answer_that_is_wrong_is_refused_with_its_field),
      cmocka_unit_test(test_what_is_no_json_object_is_refused),
      cmocka_unit_test(a_controller_is_told_what_the_run_is),
      cmocka_unit_test(a_question_has_the_state_and_what_is_allowed),
      cmocka_unit_test(an_end_and_an_error_are_told),
      cmocka_unit_test_setup_teardown(test_the_first_answer_to_a_decision_stands, set_up, tear_down),
      cmocka_unit_test_setup_teardown(who_holds_the_lock_is_not_waited_for_long, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_line_that_is_cut_off_is_dropped, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_a_line_that_a_loss_of_power_has_left_is_dropped, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(test_a_damaged_log_is_refused_with_the_way_out, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
