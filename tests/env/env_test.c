// Laws of the environment interface, for every task.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"

#define ASSETS SOURCE_DIR "/configs/mjcf"
#define MAX_OBS 512
#define STEPS 60

static Arena arena;

static void open_env(Env* env, const char* id) {
  Error error = {0};
  if (!env_open(env, id, ASSETS, &arena, &error)) {
    fail_msg("%s", error.text);
  }
  assert_true(env->spec.obs_size <= MAX_OBS);
}

static Rng test_stream(int index) { return rng_stream(11, 0, RNG_TEST, index); }

// Actions up to a third beyond the range, so that limits are met.
static void draw_action(double* act, const Env* env, Rng* rng) {
  for (int a = 0; a < env->spec.act_size; a++) {
    double middle = (env->spec.act_low[a] + env->spec.act_high[a]) / 2;
    double half = (env->spec.act_high[a] - env->spec.act_low[a]) / 2;
    act[a] = middle + rng_range(rng, -1.3, 1.3) * half;
  }
}

static bool same(const double* x, const double* y, int n) {
  return memcmp(x, y, sizeof *x * (size_t)n) == 0;
}

static void assert_same_step(EnvStep a, EnvStep b) {
  assert_true(same(&a.reward, &b.reward, 1));
  assert_int_equal(a.terminated, b.terminated);
  assert_int_equal(a.diverged, b.diverged);
}

static void visit_memory(Env* env, ArchiveMode mode, ArchiveMemory* memory) {
  Archive archive;
  archive_init_memory(&archive, mode, memory);
  env_visit(env, &archive, "env");
  if (archive.failed) {
    fail_msg("%s", archive.error.text);
  }
}

// Both environments make the same `count` steps.
static void assert_same_future(Env* env, Env* other, int count, Rng rng) {
  double act[ENV_MAX_ACT], obs[MAX_OBS], other_obs[MAX_OBS];
  for (int t = 0; t < count; t++) {
    draw_action(act, env, &rng);
    EnvStep step = env_step(env, obs, act);
    assert_same_step(step, env_step(other, other_obs, act));
    assert_true(same(obs, other_obs, env->spec.obs_size));
  }
}

// Saved at every third step of an episode and loaded into an environment that did something else
// before, an episode goes on with the same bits.
static void saved_episodes_continue_bit_for_bit(void** state) {
  Env env, other;
  open_env(&env, *state);
  open_env(&other, *state);
  double obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(0);
  Rng other_rng = test_stream(1);
  env_reset(&env, obs, &rng);
  for (int t = 0; t < STEPS; t++) {
    draw_action(act, &env, &rng);
    EnvStep step = env_step(&env, obs, act);
    if (t % 3 == 0) {
      ArchiveMemory memory = {0};
      visit_memory(&env, ARCHIVE_SAVE, &memory);
      visit_memory(&other, ARCHIVE_LOAD, &memory);
      assert_same_future(&env, &other, 4, rng);
      memory.position = 0;
      visit_memory(&env, ARCHIVE_LOAD, &memory);
      archive_memory_free(&memory);
      env_reset(&other, obs, &other_rng);
    }
    if (step.terminated) {
      env_reset(&env, obs, &rng);
    }
  }
  env_close(&env);
  env_close(&other);
}

static void saved_state_continues_in_an_environment_just_opened(void** state) {
  Env env, fresh;
  open_env(&env, *state);
  double obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(2);
  env_reset(&env, obs, &rng);
  for (int t = 0; t < 17; t++) {
    draw_action(act, &env, &rng);
    env_step(&env, obs, act);
  }
  ArchiveMemory memory = {0};
  visit_memory(&env, ARCHIVE_SAVE, &memory);
  open_env(&fresh, *state);
  visit_memory(&fresh, ARCHIVE_LOAD, &memory);
  assert_same_future(&env, &fresh, 100, rng);
  archive_memory_free(&memory);
  env_close(&env);
  env_close(&fresh);
}

