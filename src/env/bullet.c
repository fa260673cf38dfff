// bullet.c - what pybullet_envs does around its physics, number by number.
//
// A BulletBody holds the robot's model, its world (bullet_shim.cpp, the only C++) and what was
// measured last. A step pushes the driven joints, advances the world, reads it back (measure,
// observe) and rewards the progress towards the target. Feet report the contact of the step before,
// as the original does, which is why `touch` comes last.
//
// The order of operations is PyBullet's own, even where it looks odd: the mean place of the parts
// is summed in PyBullet's order of links, and observations and efforts pass through float32. That
// decides about last bits, and recordings of the reference are replayed here bit for bit.
//
// A world that went wrong (not finite) is not mended: it is thrown away, and built anew at the next
// start.
#include "env/bullet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "env/bullet_model.h"
#include "env/env_files.h"
#include "env/mujoco.h"

#define TIME_LIMIT 1000
#define STEP_SECONDS 0.0165
#define START_NOISE 0.1     // rad: joints start at U(+-0.1)
#define START_HEIGHT 1.25   // m, of the torsos of Hopper and Walker2D at rest
#define TARGET 1e3          // m, place of the target on the x axis
#define OBS_LIMIT 5
#define OBS_BODY 8          // numbers that describe the whole body; those of the joints follow

typedef struct {
  const BulletTask* task;
  BulletModel model;
  BulletWorld* world;
  int torso;                        // link
  int drive[BULLET_MAX_DRIVES];     // links of the driven joints
  int foot[BULLET_MAX_FEET];        // links
  bool broken;                      // a non-finite state: the world is built anew at the next start
  BulletPose pose;                  // what was read last
  float joints[2 * BULLET_MAX_DRIVES];
  float contact[BULLET_MAX_FEET];   // of the last step
  double start_height;              // m, of the torso
  double pitch;                     // rad, of the torso
  double target_distance;           // m
} BulletBody;

static BulletBody* body_of(const Env* env) { return env->body; }

