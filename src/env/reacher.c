// A two-joint arm in a plane reaches for a target. It never terminates.
#include <math.h>

#include "env/tasks.h"

enum { FINGERTIP, TARGET };

static double distance(const MujocoBody* body) {
  return body_distance(body, body->body[FINGERTIP], body->body[TARGET]);
}

// The target is uniform in a disc of 0.2 m and does not move.
static void place(const MujocoBody* body, double* position, double* velocity, Rng* rng) {
  (void)body;
  do {
    position[2] = rng_range(rng, -0.2, 0.2);
    position[3] = rng_range(rng, -0.2, 0.2);
  } while (!(sqrt(position[2] * position[2] + position[3] * position[3]) < 0.2));
  velocity[2] = velocity[3] = 0;
}

static void remember(MujocoBody* body) { body->before[0] = distance(body); }

static void observe(double* obs, const MujocoBody* body) {
  const mjData* d = body->data;
  for (int i = 0; i < 2; i++) {
    obs[i] = cos(d->qpos[i]);
    obs[2 + i] = sin(d->qpos[i]);
  }
  obs = put(obs + 4, d->qpos + 2, 2);
  obs = put(obs, d->qvel, 2);
  const double* fingertip = d->xpos + 3 * body->body[FINGERTIP];
  const double* target = d->xpos + 3 * body->body[TARGET];
  for (int i = 0; i < (body->task->version >= 5 ? 2 : 3); i++) {
    obs[i] = fingertip[i] - target[i];
  }
}

// v4 measures the distance before the step.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs;
  double away = body->task->version >= 5 ? distance(body) : body->before[0];
  return (EnvStep){.reward = -away - sum_squares(act, 2)};
}

#define TASK \
  .model = "reacher.xml", .nq = 4, .nv = 4, .nu = 2, .nbody = 5, .frame_skip = 2, \
  .time_limit = 50, .position_noise = 0.1, .velocity_noise = 5e-3, \
  .bodies = {"fingertip", "target"}, .place = place, .remember = remember, .observe = observe, \
  .outcome = outcome

const MujocoTask reacher_v4 = {
    .version = 4,
    .definition = "Gymnasium Reacher-v4: -(distance before the step) - |act|^2",
    .obs_size = 11,
    TASK,
};
const MujocoTask reacher_v5 = {
    .version = 5,
    .definition = "Gymnasium Reacher-v5: -(distance after the step) - |act|^2",
    .obs_size = 10,
    TASK,
};
