// A one-legged robot that hops forward in the x-z plane, simulated by Bullet.
#include "env/tasks.h"

static bool alive(const BulletMotion* motion) {
  return bullet_upright(motion->height, motion->pitch);
}

static bool terminated(const double* obs) { return bullet_fallen(obs, 15); }

// The last step pays -1 as well.
static double reward_paper(const BulletMotion* motion, bool is_alive) {
  return (is_alive ? 1 : -1) + bullet_reward_paper(motion);
}

#define TASK \
  .model = "hopper_bullet.xml", .obs_size = 15, .drive_count = 3, \
  .drives = {{"thigh_joint", 75}, {"leg_joint", 75}, {"foot_joint", 75}}, \
  .foot_count = 1, .feet = {"foot"}, .alive = alive, .ends = true, .terminated = terminated

const BulletTask hopper_bullet = {
    .definition = "PyBullet HopperBulletEnv-v0: alive (+-1) + progress - power - joints at limits",
    .reward = bullet_reward,
    TASK,
};
const BulletTask hopper_bullet_paper = {
    .definition = "HopperBulletEnv-v0, paper: alive (+-1) + 1.5 forward velocity - 0.001 |act|^2",
    .reward = reward_paper,
    TASK,
};
