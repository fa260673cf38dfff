// Laws of `autombpo env`: replay gives the recorded numbers; bad input is named; exit codes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/libm.h"
#include "base/text.h"
#include "cli/env_replay.h"
#include "cli/verbs.h"
#include "env/mujoco.h"
#include "store/h5.h"
#include "store/h5_table.h"

#define ASSETS SOURCE_DIR "/configs/mjcf"
#define GOLDEN SOURCE_DIR "/tests/golden/env/mujoco-"

typedef struct {
  char directory[64];
  char output[128];
  Arena arena;
} Fixture;

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->directory, "/tmp/verb_env_XXXXXX");
  assert_non_null(mkdtemp(f->directory));
  snprintf(f->output, sizeof f->output, "%s/out.h5", f->directory);
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", f->directory);
  assert_int_equal(system(command), 0);
  arena_free(&f->arena);
  free(f);
  return 0;
}

static H5Table table(Fixture* f, const char* path, const char* name) {
  H5Table result;
  Error error = {0};
  if (!h5_table_read(&result, path, name, &f->arena, &error)) {
    fail_msg("%s", error.text);
  }
  return result;
}

static void assert_same_table(Fixture* f, const char* path, const char* name) {
  H5Table expected = table(f, path, name);
  H5Table found = table(f, f->output, name);
  assert_int_equal(found.rows, expected.rows);
  assert_int_equal(found.columns, expected.columns);
  size_t size = sizeof(double) * (size_t)(found.rows * found.columns);
  assert_memory_equal(found.x, expected.x, size);
}

static void replay_gives_the_recorded_numbers(void** state) {
  Fixture* f = *state;
  static const char* const tasks[][2] = {{"hopper-v5", "Hopper"}, {"humanoid-v5", "Humanoid"}};
  for (int i = 0; i < 2; i++) {
    const char* recording = text_format(&f->arena, GOLDEN "%s/%s-v5.h5", mj_versionString(), tasks[i][1]);
    if (access(recording, F_OK) != 0) {
      skip();  // other physics
    }
    Error error = {0};
    if (!env_replay(tasks[i][0], ASSETS, recording, f->output, &error)) {
      fail_msg("%s", error.text);
    }
    assert_same_table(f, recording, "obs0");
    assert_same_table(f, recording, "obs");
    assert_same_table(f, recording, "reward");
    assert_same_table(f, recording, "terminated");
    remove(f->output);
  }
}

// A recording for inverted-pendulum-v4 of two episodes, in which one thing may be wrong.
typedef struct {
  int64_t actuators;
  double action;    // of row 1
  double start[3];  // ep_start
} Wrong;

static const char* write_recording(Fixture* f, const Wrong* wrong) {
  char* path = arena_alloc(&f->arena, 128);
  snprintf(path, 128, "%s/in.h5", f->directory);
  remove(path);
  double zeros[4] = {0};
  double action[6] = {0, wrong->action};
  const H5Column columns[] = {
      {"qpos0", H5_F64, 2, 2, "1", ""},
      {"qvel0", H5_F64, 2, 2, "1", ""},
      {"ep_start", H5_F64, 3, 0, "1", ""},
      {"action", H5_F64, 3, wrong->actuators, "1", ""},
  };
  H5File file;
  Error error = {0};
  assert_true(h5_create(&file, path, "test", 1, &error));
  h5_write(&file, &columns[0], zeros);
  h5_write(&file, &columns[1], zeros);
  h5_write(&file, &columns[2], wrong->start);
  h5_write(&file, &columns[3], action);
  assert_true(h5_seal(&file, &error));
  return path;
}

static void assert_refused(Fixture* f, const Wrong* wrong, const char* complaint) {
  Error error = {0};
  const char* path = write_recording(f, wrong);
  bool good = env_replay("inverted-pendulum-v4", ASSETS, path, f->output, &error);
  assert_int_equal(good, *complaint == '\0');
  if (!strstr(error.text, complaint)) {
    fail_msg("'%s', expected '%s'", error.text, complaint);
  }
  assert_int_equal(access(f->output, F_OK) == 0, good);
}

static void a_bad_recording_is_refused_and_nothing_is_written(void** state) {
  Fixture* f = *state;
  assert_refused(f, &(Wrong){2, 0, {0, 1, 3}}, "action is (3, 2), expected (3, 1)");
  assert_refused(f, &(Wrong){1, NAN, {0, 1, 3}}, "action[1, 0] is nan");
  assert_refused(f, &(Wrong){1, 0, {1, 1, 3}}, "ep_start must begin with row 0");
  assert_refused(f, &(Wrong){1, 0, {0, 2, 1}}, "ep_start[2] is 1 after 2");
  assert_refused(f, &(Wrong){1, 0, {0, 1, 4}}, "ep_start ends with 4, but there are 3 actions");
  assert_refused(f, &(Wrong){1, 0, {0, 1, 3}}, "");
}

static int run(int argc, const char* const* argv) {
  char* copies[16] = {0};
  for (int i = 0; i < argc; i++) {
    copies[i] = strdup(argv[i]);
  }
  int code = verb_env(argc, copies);
  for (int i = 0; i < argc; i++) {
    free(copies[i]);
  }
  return code;
}

#define RUN(...) \
  run((int)(sizeof((const char*[]){"env", __VA_ARGS__}) / sizeof(char*)), \
      (const char*[]){"env", __VA_ARGS__})

static void exit_codes_tell_usage_from_failure(void** state) {
  (void)state;
  assert_int_equal(RUN("--help"), 0);
  assert_int_equal(RUN("list", "--assets", ASSETS, "extra"), 2);
  assert_int_equal(RUN("describe", "hopper-v4", "--assets", ASSETS), 0);
  assert_int_equal(RUN("describe", "hoper-v4", "--assets", ASSETS), 2);
  assert_int_equal(RUN("describe", "hopper-v4", "--assets", "/nowhere"), 2);
  assert_int_equal(RUN("check", "plugin:/nowhere.so", "--assets", ASSETS), 2);
  assert_int_equal(RUN("check", "--steps", "300", "pendulum-v1", "--assets", ASSETS), 0);
  assert_int_equal(RUN("check", "--steps", "0", "pendulum-v1", "--assets", ASSETS), 2);
  assert_int_equal(RUN("check", "--assets", ASSETS), 2);
  assert_int_equal(RUN("replay", "--task", "hopper-v4", "--assets", ASSETS), 2);
  assert_int_equal(RUN("replay", "--task", "hopper-v4", "--assets", ASSETS, "--input", "/no.h5",
                       "--output", "/tmp/no.h5"), 2);
  assert_int_equal(RUN("--unknown"), 2);
  assert_int_equal(RUN("dance", "--assets", ASSETS), 2);
}

int main(void) {
  libm_use_library();  // as a replay does
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(replay_gives_the_recorded_numbers, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_bad_recording_is_refused_and_nothing_is_written, set_up,
                                      tear_down),
      cmocka_unit_test(exit_codes_tell_usage_from_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
