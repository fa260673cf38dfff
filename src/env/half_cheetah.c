// A two-legged robot that runs forward in the x-z plane. It never terminates.
#include "env/tasks.h"

static void remember(MujocoBody* body) { body->before[0] = body->data->qpos[0]; }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 1, 8);
  put(obs, body->data->qvel, 9);
}

static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs;
  double velocity = (body->data->qpos[0] - body->before[0]) / body->dt;
  return (EnvStep){.reward = velocity - 0.1 * sum_squares(act, 6)};
}

#define TASK \
  .model = "half_cheetah.xml", .nq = 9, .nv = 9, .nu = 6, .nbody = 8, .obs_size = 17, \
  .frame_skip = 5, .time_limit = 1000, .position_noise = 0.1, .velocity_noise = 0.1, \
  .velocity_normal = true, .remember = remember, .observe = observe, .outcome = outcome

const MujocoTask half_cheetah_v4 = {
    .version = 4,
    .definition = "Gymnasium HalfCheetah-v4: forward velocity - 0.1 |act|^2",
    TASK,
};
const MujocoTask half_cheetah_v5 = {
    .version = 5,
    .definition = "Gymnasium HalfCheetah-v5: forward velocity - 0.1 |act|^2",
    TASK,
};
