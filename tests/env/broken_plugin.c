// A plugin that breaks every promise that env_check looks for. The environment variable
// BROKEN_PLUGIN says which: version, model, range, name, counter, nan, ended, reward or memory.
#include <autombpo/env_plugin.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int calls;

static bool broken(const char* what) {
  const char* wanted = getenv("BROKEN_PLUGIN");
  return wanted && strcmp(wanted, what) == 0;
}

static void observe(double* obs, const AutombpoState* state) {
  obs[0] = broken("counter") ? (double)calls++ : state->qpos[0];
  obs[1] = broken("nan") && state->time[0] > 0.1 ? NAN : state->qvel[0];
}

static double last_position;

static double reward(const AutombpoState* state, const double* memory, const double* obs,
                     const double* action) {
  (void)memory;
  double change = state->qpos[0] - last_position;
  last_position = state->qpos[0];
  return broken("memory") ? change : obs[0] + action[0];
}

static double reward_of(const double* obs, const double* action, const double* next_obs) {
  (void)obs;
  return next_obs[0] + (broken("reward") ? 0 : action[0]);
}

static bool terminated(const double* obs) { return fabs(obs[0]) > 100; }

static bool ended(const AutombpoState* state, const double* obs) {
  return broken("ended") ? state->time[0] > 0.5 : terminated(obs);
}

const AutombpoTask* autombpo_task(void) {
  static AutombpoTask task = {
      .name = "broken-v1",
      .definition = "nothing",
      .obs_size = 2,
      .frame_skip = 1,
      .time_limit = 100,
      .position_noise = 0.1,
      .velocity_noise = 0.1,
      .observe = observe,
      .reward = reward,
      .terminated = terminated,
      .ended = ended,
  };
  task.version = AUTOMBPO_PLUGIN_VERSION + (broken("version") ? 1 : 0);
  task.model = broken("model")   ? "missing.xml"
               : broken("range") ? "without_range.xml"
                                 : "swing_up.xml";
  task.names[0] = broken("name") ? "body:wing" : "body:pole";
  task.reward_of = broken("memory") ? NULL : reward_of;
  return &task;
}
