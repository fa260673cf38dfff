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

static RunDirectory directory;
static Arena arena;
static FILE* said;  // in place of the standard error
static int kept;
static const RunSpec spec = {.hyper = {.apply_epochs = 10},
                             .mbpo = {.exploration_steps = 100, .epoch_length = 10},
                             .scheduler = {.kind = "fixed", .hyper_episodes = 4}};

static int set_up(void** state) {
  static Reporter reporter;
  Error error;
  arena_init(&arena);
  said = tmpfile();
  if (!said || !scratch_directory_make(&directory, &error)) {
    return -1;
  }
  kept = dup(STDERR_FILENO);
  dup2(fileno(said), STDERR_FILENO);
  reporter_init(&reporter, &spec, &directory, 2, 1, true, &arena);
  *state = &reporter;
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  dup2(kept, STDERR_FILENO);
  close(kept);
  fclose(said);
  scratch_directory_remove(&directory);
  arena_free(&arena);
  return 0;
}

// How often a text stands in metrics.jsonl.
static int events(const char* wanted) {
  char path[RUN_PATH_SIZE];
  run_file(path, &directory, "metrics.jsonl");
  FILE* file = fopen(path, "r");
  assert_non_null(file);
  int count = times(wanted, file);
  fclose(file);
  return count;
}

static void a_flaw_is_said_once_and_stands_in_the_events_of_every_epoch(void** state) {
  const char* flaw = health_text(HEALTH_NO_UPDATES);
  for (int epochs = 1; epochs <= 3; epochs++) {
    Progress p = {.epochs = epochs, .health = {.sac_updates = 0}};
    reporter_progress(*state, 0, 5, &p);
  }
  assert_int_equal(times(flaw, said), 1);
  assert_int_equal(times("hyper-episode 5, epoch 0: no SAC update was done", said), 1);
  assert_int_equal(events(flaw), 3);
}

static void what_happens_is_counted_and_an_event(void** state) {
  Reporter* r = *state;
  const Standing* s = &r->standing;
  reporter_found(r, 3, &(Outcome){.score = 5});
  reporter_scan(r, 4);
  assert_int_equal(events("\"event\":\"start\",\"ranks\":2,\"hyper_episodes\":4,\"sealed\":1"), 1);
  for (int rank = 0; rank < 2; rank++) {
    reporter_begin(r, rank, &(BeginMessage){.hyper_episode = rank});
  }
  assert_int_equal(s->rank[1].hyper_episode, 1);
  reporter_saved(r, 0, &(SavedMessage){.bytes = 8});
  reporter_sealed(r, 0, &(SealedMessage){.score = 7, .progress = {.epochs = 10}});
  reporter_lost(r, 1, 60);
  reporter_stage(r, &(StageResult){.stage = 1}, 2);
  reporter_end(r, "finished");
  static const char* const names[] = {"begin", "begin", "epoch", "health", "checkpoint", "sealed",
                                      "lost", "stage", "stop"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char event[64];
    snprintf(event, sizeof event, "\"event\":\"%s\"", names[i]);
    assert_int_equal(events(event), i < 2 ? 2 : 1);
  }
  assert_true(s->sealed == 2 && s->saves == 1 && s->lost == 1 && s->best_score == 7);
  assert_true(s->rank[0].hyper_episode == -1 && s->rank[1].hyper_episode == -1);
}

static void a_lost_rank_is_said_with_its_work(void** state) {
  reporter_begin(*state, 1, &(BeginMessage){.hyper_episode = 2});
  reporter_lost(*state, 1, 60);
  assert_int_equal(times("rank 1 has been silent for 60 s and is given up: hyper-episode 2 goes on "
                         "elsewhere, from its last checkpoint", said), 1);
  reporter_lost(*state, 1, 60);
  assert_int_equal(times("given up: it had no work", said), 1);
}

static void an_extrapolation_is_said_once_a_feature(void** state) {
  static const FeatureRange seen = {.high = {1, 1, 1, 1, 1, 1, 1, 1}};
  for (int i = 0; i < 3; i++) {
    reporter_extrapolates(*state, i, FEATURE_CRITIC_LOSS, 2 + i, &seen);
    reporter_extrapolates(*state, i, FEATURE_MODEL_LOSS, 5 + i, &seen);
  }
  assert_int_equal(times("hyper-episode 0: critic_loss is 2, outside of 0 to 1", said), 1);
  assert_int_equal(times("outside of", said), 2);
  assert_int_equal(events("extrapolation"), 2);
}

static void a_feature_at_its_clip_is_said(void** state) {
  StageResult result = {.stage = 3, .clipped = {[FEATURE_ROLLOUT_LENGTH] = true}};
  reporter_stage(*state, &result, 4);
  assert_int_equal(times("stage 3: the feature rollout_length was at its clip", said), 1);
  assert_int_equal(times("at its clip", said), 1);
}

static void the_last_status_is_of_the_end(void** state) {
  char path[RUN_PATH_SIZE];
  reporter_end(*state, "checkpointed");
  run_file(path, &directory, "status.json");
  FILE* file = fopen(path, "r");
  assert_non_null(file);
  assert_int_equal(times("\"state\":\"checkpointed\"", file), 1);
  fclose(file);
}

static void where_another_start_writes_the_status_it_is_left_alone(void** state) {
  char path[RUN_PATH_SIZE];
  Reporter* r = *state;
  r->writes_status = false;
  run_file(path, &directory, "status.json");
  reporter_tick(r);
  reporter_end(r, "checkpointed");
  assert_false(files_exists(path));
  reporter_end(r, "finished");
  assert_true(files_exists(path));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_flaw_is_said_once_and_stands_in_the_events_of_every_epoch),
      TEST(what_happens_is_counted_and_an_event),
      TEST(a_lost_rank_is_said_with_its_work),
      TEST(an_extrapolation_is_said_once_a_feature),
      TEST(a_feature_at_its_clip_is_said),
      TEST(the_last_status_is_of_the_end),
      TEST(where_another_start_writes_the_status_it_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
