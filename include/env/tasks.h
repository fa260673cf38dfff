// tasks.h - every built-in task, for the table of ids in env.c.
#ifndef ENV_TASKS_H
#define ENV_TASKS_H

#include "env/bullet.h"
#include "env/mujoco.h"

bool pendulum_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error);

extern const MujocoTask inverted_pendulum_v4, inverted_pendulum_v5;
extern const MujocoTask inverted_double_pendulum_v4, inverted_double_pendulum_v5;
extern const MujocoTask hopper_v4, hopper_v5;
extern const MujocoTask walker2d_v4, walker2d_v5;
extern const MujocoTask half_cheetah_v4, half_cheetah_v5;
extern const MujocoTask swimmer_v4, swimmer_v5;
extern const MujocoTask ant_v4, ant_v5, ant_truncated;
extern const MujocoTask humanoid_v4, humanoid_v5, humanoid_truncated;
extern const MujocoTask humanoid_standup_v4, humanoid_standup_v5;
extern const MujocoTask reacher_v4, reacher_v5;
extern const MujocoTask pusher_v4, pusher_v5;

extern const BulletTask hopper_bullet, hopper_bullet_paper;
extern const BulletTask walker2d_bullet, walker2d_bullet_paper;
extern const BulletTask half_cheetah_bullet, half_cheetah_bullet_paper;

#endif  // ENV_TASKS_H
