// The only C++ file: Bullet (zlib licence, bulletphysics.org) behind the C functions of its header.
//
// The constants are those of PyBullet's physics server and of the stadium scene of pybullet_envs.
// Compile with -ffp-contract=off: fused operations would change the last bits.
#include "env/bullet_shim.h"

#include <BulletCollision/CollisionShapes/btMultiSphereShape.h>
#include <BulletDynamics/Featherstone/btMultiBody.h>
#include <BulletDynamics/Featherstone/btMultiBodyConstraintSolver.h>
#include <BulletDynamics/Featherstone/btMultiBodyDynamicsWorld.h>
#include <BulletDynamics/Featherstone/btMultiBodyJointLimitConstraint.h>
#include <BulletDynamics/Featherstone/btMultiBodyJointMotor.h>
#include <BulletDynamics/Featherstone/btMultiBodyLinkCollider.h>
#include <btBulletDynamicsCommon.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <vector>

static_assert(sizeof(btScalar) == sizeof(double), "needs Bullet in double precision");

// Margin of bounding boxes in the broad phase, a variable of the library; the server sets it to 0.
extern btScalar gDbvtMargin;

namespace {

constexpr double STEP_SECONDS = 0.0165;
constexpr int SUBSTEPS = 4;

// Two objects may collide if either one's mask asks for the other's group. Bullet's own rule wants
// both, and would let the robots, whose mask may be 0, fall through the floor.
struct EitherWayFilter : btOverlapFilterCallback {
  bool needBroadphaseCollision(btBroadphaseProxy* a, btBroadphaseProxy* b) const override {
    return (a->m_collisionFilterGroup & b->m_collisionFilterMask) != 0 ||
           (b->m_collisionFilterGroup & a->m_collisionFilterMask) != 0;
  }
};

// All numbers of a contact. The rest is a pointer for the library's user.
using Point = btManifoldPoint;
constexpr btVector3 Point::*POINT_VECTORS[] = {
    &Point::m_localPointA,        &Point::m_localPointB,         &Point::m_positionWorldOnA,
    &Point::m_positionWorldOnB,   &Point::m_normalWorldOnB,      &Point::m_lateralFrictionDir1,
    &Point::m_lateralFrictionDir2};
constexpr btScalar Point::*POINT_SCALARS[] = {
    &Point::m_distance1,
    &Point::m_combinedFriction,
    &Point::m_combinedRollingFriction,
    &Point::m_combinedSpinningFriction,
    &Point::m_combinedRestitution,
    &Point::m_appliedImpulse,
    &Point::m_prevRHS,
    &Point::m_appliedImpulseLateral1,
    &Point::m_appliedImpulseLateral2,
    &Point::m_contactMotion1,
    &Point::m_contactMotion2,
    &Point::m_contactCFM,
    &Point::m_contactERP,
    &Point::m_frictionCFM};
constexpr int Point::*POINT_INTEGERS[] = {
    &Point::m_partId0, &Point::m_partId1,           &Point::m_index0,
    &Point::m_index1,  &Point::m_contactPointFlags, &Point::m_lifeTime};
static_assert(3 * std::size(POINT_VECTORS) + std::size(POINT_SCALARS) +
                      std::size(POINT_INTEGERS) == BULLET_CONTACT_SIZE,
              "the numbers of a contact");

void packPoint(double* numbers, const Point& point) {
  for (auto member : POINT_VECTORS) {
    for (int k = 0; k < 3; k++) {
      *numbers++ = (point.*member)[k];
    }
  }
  for (auto member : POINT_SCALARS) {
    *numbers++ = point.*member;
  }
  for (auto member : POINT_INTEGERS) {
    *numbers++ = point.*member;
  }
}

Point unpackPoint(const double* numbers) {
  Point point{};
  for (auto member : POINT_VECTORS) {
    (point.*member).setValue(numbers[0], numbers[1], numbers[2]);
    numbers += 3;
  }
  for (auto member : POINT_SCALARS) {
    point.*member = *numbers++;
  }
  for (auto member : POINT_INTEGERS) {
    point.*member = static_cast<int>(*numbers++);
  }
  return point;
}

btVector3 vector3(const double* x) { return btVector3(x[0], x[1], x[2]); }

}  // namespace

