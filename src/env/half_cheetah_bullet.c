// A two-legged robot that runs forward in the x-z plane, simulated by Bullet. It never terminates.
#include <math.h>

#include "env/tasks.h"

// Neither overturned nor on its knees or thighs.
static bool alive(const BulletMotion* motion) {
  const float* contact = motion->contact;
  return fabs(motion->pitch) < 1.0 && contact[1] == 0 && contact[2] == 0 && contact[4] == 0 &&
         contact[5] == 0;
}

static double reward_paper(const BulletMotion* motion, bool is_alive) {
  (void)is_alive;
  return bullet_reward_paper(motion);
}

#define TASK \
  .model = "half_cheetah_bullet.xml", .obs_size = 26, .drive_count = 6, \
  .drives = {{"bthigh", 0.9 * 120}, {"bshin", 0.9 * 90}, {"bfoot", 0.9 * 60}, \
             {"fthigh", 0.9 * 140}, {"fshin", 0.9 * 60}, {"ffoot", 0.9 * 30}}, \
  .foot_count = 6, .feet = {"ffoot", "fshin", "fthigh", "bfoot", "bshin", "bthigh"}, \
  .alive = alive

const BulletTask half_cheetah_bullet = {
    .definition =
        "PyBullet HalfCheetahBulletEnv-v0: alive (+-1) + progress - power - joints at limits",
    .reward = bullet_reward,
    TASK,
};
const BulletTask half_cheetah_bullet_paper = {
    .definition = "HalfCheetahBulletEnv-v0, paper: 1.5 forward velocity - 0.001 |act|^2",
    .reward = reward_paper,
    TASK,
};