// A reset after other episodes gives the same episode as in an environment just opened.
static void episodes_depend_on_the_stream_only(void** state) {
  Env env, fresh;
  open_env(&env, *state);
  open_env(&fresh, *state);
  double obs[MAX_OBS], other_obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(3);
  env_reset(&env, obs, &rng);
  for (int t = 0; t < 20; t++) {
    draw_action(act, &env, &rng);
    env_step(&env, obs, act);
  }
  Rng first = test_stream(4);
  Rng second = test_stream(4);
  env_reset(&env, obs, &first);
  env_reset(&fresh, other_obs, &second);
  assert_true(same(obs, other_obs, env.spec.obs_size));
  assert_same_future(&env, &fresh, 30, rng);
  env_close(&env);
  env_close(&fresh);
}

// Inverted double pendulum: the environment tests the tip as the last Runge-Kutta stage left it,
// the model the tip of the observation, so that some last steps come one step apart.
static void model_and_environment_terminate_alike(void** state) {
  Env env;
  open_env(&env, *state);
  bool lags = strncmp(env.spec.id, "inverted-double", 15) == 0;
  double obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(5);
  int ends = 0, differences = 0;
  env_reset(&env, obs, &rng);
  for (int t = 0; t < 600; t++) {
    draw_action(act, &env, &rng);
    EnvStep step = env_step(&env, obs, act);
    bool predicted = env.spec.terminated && env.spec.terminated(obs);
    differences += predicted != step.terminated;
    ends += step.terminated;
    if (step.terminated) {
      env_reset(&env, obs, &rng);
    }
  }
  assert_true(env.spec.terminated ? true : ends == 0);
  assert_true(differences <= (lags ? ends / 2 : 0));
  env_close(&env);
}

static void normalized_actions_map_to_the_range_and_are_clipped(void** state) {
  Env env, other;
  open_env(&env, *state);
  open_env(&other, *state);
  const Real unit[] = {-1, -0.5, 0, 0.25, 1, 1.75, -3};
  double obs[MAX_OBS], other_obs[MAX_OBS];
  for (int i = 0; i < (int)(sizeof unit / sizeof unit[0]); i++) {
    Real act[ENV_MAX_ACT];
    double own[ENV_MAX_ACT];
    for (int a = 0; a < env.spec.act_size; a++) {
      double x = fmax(-1, fmin(1, (double)unit[i]));
      act[a] = unit[i];
      own[a] = env.spec.act_low[a] + (x + 1) / 2 * (env.spec.act_high[a] - env.spec.act_low[a]);
    }
    Rng rng = test_stream(6);
    Rng other_rng = test_stream(6);
    env_reset(&env, obs, &rng);
    env_reset(&other, other_obs, &other_rng);
    assert_same_step(env_step_normalized(&env, obs, act), env_step(&other, other_obs, own));
    assert_true(same(obs, other_obs, env.spec.obs_size));
  }
  env_close(&env);
  env_close(&other);
}

static void an_action_that_is_not_a_number_diverges(void** state) {
  Env env;
  open_env(&env, *state);
  double obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(7);
  env_reset(&env, obs, &rng);
  draw_action(act, &env, &rng);
  assert_false(env_step(&env, obs, act).diverged);
  act[0] = NAN;
  assert_true(env_step(&env, obs, act).diverged);
  env_reset(&env, obs, &rng);
  draw_action(act, &env, &rng);
  assert_false(env_step(&env, obs, act).diverged);
  env_close(&env);
}

// Beyond MuJoCo's limits it resets the state by itself, which then looks healthy.
static void a_simulation_that_blows_up_diverges(void** state) {
  (void)state;
  static const char* const ids[] = {"hopper-v4", "humanoid-v5", "reacher-v4"};
  for (int i = 0; i < 3; i++) {
    Env env;
    open_env(&env, ids[i]);
    double obs[MAX_OBS], act[ENV_MAX_ACT] = {0}, position[32] = {0}, velocity[32] = {0};
    env_set_state(&env, obs, position, velocity);
    assert_false(env_step(&env, obs, act).diverged);
    velocity[1] = 1e11;
    env_set_state(&env, obs, position, velocity);
    assert_true(env_step(&env, obs, act).diverged);
    env_close(&env);
  }
}