// Members are destroyed from the last to the first: the world before what it points to.
struct BulletWorld {
  btDefaultCollisionConfiguration configuration;
  btCollisionDispatcher dispatcher{&configuration};
  EitherWayFilter filter;
  btHashedOverlappingPairCache pairs;
  btDbvtBroadphase broadphase{&pairs};
  btMultiBodyConstraintSolver solver;
  std::vector<std::unique_ptr<btCollisionShape>> shapes;
  std::vector<std::unique_ptr<btMultiBodyLinkCollider>> colliders;
  std::vector<std::unique_ptr<btMultiBodyConstraint>> constraints;
  std::unique_ptr<btMultiBody> floor, robot;
  btMultiBodyDynamicsWorld world{&dispatcher, &broadphase, &solver, &configuration};

  // Room for the results of Bullet's functions, so that a step allocates nothing.
  mutable btAlignedObjectArray<btQuaternion> rotations;
  mutable btAlignedObjectArray<btVector3> places, turns, speeds;

  explicit BulletWorld(const BulletModel& model);
  BulletWorld(const BulletWorld&) = delete;
  BulletWorld& operator=(const BulletWorld&) = delete;

  template <class Shape>
  Shape* keep(Shape* shape) {
    shapes.emplace_back(shape);
    return shape;
  }

  void setUpSolver();
  void addFloor();
  void addRobot(const BulletModel& model);
  btCollisionShape* makeShape(const BulletModel& model, const BulletLink& link);
  void addConstraint(btMultiBodyConstraint* constraint);
  void addLink(int index, const BulletLink& link, const btVector3& inertia);
  btMultiBodyLinkCollider* addCollider(btMultiBody* body, int link, btCollisionShape* shape,
                                       double friction, int group, int mask);
  void updateTransforms();
};

void BulletWorld::setUpSolver() {
  gDbvtMargin = 0;
  pairs.setOverlapFilterCallback(&filter);
  broadphase.setVelocityPrediction(0);
  world.setForceUpdateAllAabbs(false);
  world.setGravity(btVector3(0, 0, -9.8));
  world.getDispatchInfo().m_deterministicOverlappingPairs = true;
  btContactSolverInfo& info = world.getSolverInfo();
  info.m_numIterations = 5;
  info.m_minimumSolverBatchSize = 0;
  info.m_leastSquaresResidualThreshold = 1e-7;
  info.m_erp2 = 0.9;  // contacts
  info.m_frictionERP = 0.2;
  info.m_linearSlop = 0.00001;
  info.m_warmstartingFactor = 0.1;
}

btMultiBodyLinkCollider* BulletWorld::addCollider(btMultiBody* body, int link,
                                                  btCollisionShape* shape, double friction,
                                                  int group, int mask) {
  auto* collider = new btMultiBodyLinkCollider(body, link);
  colliders.emplace_back(collider);
  collider->setCollisionShape(shape);
  collider->setWorldTransform(btTransform::getIdentity());
  collider->setFriction(friction);
  world.addCollisionObject(collider, group, mask);
  return collider;
}

void BulletWorld::addFloor() {
  auto* shape = keep(new btStaticPlaneShape(btVector3(0, 0, 1), 0));
  shape->setMargin(0.001);
  floor = std::make_unique<btMultiBody>(0, 0, btVector3(0, 0, 0), true, false);
  auto* collider =
      addCollider(floor.get(), -1, shape, 0.8, btBroadphaseProxy::StaticFilter,
                  btBroadphaseProxy::AllFilter ^ btBroadphaseProxy::StaticFilter);
  collider->setCollisionFlags(collider->getCollisionFlags() |
                              btCollisionObject::CF_STATIC_OBJECT);
  collider->setRestitution(0.5);
  floor->setBaseCollider(collider);
  floor->finalizeMultiDof();
  world.addMultiBody(floor.get());
}

