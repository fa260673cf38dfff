// Takes the place of bullet_shim.cpp in a build without Bullet.
#include "env/bullet_shim.h"

#ifndef AUTOMBPO_BULLET

#include <stdio.h>

#include "base/error.h"

#define NEVER CHECK(false, "no Bullet in this build")

void bullet_engine(char* text, size_t size) { snprintf(text, size, "none"); }

BulletWorld* bullet_world_open(const BulletModel* model) {
  (void)model;
  return NULL;
}

void bullet_world_close(BulletWorld* world) {
  (void)world;
  NEVER;
}

void bullet_world_place(BulletWorld* world, const double* position, const double* speed) {
  (void)world, (void)position, (void)speed;
  NEVER;
}

void bullet_world_get_contacts(const BulletWorld* world, BulletContacts* contacts) {
  (void)world, (void)contacts;
  NEVER;
}

void bullet_world_set_contacts(BulletWorld* world, const BulletContacts* contacts) {
  (void)world, (void)contacts;
  NEVER;
}

void bullet_world_push(BulletWorld* world, int link, double torque) {
  (void)world, (void)link, (void)torque;
  NEVER;
}

void bullet_world_step(BulletWorld* world) {
  (void)world;
  NEVER;
}

void bullet_world_read(const BulletWorld* world, BulletPose* pose) {
  (void)world, (void)pose;
  NEVER;
}

void bullet_world_motion(const BulletWorld* world, int link, double* orientation,
                         double* velocity) {
  (void)world, (void)link, (void)orientation, (void)velocity;
  NEVER;
}

#endif  // AUTOMBPO_BULLET
