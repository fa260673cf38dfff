// The policy file: a controller comes back whole, and one of another shape is refused as what it is.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/archive.h"
#include "hyper/policy_file.h"
#include "hyper/scheduler_kinds.h"

typedef struct {
  char path[64];
  Arena arena;
  Error error;
} Fixture;

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->path, "/tmp/policy_file_test_XXXXXX");
  int file = mkstemp(f->path);
  assert_true(file >= 0);
  close(file);
  unlink(f->path);
  arena_init(&f->arena);
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  unlink(f->path);
  arena_free(&f->arena);
  free(f);
  return 0;
}

static void make(Controller* c, Fixture* f, const char* groups, int hidden_size, uint64_t seed) {
  HyperOptions o = {.schedule_train_model = true,
                    .schedule_real_ratio = true,
                    .schedule_policy_updates = true,
                    .schedule_rollout_length = true};
  ControllerShape shape = {.groups = groups,
                           .hidden_size = hidden_size,
                           .learning_rate = 1e-3,
                           .init_sd = {1, {0}},
                           .max_batch = 1,
                           .max_stages = 10};
  assert_true(controller_init(c, &o, &shape, seed, &f->arena, &f->error));
}

static void save(const Controller* c, Fixture* f) {
  static const Baseline baseline = {.run_seeds = "0,1"};
  RunSpec x = {.env = "hopper-v4", .method = "m", .config = "hyper:\n  feature_min: -1\n",
                  .config_hash = "0123456789abcdef", .seed = 3, .baseline = &baseline};
  if (!policy_file_write(c, &x, f->path, &f->error)) {
    fail_msg("%s", f->error.text);
  }
}

static uint64_t checksum(Controller* c) {
  Archive ar;
  archive_init_checksum(&ar);
  controller_visit(c, &ar);
  return ar.checksum;
}

static void a_controller_comes_back_whole(void** state) {
  Fixture* f = *state;
  Controller written, read;
  double features[2 * FEATURE_COUNT];
  for (int i = 0; i < 2 * FEATURE_COUNT; i++) {
    features[i] = 3 - i;
  }
  make(&written, f, "train_model+real_ratio,policy_updates,rollout_length", 24, 1);
  make(&read, f, "train_model+real_ratio,policy_updates,rollout_length", 24, 2);
  controller_see(&written, features, 2);
  save(&written, f);
  assert_int_not_equal(checksum(&read), checksum(&written));
  if (!policy_file_read(&read, f->path, &f->error)) {
    fail_msg("%s", f->error.text);
  }
  assert_int_equal(checksum(&read), checksum(&written));
  PolicyTraining training;
  assert_true(policy_file_read_training(&training, f->path, &f->arena, &f->error));
  assert_string_equal(training.env, "hopper-v4");
  assert_string_equal(training.config, "hyper:\n  feature_min: -1\n");
}

static void expect_refused(Fixture* f, Controller* c, const char* what) {
  assert_false(policy_file_read(c, f->path, &f->error));
  if (!strstr(f->error.text, what)) {
    fail_msg("%s", f->error.text);
  }
}

static void another_shape_is_named_as_what_it_is(void** state) {
  Fixture* f = *state;
  Controller staged, wide, joint;
  make(&staged, f, "train_model+real_ratio,policy_updates,rollout_length", 24, 1);
  make(&wide, f, "train_model+real_ratio,policy_updates,rollout_length", 25, 1);
  make(&joint, f, "", 24, 1);
  save(&staged, f);
  expect_refused(f, &wide, "layer 1 of heads/train_model has 24 units, expected 25");
  expect_refused(f, &joint,
                 "heads/train_model reads progress,model_loss,critic_loss,policy_change,"
                 "eval_return,real_ratio, expected progress,model_loss,critic_loss,policy_change,"
                 "eval_return,real_ratio,policy_updates,rollout_length");
  joint.heads[HEAD_REAL_RATIO].scheduled = false;
  joint.heads[HEAD_TRAIN_MODEL] = staged.heads[HEAD_TRAIN_MODEL];
  expect_refused(f, &joint, "head 'real_ratio' is trained, but hyper.schedule_real_ratio is false");
}

static void what_is_to_be_applied_brings_its_training_along(void** state) {
  Fixture* f = *state;
  Controller c;
  SchedulerTrained trained;
  make(&c, f, "", 8, 1);
  save(&c, f);
  assert_true(scheduler_apply.find_trained(&trained, f->path, &f->arena, &f->error));
  assert_string_equal(trained.path, f->path);
  assert_string_equal(trained.env, "hopper-v4");
  assert_string_equal(trained.config, "hyper:\n  feature_min: -1\n");
  assert_string_equal(trained.baseline_seeds, "0,1");
  assert_int_equal(trained.seed, 3);
}

