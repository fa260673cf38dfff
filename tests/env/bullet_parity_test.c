// Replays recordings of pybullet_envs and requires the same bits.
//
// The recordings under tests/golden/env (record_bullet.py) hold start joints, actions as given to
// step(), and what came back. Usage with other recordings: env_bullet_parity_test DIRECTORY
// Walker2DBulletEnv-v0-contact is one where contacts of an episode last into the next: bullet.h.
// Exempt is one number: the reward of the first step of a file, because PyBullet leaves the floor
// out of the mean place of the parts in the first episode of a process (env/bullet.h).
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/libm.h"
#include "env/env.h"
#include "store/h5_table.h"

#define MAX_OBS 26

static const char* directory = SOURCE_DIR "/tests/golden/env";

typedef struct {
  const char* id;
  const char* file;
} Case;

typedef struct {
  H5Table jreset, obs0, start, action, obs, reward, done;
} Recording;

static H5Table read_table(const char* path, const char* name, Arena* arena) {
  H5Table table;
  Error error = {0};
  if (!h5_table_read(&table, path, name, arena, &error)) {
    fail_msg("%s", error.text);
  }
  return table;
}

static Recording read_recording(const char* file, Arena* arena) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.h5", directory, file);
  return (Recording){
      .jreset = read_table(path, "jreset", arena),
      .obs0 = read_table(path, "obs0", arena),
      .start = read_table(path, "ep_start", arena),
      .action = read_table(path, "action", arena),
      .obs = read_table(path, "obs", arena),
      .reward = read_table(path, "reward", arena),
      .done = read_table(path, "done", arena),
  };
}

static const double* row(const H5Table* table, int64_t i) { return table->x + i * table->columns; }

static void assert_same_bits(const double* x, const double* expected, int n, const char* what,
                             int64_t step) {
  for (int i = 0; i < n; i++) {
    if (memcmp(x + i, expected + i, sizeof *x) != 0) {
      fail_msg("step %lld: %s[%d] is %.17g, recorded %.17g", (long long)step, what, i, x[i],
               expected[i]);
    }
  }
}

static void replay_episode(Env* env, const Recording* recording, int e) {
  double obs[MAX_OBS];
  int O = env->spec.obs_size;
  int64_t first = (int64_t)recording->start.x[e];
  int64_t end = (int64_t)recording->start.x[e + 1];
  env_set_state(env, obs, row(&recording->jreset, e), NULL);
  assert_same_bits(obs, row(&recording->obs0, e), O, "obs0", first);
  for (int64_t t = first; t < end; t++) {
    EnvStep step = env_step(env, obs, row(&recording->action, t));
    assert_same_bits(obs, row(&recording->obs, t), O, "obs", t);
    if (t > 0) {
      assert_same_bits(&step.reward, row(&recording->reward, t), 1, "reward", t);
    }
    bool truncated = t - first + 1 == env->spec.time_limit;
    assert_int_equal(step.terminated || truncated, recording->done.x[t] != 0);
    assert_false(step.diverged);
  }
}

static void recorded_episodes_come_back_bit_for_bit(void** state) {
  const Case* task = *state;
  Arena arena = {0};
  Error error = {0};
  Recording recording = read_recording(task->file, &arena);
  Env env;
  if (!env_open(&env, task->id, SOURCE_DIR "/configs/mjcf", &arena, &error)) {
    fail_msg("%s", error.text);
  }
  assert_int_equal(env_position_size(&env), recording.jreset.columns);
  assert_int_equal(env.spec.act_size, recording.action.columns);
  assert_int_equal(env.spec.obs_size, recording.obs.columns);
  assert_true(recording.obs.rows > 0);
  for (int e = 0; e + 1 < recording.start.rows; e++) {
    replay_episode(&env, &recording, e);
  }
  print_message("%s: %lld steps, %lld episodes\n", task->id, (long long)recording.obs.rows,
                (long long)recording.start.rows - 1);
  env_close(&env);
  arena_free(&arena);
}

