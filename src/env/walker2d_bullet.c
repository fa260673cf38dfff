// A two-legged robot that walks forward in the x-z plane, simulated by Bullet.
#include "env/tasks.h"

static bool alive(const BulletMotion* motion) {
  return bullet_upright(motion->height, motion->pitch);
}

static bool terminated(const double* obs) { return bullet_fallen(obs, 22); }

// The last step pays -1 as well.
static double reward_paper(const BulletMotion* motion, bool is_alive) {
  return (is_alive ? 1 : -1) + bullet_reward_paper(motion);
}

#define TASK \
  .model = "walker2d_bullet.xml", .obs_size = 22, .drive_count = 6, \
  .drives = {{"thigh_joint", 40}, {"leg_joint", 40}, {"foot_joint", 0.4 * 30}, \
             {"thigh_left_joint", 40}, {"leg_left_joint", 40}, {"foot_left_joint", 0.4 * 30}}, \
  .foot_count = 2, .feet = {"foot", "foot_left"}, .alive = alive, .ends = true, \
  .terminated = terminated

const BulletTask walker2d_bullet = {
    .definition =
        "PyBullet Walker2DBulletEnv-v0: alive (+-1) + progress - power - joints at limits",
    .reward = bullet_reward,
    TASK,
};
const BulletTask walker2d_bullet_paper = {
    .definition = "Walker2DBulletEnv-v0, paper: alive (+-1) + 1.5 forward velocity - 0.001 |act|^2",
    .reward = reward_paper,
    TASK,
};
