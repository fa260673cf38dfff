// mujoco.h - the shared body of all MuJoCo tasks.
//
// A task is a table of constants and three small functions; loading, resetting, stepping, saving
// and restoring are here. The arithmetic follows Gymnasium's to the last bit, and reads the same
// fields of mjData at the same moment: what the last Runge-Kutta stage left is not recomputed.
#ifndef ENV_MUJOCO_H
#define ENV_MUJOCO_H

#include <mujoco/mujoco.h>

#include "env/env.h"

#define MUJOCO_TASK_BODIES 3

typedef struct MujocoTask MujocoTask;

// An open task. `before` lives only inside one step.
typedef struct {
  const MujocoTask* task;
  mjModel* model;
  mjData* data;
  double dt;                          // s, of one step
  int body[MUJOCO_TASK_BODIES];       // ids of task->bodies
  double before[2];                   // what task->remember kept from before the step
  void* plugin;                       // of a task from a plugin; NULL otherwise
} MujocoBody;

struct MujocoTask {
  const char* model;                  // MJCF file, relative to the assets directory
  const char* definition;             // for EnvSpec
  int version;                        // Gymnasium's: 4 or 5
  int nq, nv, nu, nbody;              // sizes that the model must have; 0 = any
  int obs_size;
  int frame_skip;                     // simulation steps per step
  int time_limit;
  double position_noise;              // reset: qpos0 + U(+-position_noise)
  double velocity_noise;              // reset: 0 + velocity_noise * (U(-1, 1) or N(0, 1))
  bool velocity_normal;               // which of the two
  bool contact_forces;                // the task reads cfrc_ext
  const char* bodies[MUJOCO_TASK_BODIES];  // names that are looked up; NULL = unused
  // Changes a drawn start state where noise alone does not define it; NULL = nothing to change.
  void (*place)(const MujocoBody*, double* position, double* velocity, Rng*);
  // Keeps in body->before what the reward compares with; NULL = nothing.
  void (*remember)(MujocoBody*);
  void (*observe)(double* obs, const MujocoBody*);
  // Reward and termination of the step that has just been simulated; obs is its observation.
  EnvStep (*outcome)(const MujocoBody*, const double* obs, const double* act);
  EnvTermination terminated;          // model-side; NULL = never
};

// EnvOpen of every MuJoCo task; `task` is a MujocoTask.
bool mujoco_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error);

// The same with the path of the model given.
bool mujoco_open_model(Env* env, const MujocoTask* task, const char* path, Arena* arena,
                       Error* error);

// "MuJoCo 2.2.2"
void mujoco_engine(char* text, size_t size);

// Parts of observations and rewards.

// out[i] = x[i] for i < n; returns out + n.
double* put(double* out, const double* x, int n);

// out[i] = x[i] clipped to [-limit, limit]; returns out + n.
double* put_clipped(double* out, const double* x, int n, double limit);

// Sum of squares, added in NumPy's order (pairwise, eight accumulators).
double sum_squares(const double* x, int n);

// Sum of squares of x clipped to [-limit, limit].
double sum_squares_clipped(const double* x, int n, double limit);

// Sum of x in NumPy's order.
double sum_pairwise(const double* x, int n);

// Distance of two bodies, rounded as NumPy's norm (a dot product with fused multiply-add).
double body_distance(const MujocoBody* body, int a, int b);

// Whether low < x[i] < high for all i < n; false for NaN.
bool all_within(const double* x, int n, double low, double high);

bool all_finite(const double* x, int n);

#endif  // ENV_MUJOCO_H
