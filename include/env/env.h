// env.h - a task (target MDP): the interface, and the table of ids.
//
// An Env steps one episode at a time. Observations and rewards are double, exactly as the reference
// environment computes them; actions are in the environment's own units. `terminated` ends the
// episode and enters the Bellman target; the time limit is the caller's business (spec.time_limit).
// The tasks are those of Gymnasium on MuJoCo 2.2.2, and of PyBullet (docs/algorithms.md, D13).
// An Env is deterministic: all randomness of a reset comes from the given stream.
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include <stdbool.h>

#include "base/archive.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/rng.h"

#define ENV_MAX_ACT 32
#define ENV_ID_SIZE 256
#define ENV_FILE_SIZE 48
#define ENV_MAX_FILES 8

// Whether an observation ends the episode; must need nothing but the observation, because imaginary
// rollouts evaluate it on predicted ones. obs: (O).
typedef bool (*EnvTermination)(const double* obs);

// The reward of a transition, if observations tell it. obs, next_obs: (O), act: (A).
typedef double (*EnvReward)(const double* obs, const double* act, const double* next_obs);

// A file that is part of a task's definition: its name without directory, and a hash of its bytes.
typedef struct {
  char name[ENV_FILE_SIZE];
  uint64_t hash;
} EnvFile;

typedef struct {
  char id[ENV_ID_SIZE];           // e.g. "hopper-v4": the definition is part of the id
  char engine[32];                // e.g. "MuJoCo 2.2.2"
  int obs_size;                   // O
  int act_size;                   // A
  int time_limit;                 // steps until an episode is truncated
  double step_seconds;            // simulated time of one step
  const char* definition;         // one line: where the definition comes from and what it rewards
  double act_low[ENV_MAX_ACT];    // (A) own units
  double act_high[ENV_MAX_ACT];   // (A)
  EnvTermination terminated;      // model-side termination; NULL = never
  EnvReward reward;               // for `env check`; NULL = not known
  const char* model;              // MJCF file that draws the task; NULL = cannot be drawn
  int model_nq, model_nv;         // positions and velocities of that model
  EnvFile files[ENV_MAX_FILES];   // that results depend on beside the program; "" = none
} EnvSpec;

typedef struct {
  double reward;
  bool terminated;
  bool diverged;  // the simulation produced a non-finite state: the episode's data is unusable
} EnvStep;

typedef struct Env Env;

// What an engine implements; `body` is its own state.
typedef struct EnvOps {
  void (*reset)(Env*, double* obs, Rng* rng);
  EnvStep (*step)(Env*, double* obs, const double* act);
  void (*visit)(Env*, Archive*);
  void (*close)(Env*);
  // Starts an episode from a given state (MuJoCo: qpos, qvel; Bullet: joint angles, NULL).
  void (*set_state)(Env*, double* obs, const double* position, const double* velocity);
  int (*position_size)(const Env*);  // length of `position` and `velocity` above
  int (*velocity_size)(const Env*);
  // Advances the simulation by one step and nothing else: no observation, no reward. For measuring
  // what the rest of a step costs. NULL = the engine has no such call.
  void (*advance)(Env*, const double* act);
  // The state as qpos (model_nq) and qvel (model_nv) of spec.model. NULL if that is.
  void (*pose)(const Env*, double* qpos, double* qvel);
} EnvOps;

struct Env {
  EnvSpec spec;
  const EnvOps* ops;
  void* body;
};

// How a family of tasks is opened: `task` is what the table of ids gives it.
typedef bool (*EnvOpen)(Env* env, const void* task, const char* assets, Arena* arena, Error* error);

// Opens the task `id`. `assets` is the directory of the MJCF files. "plugin:PATH" loads a task of
// the user's own from the shared object PATH (env/plugin.h).
bool env_open(Env* env, const char* id, const char* assets, Arena* arena, Error* error);
void env_close(Env* env);

// Starts an episode. obs (O) out.
void env_reset(Env* env, double* obs, Rng* rng);

// Starts an episode from a given state, of env_position_size and env_velocity_size numbers.
void env_set_state(Env* env, double* obs, const double* position, const double* velocity);
int env_position_size(const Env* env);
int env_velocity_size(const Env* env);

// One step with `act` (A) in the environment's own units. obs (O) out.
EnvStep env_step(Env* env, double* obs, const double* act);

// The same with an action in [-1, 1]^A, mapped linearly to the range and clipped.
EnvStep env_step_normalized(Env* env, double* obs, const Real* act);

// The state as qpos (model_nq) and qvel (model_nv) of spec.model, which must not be NULL.
void env_pose(const Env* env, double* qpos, double* qvel);

// Mutable state, enough for a bit-equal continuation in a fresh process, mid-episode included.
void env_visit(Env* env, Archive* archive, const char* name);

// Number of known ids, and the i-th (for lists and suggestions).
int env_count(void);
const char* env_id(int i);

#endif  // ENV_ENV_H