static float clip_float(float x, float limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

// Roll, pitch and yaw of a quaternion (x, y, z, w), as PyBullet's getEulerFromQuaternion.
static void euler_angles(double* angles, const double* q) {
  double x = q[0], y = q[1], z = q[2], w = q[3];
  double sine = -2 * (x * z - w * y);
  if (fabs(sine) >= 0.99999) {
    angles[0] = 0;
    angles[1] = copysign(0.5 * M_PI, sine);
    angles[2] = sine < 0 ? 2 * atan2(x, -y) : 2 * atan2(-x, y);
    return;
  }
  angles[0] = atan2(2 * (y * z + w * x), w * w - x * x - y * y + z * z);
  angles[1] = asin(sine);
  angles[2] = atan2(2 * (x * y + w * z), w * w + x * x - y * y - z * z);
}

// Mean of one coordinate over all links and the floor, which lies at 0, in every episode
// (docs/algorithms.md, D10). PyBullet lists the torso second, the floor last; the order decides
// about the last bit.
static double mean_place(const BulletBody* body, int coordinate) {
  double places[BULLET_MAX_LINKS + 1];
  int n = 0;
  places[n++] = body->pose.center[0][coordinate];
  places[n++] = body->pose.center[body->torso][coordinate];
  for (int i = 1; i < body->model.link_count; i++) {
    if (i != body->torso) {
      places[n++] = body->pose.center[i][coordinate];
    }
  }
  places[n++] = 0;
  return sum_pairwise(places, n) / n;
}

static void measure_joints(BulletBody* body) {
  for (int a = 0; a < body->task->drive_count; a++) {
    int i = body->drive[a];
    const BulletLink* link = &body->model.links[i];
    double middle = 0.5 * (link->lower + link->upper);
    double place = 2 * (body->pose.position[i] - middle) / (link->upper - link->lower);
    body->joints[2 * a] = (float)place;
    body->joints[2 * a + 1] = (float)(0.1 * body->pose.speed[i]);
  }
}

// Reads the world. Returns the direction of the target, seen from the torso, rad.
// angles (3) and velocity (3): of the torso.
static double measure(BulletBody* body, double* angles, double* velocity) {
  double orientation[4];
  bullet_world_read(body->world, &body->pose);
  bullet_world_motion(body->world, body->torso, orientation, velocity);
  euler_angles(angles, orientation);
  measure_joints(body);
  double ahead = TARGET - mean_place(body, 0);
  double aside = 0 - mean_place(body, 1);
  body->pitch = angles[1];
  body->target_distance = sqrt(aside * aside + ahead * ahead);
  return atan2(aside, ahead) - angles[2];
}

static double torso_height(const BulletBody* body) { return body->pose.center[body->torso][2]; }

// Reads the world and writes the observation, with the contacts of the step before.
static void observe(BulletBody* body, double* obs, bool start) {
  const BulletTask* task = body->task;
  double angles[3], v[3];
  double direction = measure(body, angles, v);
  if (start) {
    body->start_height = torso_height(body);
  }
  double cosine = cos(-angles[2]);
  double sine = sin(-angles[2]);
  const double whole[OBS_BODY] = {
      torso_height(body) - body->start_height,
      sin(direction),
      cos(direction),
      0.3 * (cosine * v[0] - sine * v[1]),
      0.3 * (sine * v[0] + cosine * v[1]),
      0.3 * v[2],
      angles[0],
      angles[1],
  };
  for (int i = 0; i < OBS_BODY; i++) {
    *obs++ = clip_float((float)whole[i], OBS_LIMIT);
  }
  for (int i = 0; i < 2 * task->drive_count; i++) {
    *obs++ = clip_float(body->joints[i], OBS_LIMIT);
  }
  for (int i = 0; i < task->foot_count; i++) {
    *obs++ = body->contact[i];
  }
}

static void touch(BulletBody* body) {
  for (int i = 0; i < body->task->foot_count; i++) {
    body->contact[i] = body->pose.on_floor[body->foot[i]] ? 1 : 0;
  }
}

// Puts the joints (links) at position and speed, in a sound world.
static void place(BulletBody* body, const double* position, const double* speed) {
  if (body->broken) {
    bullet_world_close(body->world);
    body->world = bullet_world_open(&body->model);
    body->broken = false;
  }
  bullet_world_place(body->world, position, speed);
}

// Actions are float32, as those of the reference's action space.
static void bullet_advance(Env* env, const double* act) {
  BulletBody* body = body_of(env);
  const BulletTask* task = body->task;
  for (int a = 0; a < task->drive_count; a++) {
    double share = clip_float((float)act[a], 1);
    bullet_world_push(body->world, body->drive[a], task->drives[a].torque * share);
  }
  bullet_world_step(body->world);
}

static void bullet_set_state(Env* env, double* obs, const double* position,
                             const double* velocity) {
  (void)velocity;
  BulletBody* body = body_of(env);
  double joints[BULLET_MAX_LINKS] = {0};
  const double rest[BULLET_MAX_LINKS] = {0};
  for (int a = 0; a < body->task->drive_count; a++) {
    joints[body->drive[a]] = position[a];
  }
  place(body, joints, rest);
  memset(body->contact, 0, sizeof body->contact);
  observe(body, obs, true);
}

// Forgets the contacts of the episode before: an episode depends on its stream only
// (docs/algorithms.md, D10).
static void bullet_reset(Env* env, double* obs, Rng* rng) {
  BulletBody* body = body_of(env);
  const BulletContacts none = {0};
  double position[BULLET_MAX_DRIVES];
  for (int a = 0; a < body->task->drive_count; a++) {
    position[a] = rng_range(rng, -START_NOISE, START_NOISE);
  }
  bullet_set_state(env, obs, position, NULL);
  bullet_world_set_contacts(body->world, &none);
}

static EnvStep bullet_step(Env* env, double* obs, const double* act) {
  BulletBody* body = body_of(env);
  const BulletTask* task = body->task;
  double old_potential = -body->target_distance / STEP_SECONDS;
  float own[BULLET_MAX_DRIVES];
  bullet_advance(env, act);
  observe(body, obs, false);
  for (int a = 0; a < task->drive_count; a++) {
    own[a] = (float)act[a];
  }
  BulletMotion motion = {
      .obs = obs,
      .act = own,
      .joints = body->joints,
      .act_size = task->drive_count,
      .contact = body->contact,
      .height = obs[0] + body->start_height,
      .pitch = body->pitch,
      .progress = -body->target_distance / STEP_SECONDS - old_potential,
  };
  bool alive = task->alive(&motion);
  body->broken = !all_finite(obs, task->obs_size);
  EnvStep step = {
      .reward = task->reward(&motion, alive),
      .terminated = (task->ends && !alive) || body->broken,
      .diverged = body->broken,
  };
  touch(body);
  return step;
}

static void visit_contacts(BulletContacts* contacts, Archive* archive) {
  int64_t count = contacts->count;
  archive_i64(archive, "contact_count", &count, 1);
  if (!archive->failed && (count < 0 || count > BULLET_MAX_CONTACTS)) {
    archive_fail(archive, "%lld contacts; at most %d are possible", (long long)count,
                 BULLET_MAX_CONTACTS);
  }
  if (archive->failed) {
    return;
  }
  contacts->count = (int)count;
  archive_i32(archive, "contact_pairs", contacts->pair, (size_t)count);
  archive_f64(archive, "contacts", contacts->numbers[0], (size_t)count * BULLET_CONTACT_SIZE);
}

// Joints alone are not enough: Bullet starts each step from the contacts of the last.
static void bullet_visit(Env* env, Archive* archive) {
  BulletBody* body = body_of(env);
  size_t links = (size_t)body->model.link_count;
  BulletContacts contacts;
  BulletPose pose = {0};
  bullet_world_read(body->world, &pose);
  bullet_world_get_contacts(body->world, &contacts);
  bool broken = body->broken;
  archive_f64(archive, "position", pose.position, links);
  archive_f64(archive, "speed", pose.speed, links);
  archive_array(archive, "foot_contact", body->contact, ARCHIVE_F32,
                (size_t)body->task->foot_count);
  archive_f64(archive, "start_height", &body->start_height, 1);
  archive_f64(archive, "target_distance", &body->target_distance, 1);
  archive_bool(archive, "broken", &broken);
  visit_contacts(&contacts, archive);
  if (archive->mode == ARCHIVE_LOAD && !archive->failed) {
    if (!broken) {
      place(body, pose.position, pose.speed);
      bullet_world_set_contacts(body->world, &contacts);
    }
    body->pose = pose;
    body->broken = broken;
  }
}

static void bullet_close(Env* env) { bullet_world_close(body_of(env)->world); }

static int bullet_position_size(const Env* env) { return body_of(env)->task->drive_count; }

static int bullet_velocity_size(const Env* env) {
  (void)env;
  return 0;
}

// MuJoCo numbers the joints of the same file in the same order.
static void bullet_pose(const Env* env, double* qpos, double* qvel) {
  const BulletBody* body = body_of(env);
  for (int i = 0; i < body->model.link_count; i++) {
    if (body->model.links[i].joint != BULLET_FIXED) {
      *qpos++ = body->pose.position[i];
      *qvel++ = body->pose.speed[i];
    }
  }
}

static const EnvOps BULLET_OPS = {
    .reset = bullet_reset,
    .step = bullet_step,
    .visit = bullet_visit,
    .close = bullet_close,
    .set_state = bullet_set_state,
    .position_size = bullet_position_size,
    .velocity_size = bullet_velocity_size,
    .advance = bullet_advance,
    .pose = bullet_pose,
};

// Finds the links that the task names.
static bool find_links(BulletBody* body, Error* error) {
  const BulletTask* task = body->task;
  body->torso = bullet_model_body(&body->model, "torso");
  if (body->torso < 1) {
    return error_set(error, "the model has no body 'torso'");
  }
  for (int i = 0; i < task->foot_count; i++) {
    body->foot[i] = bullet_model_body(&body->model, task->feet[i]);
    if (body->foot[i] < 0) {
      return error_set(error, "the model has no body '%s'", task->feet[i]);
    }
  }
  for (int a = 0; a < task->drive_count; a++) {
    body->drive[a] = bullet_model_joint(&body->model, task->drives[a].joint);
    if (body->drive[a] < 0 || !body->model.links[body->drive[a]].limited) {
      return error_set(error, "the model has no limited joint '%s'", task->drives[a].joint);
    }
  }
  return true;
}

static void fill_spec(EnvSpec* spec, const BulletBody* body) {
  const BulletTask* task = body->task;
  bullet_engine(spec->engine, sizeof spec->engine);
  spec->obs_size = task->obs_size;
  spec->act_size = task->drive_count;
  spec->time_limit = TIME_LIMIT;
  spec->step_seconds = STEP_SECONDS;
  spec->definition = task->definition;
  spec->terminated = task->terminated;
  for (int i = 0; i < body->model.link_count; i++) {
    spec->model_nq += body->model.links[i].joint != BULLET_FIXED;
  }
  spec->model_nv = spec->model_nq;
  for (int a = 0; a < task->drive_count; a++) {
    spec->act_low[a] = -1;
    spec->act_high[a] = 1;
  }
}

bool bullet_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error) {
  BulletBody* body = ARENA_NEW(arena, 1, BulletBody);
  body->task = task;
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", assets, body->task->model);
  if (length >= (int)sizeof path) {
    return error_set(error, "path of the assets is longer than %zu bytes", sizeof path);
  }
  if (!bullet_model_read(&body->model, path, error) ||
      !env_note_file(&env->spec, path, error)) {
    return false;
  }
  if (!find_links(body, error)) {
    return error_add(error, "%s", path);
  }
  body->world = bullet_world_open(&body->model);
  if (!body->world) {
    return error_set(error, "this build has no Bullet (it was made without bullet-float64)");
  }
  fill_spec(&env->spec, body);
  env->spec.model = arena_string(arena, path);
  env->ops = &BULLET_OPS;
  env->body = body;
  return true;
}

