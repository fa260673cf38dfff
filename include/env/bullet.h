// bullet.h - the shared body of the Bullet tasks (pybullet_envs' locomotion tasks).
//
// A robot made of links runs towards a point 1 km ahead. A task is a table of constants and two
// small functions; loading, resetting, stepping, observing, saving and restoring are here. The
// arithmetic follows pybullet_envs to the last bit: float32 in observations, partly in rewards.
//
// Two differences, for the sake of episodes that depend on nothing but their start:
// - PyBullet leaves the floor out of the mean place of the parts until the first reset of a process
//   is over, which changes one reward; here the floor counts in every episode.
// - PyBullet's resets keep the points of contact of the episode before, some of which (about one
//   episode in a thousand) last into the next and change it. env_reset forgets them; env_set_state
//   keeps them, so that replayed recordings are equal in every row.
//
// Saved are joints and contacts: nothing else lasts from step to step.
#ifndef ENV_BULLET_H
#define ENV_BULLET_H

#include "env/env.h"

#define BULLET_MAX_FEET 6
#define BULLET_MAX_DRIVES 6

// What a step was like, for its reward.
typedef struct {
  const double* obs;     // (O)
  const float* act;      // (A)
  const float* joints;   // (2 A) place between the limits (-1 ... 1) and speed / 10, for each joint
  int act_size;          // A
  const float* contact;  // (feet) 1 = touched the floor after the step before
  double height;         // m, of the torso
  double pitch;          // rad, of the torso
  double progress;       // approach to the target, m, per step_seconds
} BulletMotion;

typedef struct {
  const char* joint;
  double torque;  // N m per unit of action
} BulletDrive;

typedef struct {
  const char* model;       // MJCF file, relative to the assets directory
  const char* definition;  // for EnvSpec
  int obs_size;
  int drive_count;
  BulletDrive drives[BULLET_MAX_DRIVES];  // in the order of the model's joints
  int foot_count;
  const char* feet[BULLET_MAX_FEET];      // bodies whose contact with the floor is observed
  bool (*alive)(const BulletMotion*);
  double (*reward)(const BulletMotion*, bool alive);
  bool ends;                              // the episode ends when the robot is not alive
  EnvTermination terminated;              // model-side; NULL = never
} BulletTask;

// EnvOpen of every Bullet task; `task` is a BulletTask.
bool bullet_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error);

// PyBullet's reward: +-1 for being alive, progress, cost of power and torque, cost of joints at
// their limits.
double bullet_reward(const BulletMotion* motion, bool alive);

// What the paper's release has instead of all but the first term: 1.5 velocity - 0.001 |act|^2.
double bullet_reward_paper(const BulletMotion* motion);

// Whether an upright robot with this height (m) and pitch (rad) of its torso is alive.
bool bullet_upright(double height, double pitch);

// The same from an observation (of size 15 or 22) alone: Hopper and Walker2D.
bool bullet_fallen(const double* obs, int obs_size);

#endif  // ENV_BULLET_H
