// Two poles on a cart: keep the tip of the upper one above 1 m.
#include <math.h>

#include "env/tasks.h"

#define POLE 0.6  // m, length of each pole

// obs: cart position, sine and then cosine of the two hinges, velocities, constraint forces. The
// tip is where these angles put it; the environment tests the tip as the last Runge-Kutta stage
// left it (docs/algorithms.md, D8).
static bool terminated(const double* obs) {
  double first = obs[3];
  double both = obs[3] * obs[4] - obs[1] * obs[2];
  return !(POLE * (first + both) > 1);
}

// v5 leaves out the constraint forces of the hinges.
static void observe(double* obs, const MujocoBody* body) {
  const mjData* d = body->data;
  obs[0] = d->qpos[0];
  for (int i = 1; i <= 2; i++) {
    obs[i] = sin(d->qpos[i]);
    obs[2 + i] = cos(d->qpos[i]);
  }
  obs = put_clipped(obs + 5, d->qvel, 3, 10);
  put_clipped(obs, d->qfrc_constraint, body->task->version >= 5 ? 1 : 3, 10);
}

// v4 pays the bonus for the last step as well.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs, (void)act;
  const mjData* d = body->data;
  double x = d->site_xpos[0];
  double height = d->site_xpos[2];
  double speed1 = d->qvel[1];
  double speed2 = d->qvel[2];
  bool end = height <= 1;
  double bonus = end && body->task->version >= 5 ? 0 : 10;
  double distance_cost = 0.01 * (x * x) + (height - 2) * (height - 2);
  double speed_cost = 1e-3 * (speed1 * speed1) + 5e-3 * (speed2 * speed2);
  return (EnvStep){.reward = bonus - distance_cost - speed_cost, .terminated = end};
}

#define TASK \
  .model = "inverted_double_pendulum.xml", .nq = 3, .nv = 3, .nu = 1, .nbody = 4, \
  .frame_skip = 5, .time_limit = 1000, .position_noise = 0.1, .velocity_noise = 0.1, \
  .velocity_normal = true, .observe = observe, .outcome = outcome, .terminated = terminated

const MujocoTask inverted_double_pendulum_v4 = {
    .version = 4,
    .definition = "Gymnasium InvertedDoublePendulum-v4: 10 - 0.01 x^2 - (height - 2)^2"
                  " - 0.001 speed1^2 - 0.005 speed2^2",
    .obs_size = 11,
    TASK,
};
const MujocoTask inverted_double_pendulum_v5 = {
    .version = 5,
    .definition = "Gymnasium InvertedDoublePendulum-v5: 10 while healthy - 0.01 x^2"
                  " - (height - 2)^2 - 0.001 speed1^2 - 0.005 speed2^2",
    .obs_size = 9,
    TASK,
};