// One geom makes a compound, too: the importer measures inertia on the box around it.
btCollisionShape* BulletWorld::makeShape(const BulletModel& model, const BulletLink& link) {
  auto* compound = keep(new btCompoundShape);
  for (int i = 0; i < link.shape_count; i++) {
    const BulletShape& shape = model.shapes[link.first_shape + i];
    btTransform place(btQuaternion(vector3(shape.turn_axis), shape.turn_angle),
                      vector3(shape.place));
    if (shape.kind == BULLET_SPHERE) {
      compound->addChildShape(place, keep(new btSphereShape(shape.radius)));
    } else if (shape.kind == BULLET_CAPSULE) {
      compound->addChildShape(place, keep(new btCapsuleShapeZ(shape.radius, shape.length)));
    } else {
      const btVector3 ends[2] = {vector3(shape.from), vector3(shape.to)};
      const btScalar radii[2] = {shape.radius, shape.radius};
      compound->addChildShape(place, keep(new btMultiSphereShape(ends, radii, 2)));
    }
  }
  return compound;
}

void BulletWorld::addConstraint(btMultiBodyConstraint* constraint) {
  constraints.emplace_back(constraint);
  world.addMultiBodyConstraint(constraint);
}

// Bodies keep the orientation of their parents at rest.
void BulletWorld::addLink(int index, const BulletLink& link, const btVector3& inertia) {
  const btQuaternion same = btQuaternion::getIdentity();
  const btVector3 axis = vector3(link.axis);
  const btVector3 pivot = vector3(link.from_parent);
  const btVector3 center = vector3(link.to_center);
  btMultiBody* body = robot.get();
  if (link.joint == BULLET_FIXED) {
    body->setupFixed(index, link.mass, inertia, link.parent, same, pivot, center);
  } else if (link.joint == BULLET_SLIDE) {
    body->setupPrismatic(index, link.mass, inertia, link.parent, same, axis, pivot, center, true);
  } else {
    body->setupRevolute(index, link.mass, inertia, link.parent, same, axis, pivot, center, true);
  }
  // A robot collides with itself, but not a link with any of its ancestors.
  body->getLink(index).m_flags |= BT_MULTIBODYLINKFLAGS_DISABLE_ALL_PARENT_COLLISION;
  if (link.limited) {
    addConstraint(new btMultiBodyJointLimitConstraint(body, index, link.lower, link.upper));
  }
}

// The base is the immobile place where the first joint is fastened.
void BulletWorld::addRobot(const BulletModel& model) {
  robot = std::make_unique<btMultiBody>(model.link_count, 0, btVector3(0, 0, 0), true, false);
  for (int i = 0; i < model.link_count; i++) {
    const BulletLink& link = model.links[i];
    btCollisionShape* shape = makeShape(model, link);
    btVector3 inertia(0, 0, 0);
    if (link.mass > 0) {
      shape->calculateLocalInertia(link.mass, inertia);
    }
    addLink(i, link, inertia);
    robot->getLink(i).m_collider =
        addCollider(robot.get(), i, shape, link.friction, link.group, link.mask);
  }
  robot->setHasSelfCollision(true);
  robot->finalizeMultiDof();
  updateTransforms();
  world.addMultiBody(robot.get());
  // PyBullet gives every joint a motor, which the tasks leave without force. It does nothing, but
  // takes part when constraints are sorted, which decides about the order of the limits.
  for (int i = 0; i < model.link_count; i++) {
    if (model.links[i].joint != BULLET_FIXED) {
      addConstraint(new btMultiBodyJointMotor(robot.get(), i, 0, 0, 0));
      constraints.back()->finalizeMultiDof();
    }
  }
}

BulletWorld::BulletWorld(const BulletModel& model) {
  setUpSolver();
  addFloor();
  addRobot(model);
}

// Places of links and colliders from the joints.
void BulletWorld::updateTransforms() {
  robot->forwardKinematics(rotations, places);
  robot->updateCollisionObjectWorldTransforms(rotations, places);
}

void bullet_engine(char* text, size_t size) {
  std::snprintf(text, size, "Bullet %d.%02d float64", btGetVersion() / 100, btGetVersion() % 100);
}

BulletWorld* bullet_world_open(const BulletModel* model) { return new BulletWorld(*model); }

void bullet_world_close(BulletWorld* world) { delete world; }

void bullet_world_place(BulletWorld* world, const double* position, const double* speed) {
  btMultiBody* robot = world->robot.get();
  for (int i = 0; i < robot->getNumLinks(); i++) {
    if (robot->getLink(i).m_dofCount > 0) {
      robot->setJointPos(i, position[i]);
      robot->setJointVel(i, speed[i]);
    }
  }
  world->updateTransforms();
  for (auto& collider : world->colliders) {
    world->world.updateSingleAabb(collider.get());
  }
}

