// bullet_model.h - reads a robot for Bullet from a MJCF file.
//
// The rules are those of Bullet's own importer, because equal results need equal numbers: every
// number of the file passes through float; the centre of mass of a link is the middle of its last
// geom's `fromto`, else the body's origin; mass is volume times 1000 kg/m3, or that of <inertial>;
// damping, stiffness, armature, actuators and the floor of the file are not read.
#ifndef ENV_BULLET_MODEL_H
#define ENV_BULLET_MODEL_H

#include "base/error.h"
#include "env/bullet_shim.h"

// Reads the first body of the world and all below it.
bool bullet_model_read(BulletModel* model, const char* path, Error* error);

// The link that has a body's mass, or that a joint moves; -1 if there is none.
int bullet_model_body(const BulletModel* model, const char* body);
int bullet_model_joint(const BulletModel* model, const char* joint);

#endif  // ENV_BULLET_MODEL_H
