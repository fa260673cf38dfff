// What stands in metrics.jsonl: each key with its own value (docs/formats.md).
#include "cluster/events.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/moment.h"
#include "hyper/scratch_directory.h"

static RunDirectory directory;

static int set_up(void** state) {
  static EventLog log;
  Error error;
  event_log_init(&log, &directory);
  *state = &log;
  return scratch_directory_make(&directory, &error) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  return 0;
}

// The only line, without its time.
static void assert_event(const char* expected) {
  char path[RUN_PATH_SIZE], now[MOMENT_SIZE] = "", line[1024] = "";
  int at = 0;
  run_file(path, &directory, "metrics.jsonl");
  FILE* file = fopen(path, "r");
  assert_non_null(file);
  assert_non_null(fgets(line, sizeof line, file));
  assert_int_equal(fgetc(file), EOF);
  fclose(file);
  assert_int_equal(sscanf(line, "{\"time\":\"%20[^\"]\",%n", now, &at), 1);
  assert_true(moment_age(now) < 1e6);
  assert_string_equal(line + at, expected);
}

static void a_start_has_its_ranks_and_what_is_done(void** state) {
  event_start(*state, 3, 20, 7);
  assert_event("\"event\":\"start\",\"ranks\":3,\"hyper_episodes\":20,\"sealed\":7}\n");
}

static void a_begin_has_the_samples_of_its_run_before(void** state) {
  event_begin(*state, 3, &(BeginMessage){.hyper_episode = 12, .stage = 2}, 500);
  assert_event("\"event\":\"begin\",\"hyper_episode\":12,\"stage\":2,\"rank\":3,\"env_step\":500}\n");
}

static void an_epoch_has_hyperparameters_and_seconds(void** state) {
  Progress p = {.env_step = 900,
                .epochs = 5,
                .model_trainings = 6,
                .eval_return = -1.5,
                .real_ratio = 0.25,
                .policy_updates = 8,
                .rollout_length = 9,
                .times = {.env = 1, .model_train = 2, .rollout = 3, .sac = 4, .evaluate = 5},
                .rss_mb = 77};
  event_epoch(*state, 1, 12, &p);
  assert_event("\"event\":\"epoch\",\"hyper_episode\":12,\"rank\":1,\"epoch\":4,\"env_step\":900,"
               "\"eval_return\":-1.5,\"real_ratio\":0.25,\"policy_updates\":8,\"rollout_length\":9,"
               "\"model_trainings\":6,\"seconds\":{\"env\":1,\"model_train\":2,\"model_rollout\":3,"
               "\"sac\":4,\"eval\":5},\"rss_mb\":77}\n");
}

static void health_has_what_it_is_judged_by_and_its_flaws(void** state) {
  Progress p = {.epochs = 5,
                .health = {.model_error = 2,
                           .mean_error = 1,
                           .sac_updates = 30,
                           .alpha = 4,
                           .alpha_limit = 5,
                           .q_mean = -6,
                           .q_limit = 7,
                           .model_rows = 8,
                           .rollouts = 9,
                           .action_range = 0.5}};
  event_health(*state, 12, &p);
  assert_event("\"event\":\"health\",\"hyper_episode\":12,\"epoch\":4,\"model_error\":2,"
               "\"mean_error\":1,\"sac_updates\":30,\"alpha\":4,\"alpha_limit\":5,\"q_mean\":-6,"
               "\"q_limit\":7,\"model_buffer_rows\":8,\"rollouts\":9,\"action_range\":0.5,"
               "\"warnings\":[\"the model is no better than predicting the mean\","
               "\"D_model is smaller than one rollout\"]}\n");
}

static void a_checkpoint_has_its_size_and_time(void** state) {
  SavedMessage saved = {.hyper_episode = 12, .env_step = 900, .bytes = 4096, .seconds = 0.25};
  event_checkpoint(*state, 1, &saved);
  assert_event("\"event\":\"checkpoint\",\"hyper_episode\":12,\"rank\":1,\"env_step\":900,"
               "\"seconds\":0.25,\"bytes\":4096}\n");
}

static void what_is_sealed_has_finished(void** state) {
  event_sealed(*state, 1, &(SealedMessage){.hyper_episode = 12, .score = 3.5});
  assert_event("\"event\":\"sealed\",\"hyper_episode\":12,\"rank\":1,\"status\":\"finished\","
               "\"score\":3.5}\n");
}

static void or_has_diverged(void** state) {
  event_sealed(*state, 1, &(SealedMessage){.hyper_episode = 12, .score = NAN, .diverged = 1});
  assert_event("\"event\":\"sealed\",\"hyper_episode\":12,\"rank\":1,\"status\":\"diverged\","
               "\"score\":null}\n");
}

static void a_lost_rank_has_its_work_and_silence(void** state) {
  event_lost(*state, 3, 12, 61.5);
  assert_event("\"event\":\"lost\",\"rank\":3,\"hyper_episode\":12,\"silent_s\":61.5}\n");
}

static void an_extrapolation_has_what_was_seen(void** state) {
  FeatureRange seen;
  for (int f = 0; f < FEATURE_COUNT; f++) {
    seen.low[f] = f;
    seen.high[f] = f + 0.5;
  }
  event_extrapolation(*state, 12, FEATURE_CRITIC_LOSS, 9, &seen);
  assert_event("\"event\":\"extrapolation\",\"hyper_episode\":12,\"feature\":\"critic_loss\","
               "\"value\":9,\"trained_low\":2,\"trained_high\":2.5}\n");
}

static void a_stage_has_its_scores_entropies_and_clipped_features(void** state) {
  StageResult result = {.stage = 2,
                        .score = 3,
                        .baseline_score = 4,
                        .diverged = 1,
                        .entropy = {0.5, 0.25, NAN, 1},
                        .clipped = {[0] = true, [FEATURE_ROLLOUT_LENGTH] = true}};
  event_stage(*state, &result, 3);
  assert_event("\"event\":\"stage\",\"stage\":2,\"version\":3,\"score\":3,\"baseline_score\":4,"
               "\"diverged\":1,\"entropy\":[0.5,0.25,null,1],"
               "\"clipped\":[\"progress\",\"rollout_length\"]}\n");
}

static void a_stop_has_its_reason(void** state) {
  event_stop(*state, "finished");
  assert_event("\"event\":\"stop\",\"reason\":\"finished\"}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_start_has_its_ranks_and_what_is_done),
      TEST(a_begin_has_the_samples_of_its_run_before),
      TEST(an_epoch_has_hyperparameters_and_seconds),
      TEST(health_has_what_it_is_judged_by_and_its_flaws),
      TEST(a_checkpoint_has_its_size_and_time),
      TEST(what_is_sealed_has_finished),
      TEST(or_has_diverged),
      TEST(a_lost_rank_has_its_work_and_silence),
      TEST(an_extrapolation_has_what_was_seen),
      TEST(a_stage_has_its_scores_entropies_and_clipped_features),
      TEST(a_stop_has_its_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
