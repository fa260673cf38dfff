// A one-legged robot that hops forward in the x-z plane.
#include <math.h>

#include "env/tasks.h"

// position (5): height, pitch and three joints; velocity (6) of x and the same. The model sees
// velocities clipped to 10, and then their bound of 100 cannot be broken (docs/algorithms.md, D6).
static bool healthy(const double* position, const double* velocity) {
  return all_within(position, 1, 0.7, INFINITY) &&
         all_within(position + 1, 1, -0.2, 0.2) && all_within(position + 1, 4, -100, 100) &&
         all_within(velocity, 6, -100, 100);
}

static bool terminated(const double* obs) { return !healthy(obs, obs + 5); }

static void remember(MujocoBody* body) { body->before[0] = body->data->qpos[0]; }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 1, 5);
  put_clipped(obs, body->data->qvel, 6, 10);
}

// v4 pays the bonus for the last step as well.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs;
  bool alive = healthy(body->data->qpos + 1, body->data->qvel);
  double velocity = (body->data->qpos[0] - body->before[0]) / body->dt;
  double bonus = alive || body->task->version < 5 ? 1 : 0;
  double reward = velocity + bonus - 1e-3 * sum_squares(act, 3);
  return (EnvStep){.reward = reward, .terminated = !alive};
}

#define TASK \
  .model = "hopper.xml", .nq = 6, .nv = 6, .nu = 3, .nbody = 5, .obs_size = 11, .frame_skip = 4, \
  .time_limit = 1000, .position_noise = 5e-3, .velocity_noise = 5e-3, .remember = remember, \
  .observe = observe, .outcome = outcome, .terminated = terminated

const MujocoTask hopper_v4 = {
    .version = 4,
    .definition = "Gymnasium Hopper-v4: forward velocity + 1 - 0.001 |act|^2",
    TASK,
};
const MujocoTask hopper_v5 = {
    .version = 5,
    .definition = "Gymnasium Hopper-v5: forward velocity + 1 while healthy - 0.001 |act|^2",
    TASK,
};
