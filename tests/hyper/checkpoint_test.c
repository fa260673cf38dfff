// Checkpoints: what is damaged is passed over, what belongs elsewhere is refused, and neither is
// ever loaded or overwritten.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/checkpoint.h"
#include "hyper/sealed_check.h"
#include "hyper/state_file.h"
#include "hyper/trajectory.h"
#include "store/h5.h"

typedef struct {
  Arena arena;
  RunDirectory directory;
  RunSpec spec;
  HyperEpisode episode;
  Error error;
} World;

static char last_warning[ERROR_TEXT_SIZE];
static int warnings;

static void warn(const char* message) {
  snprintf(last_warning, sizeof last_warning, "%s", message);
  warnings++;
}

static void generation(char path[RUN_PATH_SIZE], const World* w, int number) {
  char parent[RUN_PATH_SIZE - 32];
  run_checkpoint_path(path, &w->directory, 0);
  snprintf(parent, sizeof parent, "%.900s", path);
  snprintf(path, RUN_PATH_SIZE, "%s/gen-%06d.h5", parent, number);
}

static void save(World* w) {
  CheckpointCost cost;
  assert_true(checkpoint_write(&cost, &w->episode, &w->directory, 0, &w->error));
  assert_true(cost.bytes > 1000);
}

// A run directory with two generations: after 30 units of work, and after 20 more.
static int set_up(void** state) {
  World* w = calloc(1, sizeof *w);
  *state = w;
  warnings = 0;
  arena_init(&w->arena);
  char name[] = "/tmp/checkpoint_test_XXXXXX";
  assert_non_null(mkdtemp(name));
  snprintf(w->directory.path, sizeof w->directory.path, "%s", name);
  assert_true(run_directory_make(&w->directory, &w->error));
  w->spec = small_experiment();
  small_episode(&w->episode, &w->spec, 30, &w->arena);
  save(w);
  for (int i = 0; i < 20; i++) {
    if (hyper_episode_advance(&w->episode) == HYPER_DECISION) {
      HyperAction action = {.choice = {1, 1, 1, 1}};
      hyper_episode_act(&w->episode, &action);
    }
  }
  save(w);
  return 0;
}

static int tear_down(void** state) {
  World* w = *state;
  char command[RUN_PATH_SIZE + 16];
  hyper_episode_free(&w->episode);
  arena_free(&w->arena);
  snprintf(command, sizeof command, "rm -rf '%s'", w->directory.path);
  assert_int_equal(system(command), 0);
  free(w);
  return 0;
}

// Loads into a fresh hyper-episode: its real samples, 0 = nothing was found, -1 = refused.
static int64_t load(World* w, const RunSpec* x) {
  HyperEpisode fresh;
  bool found;
  small_episode(&fresh, x, 0, &w->arena);
  bool ok = checkpoint_load(&fresh, &w->directory, &found, warn, &w->arena, &w->error);
  int64_t env_step = ok ? fresh.mbpo.env_step : -1;
  assert_true(ok || !found);
  hyper_episode_free(&fresh);
  return env_step;
}

static void flip(const char* path, long at, int whence) {
  FILE* file = fopen(path, "r+b");
  assert_non_null(file);
  fseek(file, at, whence);
  int byte = fgetc(file);
  fseek(file, -1, SEEK_CUR);
  fputc(byte ^ 0x10, file);
  fclose(file);
}

static void the_newest_good_generation_is_loaded(void** state) {
  World* w = *state;
  assert_int_equal(load(w, &w->spec), w->episode.mbpo.env_step);
  assert_int_equal(warnings, 0);
}

static void a_damaged_generation_gives_way_to_the_one_before(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  generation(path, w, 1);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  // in the header, in the middle, in the mark's word, in its digits
  const long places[] = {20, info.st_size / 2, info.st_size - 30, info.st_size - 5};
  for (int i = 0; i < 4; i++) {
    flip(path, places[i], SEEK_SET);
    int64_t found = load(w, &w->spec);
    assert_in_range(found, 1, w->episode.mbpo.env_step - 1);
    assert_int_equal(warnings, i + 1);
    assert_non_null(strstr(last_warning, "gen-000001.h5"));
    flip(path, places[i], SEEK_SET);
  }
  for (long size = 0; size < info.st_size; size += info.st_size / 3) {
    warnings = 0;
    assert_int_equal(truncate(path, info.st_size - size - 1), 0);
    assert_in_range(load(w, &w->spec), 1, w->episode.mbpo.env_step - 1);
    assert_int_equal(warnings, 1);
  }
}

static void without_a_good_generation_the_episode_is_untouched(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  for (int number = 0; number < 2; number++) {
    generation(path, w, number);
    assert_int_equal(truncate(path, 100), 0);
  }
  assert_int_equal(load(w, &w->spec), 0);
  assert_int_equal(warnings, 2);
}