// Means of the absolute power and of the squared torque, in float32.
static double effort_cost(const BulletMotion* motion) {
  float power = 0;
  float torque = 0;
  for (int a = 0; a < motion->act_size; a++) {
    power += fabsf(motion->act[a] * motion->joints[2 * a + 1]);
    torque += motion->act[a] * motion->act[a];
  }
  double cost = -2.0 * (double)(power / (float)motion->act_size);
  return cost + -0.1 * (double)(torque / (float)motion->act_size);
}

double bullet_reward(const BulletMotion* motion, bool alive) {
  int at_limit = 0;
  for (int a = 0; a < motion->act_size; a++) {
    at_limit += fabsf(motion->joints[2 * a]) > 0.99f;
  }
  double reward = alive ? 1 : -1;
  reward += motion->progress;
  reward += effort_cost(motion);
  return reward + -0.1 * at_limit;
}

double bullet_reward_paper(const BulletMotion* motion) {
  double squares = 0;
  for (int a = 0; a < motion->act_size; a++) {
    squares += (double)motion->act[a] * (double)motion->act[a];
  }
  return 5 * motion->obs[3] - 0.001 * squares;  // obs[3] is 0.3 velocity
}

bool bullet_upright(double height, double pitch) { return height > 0.8 && fabs(pitch) < 1.0; }

bool bullet_fallen(const double* obs, int obs_size) {
  return !bullet_upright(obs[0] + START_HEIGHT, obs[7]) || !all_finite(obs, obs_size);
}
