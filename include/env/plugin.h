/* env_plugin.h - the interface of a task of your own: an MJCF file, and functions of its state.
 *
 * A plugin is a shared object that exports one function, autombpo_task(), which returns a constant
 * AutombpoTask. Use it as the task "plugin:PATH/my_task.so". This header needs nothing but a C (or
 * C++) compiler; docs/examples/env_plugin is a complete example.
 *
 * The program loads the model, simulates, saves and restores; the functions here must be pure: no
 * state of their own, no clock, no random numbers but those of `place`. `autombpo env check` tests
 * that. Numbers of a new version are only ever added at the end of the structures.
 */
#ifndef AUTOMBPO_ENV_PLUGIN_H
#define AUTOMBPO_ENV_PLUGIN_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AUTOMBPO_PLUGIN_VERSION 1
#define AUTOMBPO_PLUGIN_NAMES 8
#define AUTOMBPO_PLUGIN_MEMORY 8

/* The simulated state, as MuJoCo computed it; its documentation has the meaning of each array. */
typedef struct {
  int nq, nv, na, nu, nbody, ngeom, nsite, nsensordata;
  double dt;                      /* s, of one step: frame_skip simulation steps */
  const double* time;             /* (1) s */
  const double* qpos;             /* (nq) */
  const double* qvel;             /* (nv) */
  const double* act;              /* (na) actuator activation */
  const double* ctrl;             /* (nu) the action */
  const double* xpos;             /* (nbody, 3) m, position of each body's frame */
  const double* xquat;            /* (nbody, 4) its orientation */
  const double* xipos;            /* (nbody, 3) m, centre of mass of each body */
  const double* body_mass;        /* (nbody) kg */
  const double* cinert;           /* (nbody, 10) */
  const double* cvel;             /* (nbody, 6) */
  const double* cfrc_ext;         /* (nbody, 6) zero unless contact_forces is set */
  const double* geom_xpos;        /* (ngeom, 3) m */
  const double* site_xpos;        /* (nsite, 3) m */
  const double* qfrc_actuator;    /* (nv) */
  const double* qfrc_constraint;  /* (nv) */
  const double* sensordata;       /* (nsensordata) */
  int id[AUTOMBPO_PLUGIN_NAMES];  /* of AutombpoTask.names; of a sensor: where its data begin */
} AutombpoState;

/* Uniform numbers in [0, 1) of the environment's stream. */
typedef struct {
  double (*uniform)(void* stream);
  void* stream;
} AutombpoRandom;

typedef struct {
  int version;                    /* AUTOMBPO_PLUGIN_VERSION */
  const char* name;               /* e.g. "reach-v1": stored in files: name the definition */
  const char* definition;         /* one line: what is rewarded */
  const char* model;              /* MJCF file; a relative path starts beside the shared object */
  int obs_size;                   /* O */
  int frame_skip;                 /* simulation steps per step */
  int time_limit;                 /* steps until an episode is truncated */
  double position_noise;          /* start: default position + U(+-position_noise) */
  double velocity_noise;          /* start: velocity_noise times U(-1, 1), or N(0, 1) if ... */
  bool velocity_normal;           /* ... this is set */
  bool contact_forces;            /* whether cfrc_ext is wanted */

  /* Names that are looked up once, "body:torso", "joint:hip", "geom:foot", "site:tip" or
   * "sensor:touch"; their ids are in AutombpoState.id. NULL = unused. */
  const char* names[AUTOMBPO_PLUGIN_NAMES];

  /* Changes a drawn start state, qpos (nq) and qvel (nv). NULL = nothing to change. */
  void (*place)(const AutombpoState* state, double* qpos, double* qvel, AutombpoRandom random);

  /* Keeps up to AUTOMBPO_PLUGIN_MEMORY numbers from before a step for its reward. May read time,
   * qpos, qvel, act, xpos and xipos only: the rest is not saved. NULL = nothing to keep. */
  void (*remember)(double* memory, const AutombpoState* state);

  /* obs (O) of the state. */
  void (*observe)(double* obs, const AutombpoState* state);

  /* Reward of the step that led to `state`, whose observation is obs (O); action (nu). */
  double (*reward)(const AutombpoState* state, const double* memory, const double* obs,
                   const double* action);

  /* Whether an observation ends the episode. Rollouts in the learnt model evaluate it on predicted
   * observations, so it must need nothing else. NULL = never. */
  bool (*terminated)(const double* obs);

  /* If the task itself decides otherwise: whether the step ended the episode. NULL = by
   * `terminated`. env check reports where the two differ. */
  bool (*ended)(const AutombpoState* state, const double* obs);

  /* The reward again, told from observations, for env check. NULL = it cannot be told. */
  double (*reward_of)(const double* obs, const double* action, const double* next_obs);
} AutombpoTask;

/* The function that a plugin exports. */
const AutombpoTask* autombpo_task(void);

#ifdef __cplusplus
}
#endif

#endif /* AUTOMBPO_ENV_PLUGIN_H */
