// A pole on a cart: keep it within 0.2 rad of upright.
#include <math.h>

#include "env/tasks.h"

// obs: cart position, pole angle, and their velocities.
static bool terminated(const double* obs) { return !(all_finite(obs, 4) && fabs(obs[1]) <= 0.2); }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos, 2);
  put(obs, body->data->qvel, 2);
}

// v4 pays for the last step as well.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)act;
  bool end = terminated(obs);
  double reward = body->task->version >= 5 && end ? 0 : 1;
  return (EnvStep){.reward = reward, .terminated = end};
}

#define TASK \
  .model = "inverted_pendulum.xml", .nq = 2, .nv = 2, .nu = 1, .nbody = 3, .obs_size = 4, \
  .frame_skip = 2, .time_limit = 1000, .position_noise = 0.01, .velocity_noise = 0.01, \
  .observe = observe, .outcome = outcome, .terminated = terminated

const MujocoTask inverted_pendulum_v4 = {
    .version = 4, .definition = "Gymnasium InvertedPendulum-v4: 1 a step", TASK};
const MujocoTask inverted_pendulum_v5 = {
    .version = 5, .definition = "Gymnasium InvertedPendulum-v5: 1 a step, 0 on the last", TASK};
