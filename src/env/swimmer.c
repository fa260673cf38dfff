// Three links that swim forward in a plane. It never terminates.
#include "env/tasks.h"

static void remember(MujocoBody* body) { body->before[0] = body->data->qpos[0]; }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 2, 3);
  put(obs, body->data->qvel, 5);
}

static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs;
  double velocity = (body->data->qpos[0] - body->before[0]) / body->dt;
  return (EnvStep){.reward = velocity - 1e-4 * sum_squares(act, 2)};
}

#define TASK \
  .model = "swimmer.xml", .nq = 5, .nv = 5, .nu = 2, .nbody = 4, .obs_size = 8, .frame_skip = 4, \
  .time_limit = 1000, .position_noise = 0.1, .velocity_noise = 0.1, .remember = remember, \
  .observe = observe, .outcome = outcome

const MujocoTask swimmer_v4 = {
    .version = 4,
    .definition = "Gymnasium Swimmer-v4: forward velocity - 0.0001 |act|^2",
    TASK,
};
const MujocoTask swimmer_v5 = {
    .version = 5,
    .definition = "Gymnasium Swimmer-v5: forward velocity - 0.0001 |act|^2",
    TASK,
};
