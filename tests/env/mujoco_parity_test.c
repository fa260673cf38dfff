// Replays recordings of Gymnasium with the MuJoCo of this build and requires the same numbers.
//
// The recordings under tests/golden/env, a directory for each version, hold start states, actions as
// given to step(), and what came back. Usage with other recordings: env_mujoco_parity_test DIRECTORY
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/libm.h"
#include "env/mujoco.h"
#include "store/h5_table.h"

#define PATH_SIZE 4096

static const char* directory;
static bool golden;  // the committed recordings, not those of the command line

static H5Table read_table(const char* path, const char* name, Arena* arena) {
  H5Table table;
  Error error = {0};
  if (!h5_table_read(&table, path, name, arena, &error)) {
    fail_msg("%s", error.text);
  }
  return table;
}

static const double* row(const H5Table* table, int i) { return table->x + i * table->columns; }

typedef struct {
  H5Table qpos0, qvel0, obs0, start, action, obs, reward, terminated;
} Recording;

static void recording_path(char path[PATH_SIZE], const char* name) {
  snprintf(path, PATH_SIZE, "%s/%s.h5", directory, name);
}

static bool has_recording(const char* name) {
  char path[PATH_SIZE];
  recording_path(path, name);
  return access(path, F_OK) == 0;
}

static Recording read_recording(const char* name, Arena* arena) {
  char path[PATH_SIZE];
  recording_path(path, name);
  return (Recording){
      .qpos0 = read_table(path, "qpos0", arena),
      .qvel0 = read_table(path, "qvel0", arena),
      .obs0 = read_table(path, "obs0", arena),
      .start = read_table(path, "ep_start", arena),
      .action = read_table(path, "action", arena),
      .obs = read_table(path, "obs", arena),
      .reward = read_table(path, "reward", arena),
      .terminated = read_table(path, "terminated", arena),
  };
}

// "Hopper-v4" is "hopper-v4", "InvertedPendulum-v5" is "inverted-pendulum-v5".
static void task_id(char* id, const char* name) {
  if (strncmp(name, "Walker2d", 8) == 0) {
    sprintf(id, "walker2d%s", name + 8);
    return;
  }
  for (const char* c = name; *c; c++) {
    if ('A' <= *c && *c <= 'Z') {
      if (c != name) {
        *id++ = '-';
      }
      *id++ = (char)(*c - 'A' + 'a');
    } else {
      *id++ = *c;
    }
  }
  *id = '\0';
}

static void assert_same_bits(const double* x, const double* expected, int n, const char* name,
                             int step) {
  for (int i = 0; i < n; i++) {
    if (memcmp(x + i, expected + i, sizeof *x) != 0) {
      fail_msg("%s step %d obs[%d]: %.17g, recorded %.17g", name, step, i, x[i], expected[i]);
    }
  }
}

// Largest difference of a reward.
static double replay_recording(Env* env, const Recording* recording, const char* name) {
  double* obs = test_malloc(sizeof(double) * (size_t)env->spec.obs_size);
  int O = env->spec.obs_size;
  double worst = 0;
  for (int e = 0; e + 1 < recording->start.rows; e++) {
    env_set_state(env, obs, row(&recording->qpos0, e), row(&recording->qvel0, e));
    assert_same_bits(obs, row(&recording->obs0, e), O, name, -1);
    for (int t = (int)recording->start.x[e]; t < (int)recording->start.x[e + 1]; t++) {
      EnvStep step = env_step(env, obs, row(&recording->action, t));
      assert_same_bits(obs, row(&recording->obs, t), O, name, t);
      assert_int_equal(step.terminated, recording->terminated.x[t] != 0);
      assert_false(step.diverged);
      worst = fmax(worst, fabs(step.reward - recording->reward.x[t]));
    }
  }
  test_free(obs);
  return worst;
}

// The reward's tolerance is for Reacher and Pusher, whose norm depends on the recording BLAS.
static void recorded_episodes_come_back_bit_for_bit(void** state) {
  const char* name = *state;
  Arena arena = {0};
  Error error = {0};
  if (!has_recording(name) && (!golden || strstr(name, "-v4"))) {
    skip();  // newer physics has no Pusher-v4, and of the others v5 is enough
  }
  Recording recording = read_recording(name, &arena);
  char id[ENV_ID_SIZE];
  task_id(id, name);
  Env env;
  if (!env_open(&env, id, SOURCE_DIR "/configs/mjcf", &arena, &error)) {
    fail_msg("%s", error.text);
  }
  assert_int_equal(env_position_size(&env), recording.qpos0.columns);
  assert_int_equal(env_velocity_size(&env), recording.qvel0.columns);
  assert_int_equal(env.spec.act_size, recording.action.columns);
  assert_int_equal(env.spec.obs_size, recording.obs.columns);
  assert_true(recording.obs.rows > 0);
  double worst = replay_recording(&env, &recording, name);
  print_message("%s: %d steps, largest reward difference %g\n", id, (int)recording.obs.rows, worst);
  assert_true(worst <= 1e-12);
  env_close(&env);
  arena_free(&arena);
}

#define TEST(name) \
  { name, recorded_episodes_come_back_bit_for_bit, NULL, NULL, name }

int main(int argc, char** argv) {
  char committed[PATH_SIZE];
  snprintf(committed, sizeof committed, SOURCE_DIR "/tests/golden/env/mujoco-%s", mj_versionString());
  golden = argc < 2;
  directory = golden ? committed : argv[1];
  if (access(directory, F_OK) != 0) {
    printf("%s: no recordings of this MuJoCo, skipped\n", directory);
    return 77;
  }
  libm_use_library();  // as the recordings have
  const struct CMUnitTest tests[] = {
      TEST("Pendulum-v1"),
      TEST("InvertedPendulum-v4"), TEST("InvertedPendulum-v5"),
      TEST("InvertedDoublePendulum-v4"), TEST("InvertedDoublePendulum-v5"),
      TEST("Hopper-v4"), TEST("Hopper-v5"),
      TEST("Walker2d-v4"), TEST("Walker2d-v5"),
      TEST("HalfCheetah-v4"), TEST("HalfCheetah-v5"),
      TEST("Swimmer-v4"), TEST("Swimmer-v5"),
      TEST("Ant-v4"), TEST("Ant-v5"),
      TEST("Humanoid-v4"), TEST("Humanoid-v5"),
      TEST("HumanoidStandup-v4"), TEST("HumanoidStandup-v5"),
      TEST("Reacher-v4"), TEST("Reacher-v5"),
      TEST("Pusher-v4"), TEST("Pusher-v5"),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
