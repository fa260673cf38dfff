// Tasks of the user's own: the documented example keeps the promises, the broken one is found out.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/check.h"

#define EXAMPLE "plugin:" PLUGIN_DIR "/swing_up.so"
#define BROKEN "plugin:" PLUGIN_DIR "/broken_plugin.so"

static void the_example_keeps_all_promises(void** state) {
  (void)state;
  EnvCheck check;
  Error error = {0};
  if (!env_check(&check, EXAMPLE, "", 4000, &error)) {
    fail_msg("%s", error.text);
  }
  if (!env_check_passed(&check, &error)) {
    fail_msg("%s", error.text);
  }
  assert_true(check.terminated > 0);
  assert_true(check.reward_difference >= 0);
}

static void the_example_starts_hanging_and_pays_the_height(void** state) {
  (void)state;
  Arena arena = {0};
  Env env;
  Error error = {0};
  if (!env_open(&env, EXAMPLE, "", &arena, &error)) {
    fail_msg("%s", error.text);
  }
  assert_string_equal(env.spec.id, "plugin:swing-up-v1");
  assert_int_equal(env.spec.act_size, 1);
  double obs[5], position[2] = {0, 0}, velocity[2] = {0, 0}, act = 0;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  env_reset(&env, obs, &rng);
  assert_true(obs[1] < -0.99);
  env_set_state(&env, obs, position, velocity);
  EnvStep step = env_step(&env, obs, &act);
  assert_true(step.reward > 0.999 && step.reward <= 1);
  position[0] = 2.1;
  env_set_state(&env, obs, position, velocity);
  assert_true(env_step(&env, obs, &act).terminated);
  env_close(&env);
  arena_free(&arena);
}

// What env_check or opening says of the plugin that breaks one promise.
static void complaint(Error* error, const char* broken) {
  setenv("BROKEN_PLUGIN", broken, 1);
  EnvCheck check;
  *error = (Error){0};
  if (env_check(&check, BROKEN, "", 1500, error)) {
    env_check_passed(&check, error);
  }
}

static void each_broken_promise_is_named(void** state) {
  (void)state;
  static const char* const cases[][2] = {
      {"none", ""},
      {"version", "made for plugin interface 2, this program has 1"},
      {"model", "missing.xml"},
      {"name", "the model has no 'body:wing'"},
      {"range", "actuator 1, 'push', needs an ascending ctrlrange, it has [0, 0]"},
      {"counter", "not deterministic"},
      {"memory", "went on with other numbers"},
      {"nan", "not finite"},
      {"ended", "the model cannot evaluate the termination"},
      {"reward", "the reward differs from its function"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    Error error;
    complaint(&error, cases[i][0]);
    if (!strstr(error.text, cases[i][1]) || (i == 0 && *error.text)) {
      fail_msg("%s: '%s', expected '%s'", cases[i][0], error.text, cases[i][1]);
    }
  }
}

static void a_file_that_is_no_plugin_is_an_error(void** state) {
  (void)state;
  Arena arena = {0};
  Env env;
  Error error = {0};
  assert_false(env_open(&env, "plugin:" PLUGIN_DIR "/nothing.so", "", &arena, &error));
  assert_non_null(strstr(error.text, "nothing.so"));
  assert_false(env_open(&env, "plugin:" PLUGIN_DIR "/swing_up.xml", "", &arena, &error));
  assert_non_null(strstr(error.text, "swing_up.xml"));
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_example_keeps_all_promises),
      cmocka_unit_test(the_example_starts_hanging_and_pays_the_height),
      cmocka_unit_test(each_broken_promise_is_named),
      cmocka_unit_test(a_file_that_is_no_plugin_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