// Also of more than a directory is expected to hold.
static void names_that_are_no_generations_are_passed_over(void** state) {
  World* w = *state;
  static const char* const names[] = {"gen-x.h5", "gen-9.h5.h5", "other.h5"};
  char path[RUN_PATH_SIZE], parent[RUN_PATH_SIZE - 32];
  run_checkpoint_path(path, &w->directory, 0);
  snprintf(parent, sizeof parent, "%.900s", path);
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", parent, names[i]);
    assert_true(files_write(path, "x", 1, &w->error));
  }
  assert_int_equal(load(w, &w->spec), w->episode.mbpo.env_step);
  assert_int_equal(warnings, 0);
  for (int number = 100; number < 200; number++) {
    generation(path, w, number);
    assert_true(files_write(path, "x", 1, &w->error));
  }
  assert_int_equal(load(w, &w->spec), w->episode.mbpo.env_step);
  assert_int_equal(warnings, 62);
}

static void a_state_of_another_engine_is_refused(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  H5File file;
  generation(path, w, 7);
  assert_true(h5_create(&file, path, STATE_FORMAT, STATE_VERSION, &w->error));
  h5_set_text(&file, "", "config_hash", w->spec.config_hash);
  h5_set_text(&file, "", "env_engine", "MuJoCo 0.1");
  h5_set_i64(&file, "", "hyper_episode", 0);
  assert_true(h5_seal(&file, &w->error));
  assert_int_equal(load(w, &w->spec), -1);
  assert_non_null(strstr(w->error.text, "gen-000007.h5: made with MuJoCo 0.1, this program has"));
}

// A count that a file says, which would be the length of arrays: what stands in the place of `name`.
static const char* forged_name;
static int32_t forged_count;

static bool forge(Archive* ar, const char* name, void* data, ArchiveType type, size_t count) {
  (void)ar;
  if (strcmp(name, forged_name) == 0 && type == ARCHIVE_I32 && count == 1) {
    memcpy(data, &forged_count, sizeof forged_count);
  }
  return true;
}

static void counts_beyond_what_a_run_can_have_are_refused(void** state) {
  World* w = *state;
  static const char* const names[] = {"decisions", "epochs"};
  static const int32_t counts[] = {-1, 1000000};
  for (int i = 0; i < 4; i++) {
    HyperEpisode fresh;
    ArchiveMemory memory = {0};
    Archive ar;
    forged_name = names[i / 2];
    forged_count = counts[i % 2];
    small_episode(&fresh, &w->spec, 0, &w->arena);
    archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
    ar.array = forge;
    hyper_episode_visit(&fresh, &ar);
    assert_true(ar.failed);
    assert_non_null(strstr(ar.error.text, forged_name));
    fresh.decisions = fresh.epochs = 0;
    hyper_episode_free(&fresh);
  }
}

static void another_configuration_is_refused(void** state) {
  World* w = *state;
  RunSpec other = w->spec;
  strcpy(other.config_hash, "1111111111111111");
  assert_int_equal(load(w, &other), -1);
  assert_non_null(strstr(w->error.text, "another configuration"));
  assert_non_null(strstr(w->error.text, "gen-000001.h5"));
}

static void write_foreign(const World* w, int number, const char* format, int version) {
  char path[RUN_PATH_SIZE];
  H5File file;
  Error error;
  generation(path, w, number);
  assert_true(h5_create(&file, path, format, version, &error));
  h5_set_text(&file, "", "config_hash", w->spec.config_hash);
  h5_set_text(&file, "", "env_engine", "plain C");
  h5_set_i64(&file, "", "hyper_episode", 0);
  assert_true(h5_seal(&file, &error));
}

static void a_newer_version_is_refused_not_overwritten(void** state) {
  World* w = *state;
  write_foreign(w, 7, STATE_FORMAT, STATE_VERSION + 1);
  assert_int_equal(load(w, &w->spec), -1);
  assert_non_null(strstr(w->error.text, "gen-000007.h5"));
  char expected[64];
  snprintf(expected, sizeof expected, "version %d, this program reads %d", STATE_VERSION + 1,
           STATE_VERSION);
  assert_non_null(strstr(w->error.text, expected));
}

static void another_format_is_passed_over(void** state) {
  World* w = *state;
  write_foreign(w, 7, "autombpo.policy", 1);
  assert_int_equal(load(w, &w->spec), w->episode.mbpo.env_step);
  assert_int_equal(warnings, 1);
}

static void a_whole_checkpoint_of_another_shape_is_refused(void** state) {
  World* w = *state;
  RunSpec other = w->spec;
  other.sac.hidden_size = 9;
  assert_int_equal(load(w, &other), -1);
  assert_non_null(strstr(w->error.text, "another version of the program"));
}

