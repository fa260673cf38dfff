// A task of one's own: swing a pole up on a cart, and do not leave the rail.
#include <autombpo/env_plugin.h>
#include <math.h>
#include <stddef.h>

#define RAIL 2.0         // m, on either side of the middle
#define CONTROL_COST 0.01

// The pole starts hanging down; the noise that was drawn stays.
static void place(const AutombpoState* state, double* qpos, double* qvel, AutombpoRandom random) {
  (void)state;
  (void)qvel;
  (void)random;
  qpos[1] += acos(-1.0);
}

// Position, cosine and sine of the angle, and both velocities: enough to tell the rest from.
static void observe(double* obs, const AutombpoState* state) {
  obs[0] = state->qpos[0];
  obs[1] = cos(state->qpos[1]);
  obs[2] = sin(state->qpos[1]);
  obs[3] = state->qvel[0];
  obs[4] = state->qvel[1];
}

// Height of the tip over the length of the pole, minus a cost of the action. It is told from qpos:
// xpos and site_xpos may lag by a part of a simulation step.
static double reward(const AutombpoState* state, const double* memory, const double* obs,
                     const double* action) {
  (void)memory;
  (void)obs;
  return cos(state->qpos[1]) - CONTROL_COST * action[0] * action[0];
}

static double reward_of(const double* obs, const double* action, const double* next_obs) {
  (void)obs;
  return next_obs[1] - CONTROL_COST * action[0] * action[0];
}

static bool terminated(const double* obs) { return !(fabs(obs[0]) <= RAIL); }

static const AutombpoTask task = {
    .version = AUTOMBPO_PLUGIN_VERSION,
    .name = "swing-up-v1",
    .definition = "height of the tip over the length of the pole - 0.01 action^2",
    .model = "swing_up.xml",
    .obs_size = 5,
    .frame_skip = 2,
    .time_limit = 500,
    .position_noise = 0.05,
    .velocity_noise = 0.05,
    .place = place,
    .observe = observe,
    .reward = reward,
    .terminated = terminated,
    .reward_of = reward_of,
};

const AutombpoTask* autombpo_task(void) { return &task; }