static void state_of_another_engine_or_task_is_refused(void** state) {
  (void)state;
  Env env, other;
  open_env(&env, "hopper-v4");
  open_env(&other, "hopper-v5");
  double obs[MAX_OBS];
  Rng rng = test_stream(8);
  env_reset(&env, obs, &rng);
  ArchiveMemory memory = {0};
  visit_memory(&env, ARCHIVE_SAVE, &memory);
  Archive archive;
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  env_visit(&other, &archive, "env");
  assert_true(archive.failed);
  assert_non_null(strstr(archive.error.text, "hopper-v4"));
  memory.position = 0;
  strcpy(env.spec.engine, "MuJoCo 0.0.1");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  env_visit(&env, &archive, "env");
  assert_true(archive.failed);
  assert_non_null(strstr(archive.error.text, "MuJoCo 0.0.1"));
  archive_memory_free(&memory);
  env_close(&env);
  env_close(&other);
}

static void bad_input_is_an_error_that_names_it(void** state) {
  (void)state;
  Env env;
  Error error = {0};
  assert_false(env_open(&env, "hoper-v4", ASSETS, &arena, &error));
  assert_non_null(strstr(error.text, "did you mean 'hopper-v4'"));
  assert_false(env_open(&env, "nonsense", ASSETS, &arena, &error));
  assert_non_null(strstr(error.text, "unknown task 'nonsense' ('autombpo env list'"));
  assert_false(env_open(&env, "hopper-v4", "/nowhere", &arena, &error));
  assert_non_null(strstr(error.text, "/nowhere/hopper.xml"));
  char broken[] = "/tmp/autombpo-env-XXXXXX";
  assert_non_null(mkdtemp(broken));
  char path[128];
  snprintf(path, sizeof path, "%s/hopper.xml", broken);
  FILE* file = fopen(path, "w");
  assert_non_null(file);
  fputs("<mujoco><worldbody/></mujoco>", file);
  fclose(file);
  assert_false(env_open(&env, "hopper-v4", broken, &arena, &error));
  assert_non_null(strstr(error.text, "nq = 0, the task needs 6"));
  remove(path);
  remove(broken);
}

// The truncated tasks observe positions and velocities, the first part of v5's observation, and pay
// what v5 pays, but the bonus on the last step as well.
static void assert_truncated(const char* id, const char* full_id, double bonus) {
  Env env, full;
  open_env(&env, id);
  open_env(&full, full_id);
  double obs[MAX_OBS], full_obs[MAX_OBS], act[ENV_MAX_ACT];
  Rng rng = test_stream(9);
  for (int t = 0, ends = 0; t < 300; t++) {
    if (t == 0 || ends > 0) {
      Rng full_rng = rng;
      env_reset(&env, obs, &rng);
      env_reset(&full, full_obs, &full_rng);
      ends = 0;
    }
    draw_action(act, &env, &rng);
    EnvStep step = env_step(&env, obs, act);
    EnvStep full_step = env_step(&full, full_obs, act);
    assert_true(same(obs, full_obs, env.spec.obs_size));
    assert_int_equal(step.terminated, full_step.terminated);
    double expected = full_step.reward + (full_step.terminated ? bonus : 0);
    assert_true(fabs(step.reward - expected) <= 1e-12);
    ends = step.terminated;
  }
  env_close(&env);
  env_close(&full);
}

static void the_papers_tasks_truncate_the_observation_and_keep_the_costs(void** state) {
  (void)state;
  assert_truncated("ant-truncated", "ant-v5", 1);
  assert_truncated("humanoid-truncated", "humanoid-v5", 5);
}

// alive(O) is an observation that must not terminate; each change of one number must.
static void assert_terminates(const char* id, const double* alive, int index, double value,
                              bool expected) {
  Env env;
  open_env(&env, id);
  double obs[MAX_OBS];
  memcpy(obs, alive, sizeof obs);
  assert_false(env.spec.terminated(obs));
  obs[index] = value;
  assert_int_equal(env.spec.terminated(obs), expected);
  env_close(&env);
}