static void what_was_seen_is_the_range_of_finite_features(void** state) {
  Fixture* f = *state;
  Controller c;
  make(&c, f, "", 8, 1);
  assert_true(isnan(c.seen.low[0]) && isnan(c.seen.high[0]));
  double features[3][FEATURE_COUNT] = {{0.5}, {0.25}, {0.75}};
  features[0][FEATURE_EVAL_RETURN] = NAN;
  features[1][FEATURE_EVAL_RETURN] = INFINITY;
  features[2][FEATURE_EVAL_RETURN] = -7;
  controller_see(&c, features[0], 3);
  assert_true(c.seen.low[0] == 0.25 && c.seen.high[0] == 0.75);
  assert_true(c.seen.low[FEATURE_EVAL_RETURN] == -7 && c.seen.high[FEATURE_EVAL_RETURN] == -7);
  controller_see(&c, features[1], 1);
  assert_true(c.seen.low[0] == 0.25 && c.seen.high[0] == 0.75);
}

static void only_what_an_acting_head_reads_can_extrapolate(void** state) {
  Fixture* f = *state;
  Controller c;
  double features[FEATURE_COUNT] = {[FEATURE_REAL_RATIO] = 0.05, [FEATURE_POLICY_UPDATES] = 20};
  HyperAction action;
  make(&c, f, "train_model+real_ratio,policy_updates,rollout_length", 8, 1);
  hyper_action_none(&action);
  action.choice[HEAD_REAL_RATIO] = 1;
  // nothing was recorded, as in the files of earlier programs: nothing is known to be outside
  assert_false(controller_extrapolates(&c, &action, FEATURE_REAL_RATIO, 0.9));
  controller_see(&c, features, 1);
  assert_true(controller_extrapolates(&c, &action, FEATURE_REAL_RATIO, 0.9));
  double returned = 0.05 * 1.2 * 1.2 / 1.2 / 1.2;
  assert_false(controller_extrapolates(&c, &action, FEATURE_REAL_RATIO, returned));
  assert_false(controller_extrapolates(&c, &action, FEATURE_PROGRESS, 0.9));
  assert_false(controller_extrapolates(&c, &action, FEATURE_POLICY_UPDATES, 40));
  for (int i = 0; i < c.heads[HEAD_REAL_RATIO].feature_count; i++) {
    HyperFeature read = (HyperFeature)c.heads[HEAD_REAL_RATIO].features[i];
    assert_true(controller_extrapolates(&c, &action, read, 1e3) == (read != FEATURE_PROGRESS));
  }
  action.choice[HEAD_POLICY_UPDATES] = 1;
  assert_true(controller_extrapolates(&c, &action, FEATURE_POLICY_UPDATES, 40));
  hyper_action_none(&action);
  assert_false(controller_extrapolates(&c, &action, FEATURE_REAL_RATIO, 0.9));
}

static void the_newest_of_a_run_is_found_and_what_has_none_is_named(void** state) {
  Fixture* f = *state;
  char out[RUN_PATH_SIZE], expected[RUN_PATH_SIZE];
  RunDirectory directory;
  assert_false(policy_file_find(out, f->path, &f->error));
  assert_non_null(strstr(f->error.text, "does not exist"));
  snprintf(directory.path, sizeof directory.path, "%s", f->path);
  assert_true(run_directory_make(&directory, &f->error));
  assert_false(policy_file_find(out, f->path, &f->error));
  assert_non_null(strstr(f->error.text, "no policy file in its policy/ directory"));
  for (int v = 0; v < 3; v++) {
    run_policy_path(expected, &directory, v);
    assert_true(files_write(expected, "x", 1, &f->error));
  }
  assert_true(policy_file_find(out, f->path, &f->error));
  assert_string_equal(out, expected);
  assert_true(policy_file_find(out, expected, &f->error));
  assert_string_equal(out, expected);
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", f->path);
  assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_controller_comes_back_whole),
      TEST(another_shape_is_named_as_what_it_is),
      TEST(what_is_to_be_applied_brings_its_training_along),
      TEST(what_was_seen_is_the_range_of_finite_features),
      TEST(only_what_an_acting_head_reads_can_extrapolate),
      TEST(the_newest_of_a_run_is_found_and_what_has_none_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
