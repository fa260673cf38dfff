// A seven-joint arm pushes an object to a goal on a table. It never terminates.
#include <math.h>
#include <string.h>

#include "env/tasks.h"

#define JOINTS 7

enum { TIP, OBJECT, GOAL };

static double near(const MujocoBody* body) {
  return body_distance(body, body->body[OBJECT], body->body[TIP]);
}

static double away(const MujocoBody* body) {
  return body_distance(body, body->body[OBJECT], body->body[GOAL]);
}

// The arm starts in its default pose; the object is uniform in a rectangle, not within 0.17 m of
// the goal; object and goal are at rest.
static void place(const MujocoBody* body, double* position, double* velocity, Rng* rng) {
  memcpy(position, body->model->qpos0, sizeof(double) * JOINTS);
  double* object = position + JOINTS;
  do {
    object[0] = rng_range(rng, -0.3, 0);
    object[1] = rng_range(rng, -0.2, 0.2);
  } while (!(sqrt(object[0] * object[0] + object[1] * object[1]) > 0.17));
  object[2] = object[3] = 0;
  memset(velocity + JOINTS, 0, sizeof(double) * 4);
}

static void remember(MujocoBody* body) {
  body->before[0] = near(body);
  body->before[1] = away(body);
}

static void observe(double* obs, const MujocoBody* body) {
  const mjData* d = body->data;
  obs = put(obs, d->qpos, JOINTS);
  obs = put(obs, d->qvel, JOINTS);
  for (int i = 0; i < 3; i++) {
    obs = put(obs, d->xpos + 3 * body->body[i], 3);
  }
}

// v4 measures the distances before the step.
static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  (void)obs;
  bool after = body->task->version >= 5;
  double to_tip = after ? near(body) : body->before[0];
  double to_goal = after ? away(body) : body->before[1];
  return (EnvStep){.reward = -to_goal - 0.1 * sum_squares(act, JOINTS) - 0.5 * to_tip};
}

#define TASK \
  .nq = 11, .nv = 11, .nu = JOINTS, .nbody = 13, .obs_size = 23, .frame_skip = 5, \
  .time_limit = 100, .position_noise = 0, .velocity_noise = 5e-3, \
  .bodies = {"tips_arm", "object", "goal"}, .place = place, .remember = remember, \
  .observe = observe, .outcome = outcome

const MujocoTask pusher_v4 = {
    .model = "pusher.xml",
    .version = 4,
    .definition = "Gymnasium Pusher-v4: -(object to goal) - 0.5 (object to tip), before the step,"
                  " - 0.1 |act|^2",
    TASK,
};
const MujocoTask pusher_v5 = {
    .model = "pusher_v5.xml",
    .version = 5,
    .definition = "Gymnasium Pusher-v5: -(object to goal) - 0.5 (object to tip), after the step,"
                  " - 0.1 |act|^2",
    TASK,
};
