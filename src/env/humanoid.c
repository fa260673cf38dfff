// humanoid.c - a humanoid: walk in the +x direction (humanoid), or stand up (humanoid-standup).
//
// Five tasks of one body differ in a table each: what is observed (positions and velocities, or
// also inertias, velocities and forces of all bodies), what the reward costs, and when an episode
// ends. humanoid-truncated is the paper's task: joint positions and velocities only are observed;
// the reward has the contact cost of the authors' environment and, as v4, the bonus on the last
// step.
//
// The centre of mass is taken from xipos as the last Runge-Kutta stage left it, which is not quite
// where the bodies are after the step: Gymnasium reads it there, and so its rewards are what is
// earned here.
#include <math.h>

#include "env/tasks.h"

#define POSITIONS 24
#define VELOCITIES 23
#define ACTUATORS 17
#define BODIES 14
#define STATE_OBS (POSITIONS - 2 + VELOCITIES)
#define ROOT 6  // velocities of the free joint, which no actuator moves
#define FORCES (6 * BODIES)

// cinert (10), cvel (6) and cfrc_ext (6) a body, qfrc_actuator a velocity.
#define OBS_V4 (STATE_OBS + 22 * BODIES + VELOCITIES)
#define OBS_V5 (STATE_OBS + 22 * (BODIES - 1) + VELOCITIES - ROOT)

// docs/algorithms.md, D7.
static bool terminated(const double* obs) { return !(1.0 < obs[0] && obs[0] < 2.0); }

// x of the centre of mass, from what the last Runge-Kutta stage left.
static double mass_center_x(const MujocoBody* body) {
  const mjModel* m = body->model;
  double moment = 0;
  for (int i = 0; i < BODIES; i++) {
    moment += m->body_mass[i] * body->data->xipos[3 * i];
  }
  return moment / sum_pairwise(m->body_mass, BODIES);
}

static void remember(MujocoBody* body) { body->before[0] = mass_center_x(body); }

static void observe_state(double* obs, const MujocoBody* body) {
  obs = put(obs, body->data->qpos + 2, POSITIONS - 2);
  put(obs, body->data->qvel, VELOCITIES);
}

// v5 leaves out the world's rows and the free joint's actuator forces, which are always 0.
static void observe(double* obs, const MujocoBody* body) {
  const mjData* d = body->data;
  int first = body->task->version >= 5 ? 1 : 0;
  int bodies = BODIES - first;
  observe_state(obs, body);
  obs = put(obs + STATE_OBS, d->cinert + 10 * first, 10 * bodies);
  obs = put(obs, d->cvel + 6 * first, 6 * bodies);
  obs = put(obs, d->qfrc_actuator + ROOT * first, VELOCITIES - ROOT * first);
  put(obs, d->cfrc_ext + 6 * first, 6 * bodies);
}

static double contact_cost(const MujocoBody* body) {
  return fmin(5e-7 * sum_squares(body->data->cfrc_ext, FORCES), 10);
}

// v4 has no contact cost. v4 and the paper pay the bonus for the last step as well
// (docs/algorithms.md, D9).
static EnvStep outcome_walk(const MujocoBody* body, const double* obs, const double* act) {
  bool alive = !terminated(obs);
  bool contact = body->task->version >= 5 || body->task == &humanoid_truncated;
  double velocity = (mass_center_x(body) - body->before[0]) / body->dt;
  double bonus = alive || body->task->version < 5 ? 5 : 0;
  double cost = 0.1 * sum_squares(act, ACTUATORS);
  if (contact) {
    cost += contact_cost(body);
  }
  return (EnvStep){.reward = 1.25 * velocity + bonus - cost, .terminated = !alive};
}

// Height over the time of one simulation step, minus costs, plus 1.
static EnvStep outcome_standup(const MujocoBody* body, const double* obs, const double* act) {
  double upward = obs[0] / body->model->opt.timestep;
  double control = 0.1 * sum_squares(act, ACTUATORS);
  return (EnvStep){.reward = upward - control - contact_cost(body) + 1};
}

#define SIZES \
  .nq = POSITIONS, .nv = VELOCITIES, .nu = ACTUATORS, .nbody = BODIES, .frame_skip = 5, \
  .time_limit = 1000, .position_noise = 0.01, .velocity_noise = 0.01, .contact_forces = true
#define WALK \
  SIZES, .model = "humanoid.xml", .remember = remember, .outcome = outcome_walk, \
  .terminated = terminated
#define STANDUP \
  SIZES, .model = "humanoid_standup.xml", .observe = observe, .outcome = outcome_standup

const MujocoTask humanoid_v4 = {
    .version = 4,
    .definition = "Gymnasium Humanoid-v4: 1.25 forward velocity + 5 - 0.1 |act|^2",
    .obs_size = OBS_V4,
    .observe = observe,
    WALK,
};
const MujocoTask humanoid_v5 = {
    .version = 5,
    .definition = "Gymnasium Humanoid-v5: 1.25 forward velocity + 5 while healthy - 0.1 |act|^2"
                  " - min(5e-7 |contact forces|^2, 10)",
    .obs_size = OBS_V5,
    .observe = observe,
    WALK,
};
const MujocoTask humanoid_truncated = {
    .version = 4,
    .definition = "Humanoid of the AutoMBPO paper: 1.25 forward velocity + 5 - 0.1 |act|^2"
                  " - min(5e-7 |contact forces|^2, 10); positions and velocities observed",
    .obs_size = STATE_OBS,
    .observe = observe_state,
    WALK,
};
const MujocoTask humanoid_standup_v4 = {
    .version = 4,
    .definition = "Gymnasium HumanoidStandup-v4: height / 0.003 s - 0.1 |act|^2"
                  " - min(5e-7 |contact forces|^2, 10) + 1",
    .obs_size = OBS_V4,
    STANDUP,
};
const MujocoTask humanoid_standup_v5 = {
    .version = 5,
    .definition = "Gymnasium HumanoidStandup-v5: height / 0.003 s - 0.1 |act|^2"
                  " - min(5e-7 |contact forces|^2, 10) + 1",
    .obs_size = OBS_V5,
    STANDUP,
};