// The terms of the paper's reward, from the same recorded steps.
static void paper_reward_is_of_the_recorded_motion(void** state) {
  const Case* task = *state;
  Arena arena = {0};
  Error error = {0};
  Recording recording = read_recording(task->file, &arena);
  Env env;
  if (!env_open(&env, task->id, SOURCE_DIR "/configs/mjcf", &arena, &error)) {
    fail_msg("%s", error.text);
  }
  bool runs = strstr(task->id, "cheetah") != NULL;
  double obs[MAX_OBS];
  int steps = (int)recording.start.x[1];
  env_set_state(&env, obs, row(&recording.jreset, 0), NULL);
  for (int t = 0; t < steps; t++) {
    const double* act = row(&recording.action, t);
    EnvStep step = env_step(&env, obs, act);
    double expected = 5 * obs[3] + (runs ? 0 : step.terminated ? -1 : 1);
    for (int a = 0; a < env.spec.act_size; a++) {
      expected -= 0.001 * act[a] * act[a];
    }
    // Another order of summation than the task's.
    assert_true(step.reward > expected - 1e-14 && step.reward < expected + 1e-14);
    assert_same_bits(obs, row(&recording.obs, t), env.spec.obs_size, "obs", t);
  }
  env_close(&env);
  arena_free(&arena);
}

// The smallest change of the actions shows: the comparison above can fail.
static void one_bit_of_the_actions_changes_the_episode(void** state) {
  const Case* task = *state;
  Arena arena = {0};
  Error error = {0};
  Recording recording = read_recording(task->file, &arena);
  Env env;
  if (!env_open(&env, task->id, SOURCE_DIR "/configs/mjcf", &arena, &error)) {
    fail_msg("%s", error.text);
  }
  double obs[MAX_OBS], act[ENV_MAX_ACT];
  int steps = (int)recording.start.x[1];
  int differences = 0;
  env_set_state(&env, obs, row(&recording.jreset, 0), NULL);
  for (int t = 0; t < steps; t++) {
    for (int a = 0; a < env.spec.act_size; a++) {
      act[a] = nextafterf((float)row(&recording.action, t)[a], 0);
    }
    env_step(&env, obs, act);
    const double* recorded = row(&recording.obs, t);
    differences += memcmp(obs, recorded, sizeof *obs * (size_t)env.spec.obs_size) != 0;
  }
  assert_true(differences > 0);
  env_close(&env);
  arena_free(&arena);
}

static Case original[] = {
    {"hopper-bullet", "HopperBulletEnv-v0"},
    {"walker2d-bullet", "Walker2DBulletEnv-v0"},
    {"half-cheetah-bullet", "HalfCheetahBulletEnv-v0"},
    {"walker2d-bullet", "Walker2DBulletEnv-v0-contact"},
};

static Case paper[] = {
    {"hopper-bullet-paper", "HopperBulletEnv-v0"},
    {"walker2d-bullet-paper", "Walker2DBulletEnv-v0"},
    {"half-cheetah-bullet-paper", "HalfCheetahBulletEnv-v0"},
};

#define TEST(law, task) \
  { (task)->id, law, NULL, NULL, (task) }

int main(int argc, char** argv) {
#ifndef AUTOMBPO_BULLET
  puts("no Bullet in this build");
  return 77;
#endif
  libm_use_library();  // as the recordings have
  const struct CMUnitTest tests[] = {
      TEST(recorded_episodes_come_back_bit_for_bit, original),
      TEST(recorded_episodes_come_back_bit_for_bit, original + 1),
      TEST(recorded_episodes_come_back_bit_for_bit, original + 2),
      TEST(recorded_episodes_come_back_bit_for_bit, original + 3),
      TEST(paper_reward_is_of_the_recorded_motion, paper),
      TEST(paper_reward_is_of_the_recorded_motion, paper + 1),
      TEST(paper_reward_is_of_the_recorded_motion, paper + 2),
      TEST(one_bit_of_the_actions_changes_the_episode, original),
      TEST(one_bit_of_the_actions_changes_the_episode, original + 1),
      TEST(one_bit_of_the_actions_changes_the_episode, original + 2),
  };
  const struct CMUnitTest others[] = {
      TEST(recorded_episodes_come_back_bit_for_bit, original),
      TEST(recorded_episodes_come_back_bit_for_bit, original + 1),
      TEST(recorded_episodes_come_back_bit_for_bit, original + 2),
  };
  if (argc > 1) {
    directory = argv[1];
    return cmocka_run_group_tests(others, NULL, NULL);
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