void bullet_world_push(BulletWorld* world, int link, double torque) {
  world->robot->addJointTorqueMultiDof(link, 0, torque);
}

void bullet_world_step(BulletWorld* world) {
  world->world.stepSimulation(STEP_SECONDS, SUBSTEPS, STEP_SECONDS / SUBSTEPS);
}

void bullet_world_get_contacts(const BulletWorld* world, BulletContacts* contacts) {
  auto& dispatcher = const_cast<btCollisionDispatcher&>(world->dispatcher);
  contacts->count = 0;
  for (int i = 0; i < dispatcher.getNumManifolds(); i++) {
    const btPersistentManifold* manifold = dispatcher.getManifoldByIndexInternal(i);
    for (int k = 0; k < manifold->getNumContacts(); k++) {
      int n = contacts->count++;
      contacts->pair[n] = i;
      packPoint(contacts->numbers[n], manifold->getContactPoint(k));
    }
  }
}

// Manifolds hold the points of two shapes each. The floor is endless, so that the first detection
// makes one for each shape, always in the same order, and none ever goes away.
void bullet_world_set_contacts(BulletWorld* world, const BulletContacts* contacts) {
  btCollisionDispatcher& dispatcher = world->dispatcher;
  if (contacts->count > 0 && dispatcher.getNumManifolds() == 0) {
    world->world.performDiscreteCollisionDetection();
  }
  for (int i = 0; i < dispatcher.getNumManifolds(); i++) {
    dispatcher.getManifoldByIndexInternal(i)->clearManifold();
  }
  for (int n = 0; n < contacts->count; n++) {
    if (contacts->pair[n] >= 0 && contacts->pair[n] < dispatcher.getNumManifolds()) {
      dispatcher.getManifoldByIndexInternal(contacts->pair[n])
          ->addManifoldPoint(unpackPoint(contacts->numbers[n]));
    }
  }
}

// The link of `robot` in a contact with `floor`, or -1.
static int link_on_floor(const BulletWorld* world, const btPersistentManifold* manifold) {
  const auto* a = btMultiBodyLinkCollider::upcast(manifold->getBody0());
  const auto* b = btMultiBodyLinkCollider::upcast(manifold->getBody1());
  if (manifold->getNumContacts() == 0 || !a || !b) {
    return -1;
  }
  if (b->m_multiBody == world->floor.get()) {
    return a->m_link;
  }
  return a->m_multiBody == world->floor.get() ? b->m_link : -1;
}

void bullet_world_read(const BulletWorld* world, BulletPose* pose) {
  const btMultiBody* robot = world->robot.get();
  for (int i = 0; i < robot->getNumLinks(); i++) {
    const btMultibodyLink& link = robot->getLink(i);
    pose->position[i] = link.m_dofCount > 0 ? robot->getJointPos(i) : 0;
    pose->speed[i] = link.m_dofCount > 0 ? robot->getJointVel(i) : 0;
    for (int k = 0; k < 3; k++) {
      pose->center[i][k] = link.m_cachedWorldTransform.getOrigin()[k];
    }
    pose->on_floor[i] = false;
  }
  auto& dispatcher = const_cast<btCollisionDispatcher&>(world->dispatcher);
  for (int i = 0; i < dispatcher.getNumManifolds(); i++) {
    int link = link_on_floor(world, dispatcher.getManifoldByIndexInternal(i));
    if (link >= 0) {
      pose->on_floor[link] = true;
    }
  }
}

void bullet_world_motion(const BulletWorld* world, int link, double* orientation,
                         double* velocity) {
  const btMultiBody* robot = world->robot.get();
  world->turns.resize(robot->getNumLinks() + 1);
  world->speeds.resize(robot->getNumLinks() + 1);
  robot->compTreeLinkVelocities(&world->turns[0], &world->speeds[0]);
  const btTransform& place = robot->getLink(link).m_cachedWorldTransform;
  const btQuaternion rotation = place.getRotation();
  const btVector3 speed = place.getBasis() * world->speeds[link + 1];
  for (int k = 0; k < 3; k++) {
    velocity[k] = speed[k];
  }
  for (int k = 0; k < 4; k++) {
    orientation[k] = rotation[k];
  }
}
