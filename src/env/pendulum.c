// pendulum.c - Gymnasium's Pendulum-v1 in plain C: swing a rod up and hold it with a weak motor.
//
// The whole state is an angle and a speed, and a step is semi-implicit Euler: the speed first, then
// the angle by the new speed. The order of the arithmetic is Gymnasium's, so that rewards agree to
// the last bit; observations pass through float32, as there.
//
// It is the task of most tests and of quick experiments: its steps cost next to nothing beside
// those of an engine. The MJCF file that the spec names is only for pictures.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "env/tasks.h"

#define TIME_LIMIT 200
#define TIME_STEP 0.05  // s
#define MAX_SPEED 8.0   // rad/s
#define MAX_TORQUE 2.0  // N m
#define GRAVITY 10.0    // m/s^2; mass 1 kg and length 1 m

typedef struct {
  double angle;  // rad, 0 = upright
  double speed;  // rad/s
} Pendulum;

static double clip(double x, double limit) {
  double y = x < -limit ? -limit : x;
  return y > limit ? limit : y;
}

// The angle in [-pi, pi), by the arithmetic of Python's modulo.
static double normalized_angle(double angle) {
  double turn = fmod(angle + M_PI, 2 * M_PI);
  return (turn < 0 ? turn + 2 * M_PI : turn) - M_PI;
}

// Gymnasium hands observations out as float32.
static void observe(double* obs, const Pendulum* state) {
  obs[0] = (float)cos(state->angle);
  obs[1] = (float)sin(state->angle);
  obs[2] = (float)state->speed;
}

static void pendulum_set_state(Env* env, double* obs, const double* position,
                               const double* velocity) {
  Pendulum* state = env->body;
  *state = (Pendulum){position[0], velocity[0]};
  observe(obs, state);
}

static void pendulum_reset(Env* env, double* obs, Rng* rng) {
  double angle = rng_range(rng, -M_PI, M_PI);
  double speed = rng_range(rng, -1, 1);
  pendulum_set_state(env, obs, &angle, &speed);
}

static void pendulum_advance(Env* env, const double* act) {
  Pendulum* state = env->body;
  double torque = clip(act[0], MAX_TORQUE);
  double gain = 3 * GRAVITY / 2 * sin(state->angle) + 3 * torque;
  state->speed = clip(state->speed + gain * TIME_STEP, MAX_SPEED);
  state->angle += state->speed * TIME_STEP;
}

// The reward is of the state before the step.
static EnvStep pendulum_step(Env* env, double* obs, const double* act) {
  Pendulum* state = env->body;
  double torque = clip(act[0], MAX_TORQUE);
  double angle = normalized_angle(state->angle);
  double speed = state->speed;
  double cost = angle * angle + 0.1 * (speed * speed) + 0.001 * (torque * torque);
  pendulum_advance(env, act);
  observe(obs, state);
  return (EnvStep){.reward = -cost, .diverged = !isfinite(state->angle)};
}

static void pendulum_visit(Env* env, Archive* archive) {
  Pendulum* state = env->body;
  archive_f64(archive, "angle", &state->angle, 1);
  archive_f64(archive, "speed", &state->speed, 1);
}

static void pendulum_close(Env* env) { (void)env; }

static int pendulum_size(const Env* env) {
  (void)env;
  return 1;
}

static void pendulum_pose(const Env* env, double* qpos, double* qvel) {
  const Pendulum* state = env->body;
  *qpos = state->angle;
  *qvel = state->speed;
}

static const EnvOps PENDULUM_OPS = {
    .reset = pendulum_reset,
    .step = pendulum_step,
    .visit = pendulum_visit,
    .close = pendulum_close,
    .set_state = pendulum_set_state,
    .position_size = pendulum_size,
    .velocity_size = pendulum_size,
    .advance = pendulum_advance,
    .pose = pendulum_pose,
};

bool pendulum_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error) {
  (void)task, (void)error;
  char* model = arena_alloc(arena, strlen(assets) + sizeof "/pendulum.xml");
  sprintf(model, "%s/pendulum.xml", assets);
  env->spec.model = model;
  env->spec.model_nq = 1;
  env->spec.model_nv = 1;
  env->spec.obs_size = 3;
  env->spec.act_size = 1;
  env->spec.time_limit = TIME_LIMIT;
  env->spec.step_seconds = TIME_STEP;
  env->spec.act_low[0] = -MAX_TORQUE;
  env->spec.act_high[0] = MAX_TORQUE;
  env->spec.definition = "Gymnasium Pendulum-v1: -(angle^2 + 0.1 speed^2 + 0.001 torque^2)";
  snprintf(env->spec.engine, sizeof env->spec.engine, "plain C");
  env->ops = &PENDULUM_OPS;
  env->body = ARENA_NEW(arena, 1, Pendulum);
  return true;
}
