// A four-legged robot that walks in the +x direction.
//
// ant-truncated is the paper's task: the physics and bonus of v4, no contact forces in the
// observation, but their cost in the reward, as in the authors' environment.
#include <math.h>

#include "env/tasks.h"

#define POSITIONS 15
#define VELOCITIES 14
#define BODIES 14
#define STATE_OBS (POSITIONS - 2 + VELOCITIES)  // height, orientation, joints; all velocities
#define FORCES (6 * BODIES)                     // cfrc_ext, the world's row included

static bool terminated(const double* obs) {
  return !(all_finite(obs, STATE_OBS) && 0.2 <= obs[0] && obs[0] <= 1.0);
}

// The torso's x as the last Runge-Kutta stage left it.
static double torso_x(const MujocoBody* body) { return body->data->xpos[3 * body->body[0]]; }

static void remember(MujocoBody* body) { body->before[0] = torso_x(body); }

static void observe(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 2, POSITIONS - 2);
  put(obs, body->data->qvel, VELOCITIES);
}

// v5 adds the contact forces of all bodies but the world.
static void observe_v5(double* obs, const MujocoBody* body) {
  observe(obs, body);
  put_clipped(obs + STATE_OBS, body->data->cfrc_ext + 6, FORCES - 6, 1);
}

// v4 and the paper pay the bonus for the last step as well (docs/algorithms.md, D9).
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  bool alive = !terminated(obs) && all_finite(body->data->qpos, 2);
  double velocity = (torso_x(body) - body->before[0]) / body->dt;
  double bonus = alive || body->task->version < 5 ? 1 : 0;
  double cost = 0.5 * sum_squares(act, 8);
  if (body->task->contact_forces) {
    cost += 5e-4 * sum_squares_clipped(body->data->cfrc_ext, FORCES, 1);
  }
  return (EnvStep){.reward = velocity + bonus - cost, .terminated = !alive};
}

#define TASK \
  .model = "ant.xml", .nq = POSITIONS, .nv = VELOCITIES, .nu = 8, .nbody = BODIES, \
  .frame_skip = 5, .time_limit = 1000, .position_noise = 0.1, .velocity_noise = 0.1, \
  .velocity_normal = true, .bodies = {"torso"}, .remember = remember, .outcome = outcome, \
  .terminated = terminated

const MujocoTask ant_v4 = {
    .version = 4,
    .definition = "Gymnasium Ant-v4: forward velocity + 1 - 0.5 |act|^2",
    .obs_size = STATE_OBS,
    .observe = observe,
    TASK,
};
const MujocoTask ant_v5 = {
    .version = 5,
    .definition = "Gymnasium Ant-v5: forward velocity + 1 while healthy - 0.5 |act|^2"
                  " - 0.0005 |contact forces, clipped to 1|^2",
    .obs_size = STATE_OBS + FORCES - 6,
    .contact_forces = true,
    .observe = observe_v5,
    TASK,
};
const MujocoTask ant_truncated = {
    .version = 4,
    .definition = "Ant of the AutoMBPO paper: forward velocity + 1 - 0.5 |act|^2"
                  " - 0.0005 |contact forces, clipped to 1|^2; contact forces not observed",
    .obs_size = STATE_OBS,
    .contact_forces = true,
    .observe = observe,
    TASK,
};
