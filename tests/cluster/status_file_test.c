// What stands in status.json: each key with its own value (docs/formats.md).
#include "cluster/status_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/moment.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "hyper/scratch_directory.h"
#include "store/files.h"

// Ten hyper-episodes of 100 + 10 * 10 samples.
static const RunSpec spec = {.mbpo = {.exploration_steps = 100, .epoch_length = 10},
                             .hyper = {.apply_epochs = 10},
                             .scheduler = {.kind = "fixed", .hyper_episodes = 10}};

static RunDirectory directory;
static Arena arena;

static int set_up(void** state) {
  (void)state;
  Error error;
  arena_init(&arena);
  return scratch_directory_make(&directory, &error) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  arena_free(&arena);
  return 0;
}

// What depends on the clock goes out of the text: the value of `key`, as it stands there.
static char* take_out(char* text, const char* key) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  char* at = strstr(text, quoted);
  assert_non_null(at);
  at += strlen(quoted);
  size_t size = strcspn(at, ",}");
  char* value = text_format(&arena, "%.*s", (int)size, at);
  memmove(at, at + size, strlen(at + size) + 1);
  return value;
}

static char* written(const Standing* s, const char* state, double deadline) {
  char path[RUN_PATH_SIZE], now[MOMENT_SIZE];
  char* text;
  size_t size;
  Error error;
  assert_true(status_file_write(&directory, s, state, deadline, &error));
  run_file(path, &directory, "status.json");
  assert_true(files_read(&text, &size, path, &arena, &error));
  char* updated = take_out(text, "updated");
  assert_int_equal(sscanf(updated, "\"%20[^\"]\"", now), 1);
  assert_true(moment_age(now) < 1e6);
  return text;
}

static void what_is_not_known_yet_is_null(void** state) {
  (void)state;
  Standing s;
  standing_init(&s, &spec, 1, &arena);
  s.total = 10;
  assert_string_equal(
      written(&s, "running", 0),
      "{\"format\":\"autombpo.status\",\"v\":1,\"state\":\"running\",\"updated\":,\"progress\":0,"
      "\"eta_s\":null,\"stage\":0,\"episodes\":{\"done\":0,\"running\":0,\"queued\":10,"
      "\"diverged\":0,\"lost\":0},\"best\":{\"episode\":-1,\"score\":null},\"env_steps\":0,"
      "\"steps_per_s\":0,\"deadline\":null,\"ranks\":[]}\n");
}

static void each_rank_that_works_has_its_line_and_its_checkpoint(void** state) {
  (void)state;
  Standing s;
  standing_init(&s, &spec, 4, &arena);
  s.total = 10;
  s.lost = 1;
  standing_found(&s, 0, &(Outcome){.score = 5});
  standing_found(&s, 1, &(Outcome){.score = 9, .diverged = true});
  standing_begin(&s, 1, &(BeginMessage){.hyper_episode = 2, .stage = 3});
  standing_begin(&s, 3, &(BeginMessage){.hyper_episode = 4, .stage = 3});
  standing_progress(&s, 1, 2, &(Progress){.env_step = 120, .eval_return = -2, .rss_mb = 64});
  standing_progress(&s, 3, 4, &(Progress){.env_step = 130, .eval_return = NAN, .rss_mb = 65});
  standing_saved(&s, 3, &(SavedMessage){.env_step = 110, .seconds = 0.5, .bytes = 20});
  standing_saved(&s, 1, &(SavedMessage){.env_step = 115, .seconds = 0.25, .bytes = 30});
  s.started = clock_wall() - 1000;
  s.saved_at = clock_wall() - 500;
  char* text = written(&s, "checkpointed", 86400);
  // 250 samples in 1000 seconds, 1350 are left; the machine may have paused
  double speed = atof(take_out(text, "steps_per_s")), eta = atof(take_out(text, "eta_s"));
  double age = atof(take_out(text, "age_s"));
  assert_true(speed > 0.2 && speed <= 0.25 && eta >= 1350 / 0.25 && eta < 1350 / 0.2);
  assert_true(age >= 500 && age < 600);
  assert_string_equal(
      text,
      "{\"format\":\"autombpo.status\",\"v\":1,\"state\":\"checkpointed\",\"updated\":,"
      "\"progress\":0.325,\"eta_s\":,\"stage\":3,\"episodes\":{\"done\":2,\"running\":2,"
      "\"queued\":6,\"diverged\":1,\"lost\":1},\"best\":{\"episode\":0,\"score\":5},"
      "\"env_steps\":650,\"steps_per_s\":,\"deadline\":\"1970-01-02T00:00:00Z\","
      "\"checkpoint\":{\"written\":2,\"age_s\":,\"seconds\":0.25,\"bytes\":30,"
      "\"worst_seconds\":0.5,\"worst_bytes\":30},\"ranks\":["
      "{\"rank\":1,\"episode\":2,\"env_step\":120,\"return\":-2,\"rss_mb\":64,"
      "\"checkpoint\":{\"env_step\":115,\"seconds\":0.25,\"bytes\":30}},"
      "{\"rank\":3,\"episode\":4,\"env_step\":130,\"return\":null,\"rss_mb\":65,"
      "\"checkpoint\":{\"env_step\":110,\"seconds\":0.5,\"bytes\":20}}]}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_not_known_yet_is_null),
      TEST(each_rank_that_works_has_its_line_and_its_checkpoint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
