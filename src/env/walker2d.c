// A two-legged robot that walks forward in the x-z plane.
#include "env/tasks.h"

// position: height, pitch and the joints.
static bool healthy(const double* position) {
  return all_within(position, 1, 0.8, 2.0) && all_within(position + 1, 1, -1.0, 1.0);
}

static bool terminated(const double* obs) { return !healthy(obs); }

static void remember(MujocoBody* body) { body->before[0] = body->data->qpos[0]; }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 1, 8);
  put_clipped(obs, body->data->qvel, 9, 10);
}

// v4 pays the bonus for the last step as well.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  bool alive = healthy(obs);
  double velocity = (body->data->qpos[0] - body->before[0]) / body->dt;
  double bonus = alive || body->task->version < 5 ? 1 : 0;
  double reward = velocity + bonus - 1e-3 * sum_squares(act, 6);
  return (EnvStep){.reward = reward, .terminated = !alive};
}

#define TASK \
  .nq = 9, .nv = 9, .nu = 6, .nbody = 8, .obs_size = 17, .frame_skip = 4, .time_limit = 1000, \
  .position_noise = 5e-3, .velocity_noise = 5e-3, .remember = remember, .observe = observe, \
  .outcome = outcome, .terminated = terminated

const MujocoTask walker2d_v4 = {
    .model = "walker2d.xml",
    .version = 4,
    .definition = "Gymnasium Walker2d-v4: forward velocity + 1 - 0.001 |act|^2",
    TASK,
};
const MujocoTask walker2d_v5 = {
    .model = "walker2d_v5.xml",
    .version = 5,
    .definition = "Gymnasium Walker2d-v5: forward velocity + 1 while healthy - 0.001 |act|^2",
    TASK,
};