static void two_generations_are_kept(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  for (int i = 0; i < 3; i++) {
    save(w);
  }
  for (int number = 0; number < 5; number++) {
    generation(path, w, number);
    assert_int_equal(files_exists(path), number >= 3);
  }
}

// Others run the same hyper-episode, or there are more than can be listed.
static void a_new_generation_takes_the_next_free_number(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  for (int number = 2; number < 70; number++) {
    generation(path, w, number);
    assert_true(files_write(path, "x", 1, &w->error));
  }
  save(w);
  generation(path, w, 70);
  assert_true(files_exists(path));
}

static void the_byte_budget_is_kept(void** state) {
  World* w = *state;
  CheckpointCost cost;
  assert_false(checkpoint_write(&cost, &w->episode, &w->directory, 2000, &w->error));
  assert_non_null(strstr(w->error.text, "checkpoint.max_gb"));
  assert_true(checkpoint_write(&cost, &w->episode, &w->directory, 1 << 30, &w->error));
}

static void a_vanished_directory_is_not_made_again(void** state) {
  World* w = *state;
  CheckpointCost cost;
  char away[RUN_PATH_SIZE + 8];
  snprintf(away, sizeof away, "%s.away", w->directory.path);
  assert_int_equal(rename(w->directory.path, away), 0);
  assert_false(checkpoint_write(&cost, &w->episode, &w->directory, 0, &w->error));
  assert_non_null(strstr(w->error.text, "vanished"));
  assert_false(files_exists(w->directory.path));
  assert_int_equal(rename(away, w->directory.path), 0);
}

static void leftovers_of_a_killed_process_are_removed(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  generation(path, w, 2);
  strcat(path, ".host-1-0.tmp");
  assert_true(files_write(path, "x", 1, &w->error));
  load(w, &w->spec);
  assert_false(files_exists(path));
}

static void peeking_tells_what_would_be_loaded(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE];
  long number;
  int64_t env_step;
  assert_true(checkpoint_peek(&number, &env_step, &w->directory, 0));
  assert_int_equal(number, 1);
  assert_int_equal(env_step, w->episode.mbpo.env_step);
  generation(path, w, 1);
  assert_int_equal(truncate(path, 50), 0);
  assert_true(checkpoint_peek(&number, &env_step, &w->directory, 0));
  assert_int_equal(number, 0);
  assert_false(checkpoint_peek(&number, &env_step, &w->directory, 1));
}

static void a_sealed_file_is_trusted_only_if_it_is_whole_and_ours(void** state) {
  World* w = *state;
  char path[RUN_PATH_SIZE], second[RUN_PATH_SIZE];
  while (hyper_episode_advance(&w->episode) != HYPER_FINISHED) {
    if (w->episode.awaiting) {
      HyperAction action = {.choice = {1, 1, 1, 1}};
      hyper_episode_act(&w->episode, &action);
    }
  }
  run_episode_path(path, &w->directory, 0);
  run_episode_path(second, &w->directory, 1);
  assert_true(trajectory_write(&w->episode, path, &w->error));
  assert_true(sealed_check_episode(&w->directory, &w->spec, 0, &w->error));

  RunSpec other = w->spec;
  strcpy(other.config_hash, "1111111111111111");
  assert_false(sealed_check_episode(&w->directory, &other, 0, &w->error));
  assert_non_null(strstr(w->error.text, "another configuration"));

  assert_int_equal(link(path, second), 0);
  assert_false(sealed_check_episode(&w->directory, &w->spec, 1, &w->error));
  assert_non_null(strstr(w->error.text, "holds hyper_episode 0, expected 1"));

  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  flip(path, info.st_size / 2, SEEK_SET);
  assert_false(sealed_check_episode(&w->directory, &w->spec, 0, &w->error));
  assert_non_null(strstr(w->error.text, path));
  assert_non_null(strstr(w->error.text, "Remove"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_newest_good_generation_is_loaded),
      TEST(a_damaged_generation_gives_way_to_the_one_before),
      TEST(without_a_good_generation_the_episode_is_untouched),
      TEST(names_that_are_no_generations_are_passed_over),
      TEST(a_state_of_another_engine_is_refused),
      TEST(counts_beyond_what_a_run_can_have_are_refused),
      TEST(another_configuration_is_refused),
      TEST(a_newer_version_is_refused_not_overwritten),
      TEST(another_format_is_passed_over),
      TEST(a_whole_checkpoint_of_another_shape_is_refused),
      TEST(two_generations_are_kept),
      TEST(a_new_generation_takes_the_next_free_number),
      TEST(the_byte_budget_is_kept),
      TEST(a_vanished_directory_is_not_made_again),
      TEST(leftovers_of_a_killed_process_are_removed),
      TEST(peeking_tells_what_would_be_loaded),
      TEST(a_sealed_file_is_trusted_only_if_it_is_whole_and_ours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
