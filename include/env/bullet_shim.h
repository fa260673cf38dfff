// bullet_shim.h - Bullet's rigid-body world as a few C functions: one robot on an endless floor.
//
// The only door to Bullet; bullet_shim.cpp behind it is the only C++ file. The world, its solver
// and the contacts are set up as PyBullet's server does it: equal torques give equal bits.
// A build without Bullet has bullet_none.c instead, where bullet_world_open returns NULL.
#ifndef ENV_BULLET_SHIM_H
#define ENV_BULLET_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BULLET_MAX_LINKS 32
#define BULLET_MAX_SHAPES 32
#define BULLET_NAME_SIZE 32
#define BULLET_MAX_CONTACTS (4 * BULLET_MAX_SHAPES)
#define BULLET_CONTACT_SIZE 41

typedef enum { BULLET_FIXED, BULLET_SLIDE, BULLET_HINGE } BulletJoint;

typedef enum {
  BULLET_SPHERE,
  BULLET_CAPSULE,         // along z of its own frame
  BULLET_CAPSULE_FROM_TO  // between two points
} BulletShapeKind;

typedef struct {
  BulletShapeKind kind;
  double radius;                // m
  double length;                // m, without the caps
  double from[3], to[3];        // m, of BULLET_CAPSULE_FROM_TO, in the frame of the shape
  double place[3];              // m, of the frame of the shape, from the link's centre of mass
  double turn_axis[3];          // rotation of the frame of the shape
  double turn_angle;            // rad
} BulletShape;

typedef struct {
  char body[BULLET_NAME_SIZE];  // "" for all but the last link of a body
  char name[BULLET_NAME_SIZE];  // of the joint; "" if fixed
  BulletJoint joint;
  int parent;                   // link, or -1 = the immobile base
  double axis[3];
  bool limited;
  double lower, upper;          // rad or m, if limited
  double from_parent[3];        // m, from the parent's centre of mass to the joint
  double to_center[3];          // m, from the joint to the centre of mass
  double mass;                  // kg
  double friction;
  int group, mask;              // two links may collide if group & mask is not 0, either way round
  int first_shape, shape_count;
} BulletLink;

// A tree of links, each joined to its parent by one joint: parents first, depth first. A body with
// several joints becomes several links, of which only the last has mass.
typedef struct {
  int link_count;
  int shape_count;
  BulletLink links[BULLET_MAX_LINKS];
  BulletShape shapes[BULLET_MAX_SHAPES];
} BulletModel;

typedef struct BulletWorld BulletWorld;

// What can be observed of the robot, by link.
typedef struct {
  double position[BULLET_MAX_LINKS];      // rad or m, of the joint; 0 if fixed
  double speed[BULLET_MAX_LINKS];         // rad/s or m/s
  double center[BULLET_MAX_LINKS][3];     // m, centre of mass in the world
  bool on_floor[BULLET_MAX_LINKS];        // touches the floor
} BulletPose;

// "Bullet 3.24 float64"
void bullet_engine(char* text, size_t size);

// The points of contact that Bullet carries from one step to the next.
typedef struct {
  int count;
  int pair[BULLET_MAX_CONTACTS];  // which two shapes: an index that is the same in every world
  double numbers[BULLET_MAX_CONTACTS][BULLET_CONTACT_SIZE];
} BulletContacts;

// A world with the floor and the robot, all joints at 0. The model is not needed afterwards.
// NULL = this program was built without Bullet.
BulletWorld* bullet_world_open(const BulletModel* model);
void bullet_world_close(BulletWorld* world);

// Puts the joints (links) at `position` and `speed`. Contacts stay as they are.
void bullet_world_place(BulletWorld* world, const double* position, const double* speed);

// Joints and contacts are the whole state of a world: a world in which both have been set goes on
// with the same bits as that in which they were read.
void bullet_world_get_contacts(const BulletWorld* world, BulletContacts* contacts);
void bullet_world_set_contacts(BulletWorld* world, const BulletContacts* contacts);

// Adds a torque, N m (or force, N), to the joint of a link, for the next step.
void bullet_world_push(BulletWorld* world, int link, double torque);

// Simulates 0.0165 s.
void bullet_world_step(BulletWorld* world);

void bullet_world_read(const BulletWorld* world, BulletPose* pose);

// Orientation (x, y, z, w) of a link and velocity (m/s, in the world) of its centre of mass.
void bullet_world_motion(const BulletWorld* world, int link, double* orientation,
                         double* velocity);

#ifdef __cplusplus
}
#endif

#endif  // ENV_BULLET_SHIM_H