// The release compares obs[1:] < 100 inside the absolute value, so that -101 lives there: not here.
static void termination_functions_hold_at_their_bounds(void** state) {
  (void)state;
  double hopper[MAX_OBS] = {1.25};
  assert_terminates("hopper-v4", hopper, 0, 0.7, true);
  assert_terminates("hopper-v4", hopper, 1, 0.2, true);
  assert_terminates("hopper-v4", hopper, 1, -0.19, false);
  assert_terminates("hopper-v4", hopper, 4, -101, true);
  assert_terminates("hopper-v4", hopper, 8, 101, true);
  assert_terminates("hopper-v4", hopper, 8, NAN, true);
  assert_terminates("hopper-v4", hopper, 0, INFINITY, true);
  double walker[MAX_OBS] = {1.25};
  assert_terminates("walker2d-v5", walker, 0, 0.8, true);
  assert_terminates("walker2d-v5", walker, 0, 2.0, true);
  assert_terminates("walker2d-v5", walker, 1, -1, true);
  assert_terminates("walker2d-v5", walker, 1, 0.99, false);
  double ant[MAX_OBS] = {0.75};
  assert_terminates("ant-truncated", ant, 0, 0.2, false);
  assert_terminates("ant-truncated", ant, 0, 0.19, true);
  assert_terminates("ant-truncated", ant, 0, 1.0, false);
  assert_terminates("ant-truncated", ant, 0, 1.01, true);
  assert_terminates("ant-truncated", ant, 26, NAN, true);
  double humanoid[MAX_OBS] = {1.4};
  assert_terminates("humanoid-truncated", humanoid, 0, 0.99, true);
  assert_terminates("humanoid-truncated", humanoid, 0, 2.01, true);
  assert_terminates("humanoid-truncated", humanoid, 0, 1.99, false);
  double pendulum[MAX_OBS] = {0};
  assert_terminates("inverted-pendulum-v4", pendulum, 1, 0.2, false);
  assert_terminates("inverted-pendulum-v4", pendulum, 1, -0.21, true);
  assert_terminates("inverted-pendulum-v4", pendulum, 3, INFINITY, true);
  double poles[MAX_OBS] = {[3] = 1, [4] = 1};
  assert_terminates("inverted-double-pendulum-v4", poles, 4, 0.67, false);
  assert_terminates("inverted-double-pendulum-v4", poles, 4, 0.66, true);
}

#define MAX_TESTS 512
#define SINGLE_TESTS 5

// One test of `law` for each task.
static int add_for_all(struct CMUnitTest* tests, int count, const char* name,
                       CMUnitTestFunction law) {
  for (int i = 0; i < env_count(); i++) {
#ifndef AUTOMBPO_BULLET
    if (strstr(env_id(i), "-bullet")) {
      continue;
    }
#endif
    char* label = malloc(256);
    snprintf(label, 256, "%s: %s", env_id(i), name);
    tests[count++] = (struct CMUnitTest){label, law, NULL, NULL, (void*)(uintptr_t)env_id(i)};
  }
  return count;
}

#define FOR_ALL(law) count = add_for_all(tests, count, #law, law)

int main(void) {
  static struct CMUnitTest tests[MAX_TESTS] = {
      cmocka_unit_test(the_papers_tasks_truncate_the_observation_and_keep_the_costs),
      cmocka_unit_test(a_simulation_that_blows_up_diverges),
      cmocka_unit_test(state_of_another_engine_or_task_is_refused),
      cmocka_unit_test(bad_input_is_an_error_that_names_it),
      cmocka_unit_test(termination_functions_hold_at_their_bounds),
  };
  int count = SINGLE_TESTS;
  FOR_ALL(saved_episodes_continue_bit_for_bit);
  FOR_ALL(saved_state_continues_in_an_environment_just_opened);
  FOR_ALL(episodes_depend_on_the_stream_only);
  FOR_ALL(model_and_environment_terminate_alike);
  FOR_ALL(normalized_actions_map_to_the_range_and_are_clipped);
  FOR_ALL(an_action_that_is_not_a_number_diverges);
  int failed = _cmocka_run_group_tests("env", tests, (size_t)count, NULL, NULL);
  for (int i = SINGLE_TESTS; i < count; i++) {
    free((void*)(uintptr_t)tests[i].name);
  }
  arena_free(&arena);
  return failed;
}
