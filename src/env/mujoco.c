// mujoco.c - the life of a MuJoCo episode, common to all tasks.
//
// A MujocoBody is the model, its data and the task's table of functions: place (the start),
// remember (what the reward needs of before), observe, outcome. A step calls them in Gymnasium's
// order, because they read mjData as the last Runge-Kutta stage left it, and one mj_forward more
// would change bits.
//
// What must be saved follows from the same care: positions and velocities, but also the solver's
// warm start and the body positions of that last stage. MuJoCo resets a state that went bad and
// simulates on; its warning counters are looked at after every step, so that such an episode ends
// as diverged.
//
// Its hooks for warnings and errors are taken over, or it would write a log file into the working
// directory and end the program in its own way.
#include "env/mujoco.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env/mjcf_files.h"

// MuJoCo counts its warnings in mjData; without this hook it would also write them to
// MUJOCO_LOG.TXT in the working directory.
static void ignore_warning(const char* text) { (void)text; }

static void fail(const char* text) { error_exit("MuJoCo: %s", text); }

static void install_hooks(void) {
  mju_user_warning = ignore_warning;
  mju_user_error = fail;
}

void mujoco_engine(char* text, size_t size) {
  snprintf(text, size, "MuJoCo %s", mj_versionString());
}

static MujocoBody* body_of(const Env* env) { return env->body; }

// Saved and restored: all that the next steps read. xpos and xipos are here because several rewards
// compare with what the last Runge-Kutta stage left there. After loading there is no mj_forward: it
// would move the warm start and normalise quaternions once more.
static void mujoco_visit(Env* env, Archive* archive) {
  MujocoBody* body = body_of(env);
  const mjModel* m = body->model;
  mjData* d = body->data;
  if (archive->mode == ARCHIVE_LOAD) {
    mj_resetData(m, d);
  }
  archive_f64(archive, "qpos", d->qpos, (size_t)m->nq);
  archive_f64(archive, "qvel", d->qvel, (size_t)m->nv);
  if (m->na > 0) {
    archive_f64(archive, "act", d->act, (size_t)m->na);
  }
  archive_f64(archive, "time", &d->time, 1);
  archive_f64(archive, "qacc_warmstart", d->qacc_warmstart, (size_t)m->nv);
  archive_f64(archive, "ctrl", d->ctrl, (size_t)m->nu);
  archive_f64(archive, "xpos", d->xpos, 3 * (size_t)m->nbody);
  archive_f64(archive, "xipos", d->xipos, 3 * (size_t)m->nbody);
}

// Exactly one mj_forward after mj_resetData: each one moves the warm start.
static void mujoco_set_state(Env* env, double* obs, const double* position,
                             const double* velocity) {
  MujocoBody* body = body_of(env);
  mjData* d = body->data;
  mj_resetData(body->model, d);
  memcpy(d->qpos, position, sizeof(double) * (size_t)body->model->nq);
  memcpy(d->qvel, velocity, sizeof(double) * (size_t)body->model->nv);
  mj_forward(body->model, d);
  body->task->observe(obs, body);
}

static void mujoco_reset(Env* env, double* obs, Rng* rng) {
  MujocoBody* body = body_of(env);
  const MujocoTask* task = body->task;
  const mjModel* m = body->model;
  mjData* d = body->data;
  mj_resetData(m, d);
  double range = task->position_noise;
  for (int i = 0; i < (int)m->nq; i++) {
    d->qpos[i] += rng_range(rng, -range, range);
  }
  for (int i = 0; i < (int)m->nv; i++) {
    double unit = task->velocity_normal ? rng_normal(rng) : rng_range(rng, -1, 1);
    d->qvel[i] = task->velocity_noise * unit;
  }
  if (task->place) {
    task->place(body, d->qpos, d->qvel, rng);
  }
  mj_forward(m, d);
  task->observe(obs, body);
}

static void mujoco_advance(Env* env, const double* act) {
  MujocoBody* body = body_of(env);
  memcpy(body->data->ctrl, act, sizeof(double) * (size_t)body->model->nu);
  for (int k = 0; k < body->task->frame_skip; k++) {
    mj_step(body->model, body->data);
  }
}

// Warnings after which the episode's data mean nothing. MuJoCo resets a state that went bad and
// simulates on, so that the state alone would not show it.
static const int BAD[] = {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC, mjWARN_BADCTRL};
#define BAD_COUNT ((int)(sizeof BAD / sizeof BAD[0]))

static bool went_bad(const mjModel* m, const mjData* d) {
  for (int i = 0; i < BAD_COUNT; i++) {
    if (d->warning[BAD[i]].number > 0) {
      return true;
    }
  }
  return !all_finite(d->qpos, (int)m->nq) || !all_finite(d->qvel, (int)m->nv);
}

static EnvStep mujoco_step(Env* env, double* obs, const double* act) {
  MujocoBody* body = body_of(env);
  const MujocoTask* task = body->task;
  mjData* d = body->data;
  for (int i = 0; i < BAD_COUNT; i++) {
    d->warning[BAD[i]].number = 0;
  }
  if (task->remember) {
    task->remember(body);
  }
  mujoco_advance(env, act);
  if (task->contact_forces) {  // docs/algorithms.md, D9
    mj_rnePostConstraint(body->model, d);
  }
  task->observe(obs, body);
  EnvStep step = task->outcome(body, obs, act);
  step.diverged = step.diverged || !isfinite(step.reward) || went_bad(body->model, d);
  return step;
}

static void mujoco_close(Env* env) {
  MujocoBody* body = body_of(env);
  mj_deleteData(body->data);
  mj_deleteModel(body->model);
}

static int mujoco_position_size(const Env* env) { return (int)body_of(env)->model->nq; }

static int mujoco_velocity_size(const Env* env) { return (int)body_of(env)->model->nv; }

static void mujoco_pose(const Env* env, double* qpos, double* qvel) {
  const MujocoBody* body = body_of(env);
  memcpy(qpos, body->data->qpos, sizeof(double) * (size_t)body->model->nq);
  memcpy(qvel, body->data->qvel, sizeof(double) * (size_t)body->model->nv);
}

static const EnvOps MUJOCO_OPS = {
    .reset = mujoco_reset,
    .step = mujoco_step,
    .visit = mujoco_visit,
    .close = mujoco_close,
    .set_state = mujoco_set_state,
    .position_size = mujoco_position_size,
    .velocity_size = mujoco_velocity_size,
    .advance = mujoco_advance,
    .pose = mujoco_pose,
};

static bool check_size(const char* what, int size, int expected, Error* error) {
  return expected == 0 || size == expected ||
         error_set(error, "the model has %s = %d, the task needs %d", what, size, expected);
}

// Without its ctrlrange an actuator has the range [0, 0], and no action would do anything.
static bool check_ranges(const mjModel* m, Error* error) {
  for (int a = 0; a < (int)m->nu; a++) {
    const mjtNum* range = m->actuator_ctrlrange + 2 * a;
    if (!(range[0] < range[1])) {
      const char* name = mj_id2name(m, mjOBJ_ACTUATOR, a);
      return error_set(error, "actuator %d, '%s', needs an ascending ctrlrange, it has [%g, %g]",
                       a + 1, name ? name : "", range[0], range[1]);
    }
  }
  return true;
}

// Whether the model is one that the task's functions can read.
static bool check_model(MujocoBody* body, Error* error) {
  const MujocoTask* task = body->task;
  const mjModel* m = body->model;
  if (!check_size("nq", (int)m->nq, task->nq, error) ||
      !check_size("nv", (int)m->nv, task->nv, error) ||
      !check_size("nu", (int)m->nu, task->nu, error) ||
      !check_size("nbody", (int)m->nbody, task->nbody, error)) {
    return false;
  }
  if (m->nu < 1 || m->nu > ENV_MAX_ACT) {
    return error_set(error, "the model has %d actuators; between 1 and %d are possible",
                     (int)m->nu, ENV_MAX_ACT);
  }
  for (int i = 0; i < MUJOCO_TASK_BODIES; i++) {
    const char* name = task->bodies[i];
    body->body[i] = name ? mj_name2id(m, mjOBJ_BODY, name) : 0;
    if (body->body[i] < 0) {
      return error_set(error, "the model has no body '%s'", name);
    }
  }
  return check_ranges(m, error);
}

static void fill_spec(EnvSpec* spec, const MujocoBody* body) {
  const MujocoTask* task = body->task;
  const mjModel* m = body->model;
  mujoco_engine(spec->engine, sizeof spec->engine);
  spec->obs_size = task->obs_size;
  spec->act_size = (int)m->nu;
  spec->time_limit = task->time_limit;
  spec->step_seconds = body->dt;
  spec->definition = task->definition;
  spec->terminated = task->terminated;
  spec->model_nq = (int)m->nq;
  spec->model_nv = (int)m->nv;
  for (int a = 0; a < (int)m->nu; a++) {
    spec->act_low[a] = m->actuator_ctrlrange[2 * a];
    spec->act_high[a] = m->actuator_ctrlrange[2 * a + 1];
  }
}

// MuJoCo's messages have several lines, and empty ones at the end.
static void join_lines(char* text) {
  for (size_t length = strlen(text); length > 0 && text[length - 1] == '\n'; length--) {
    text[length - 1] = '\0';
  }
  for (char* c = strchr(text, '\n'); c; c = strchr(c, '\n')) {
    *c = ' ';
  }
}

bool mujoco_open_model(Env* env, const MujocoTask* task, const char* path, Arena* arena,
                       Error* error) {
  if (access(path, R_OK) != 0) {
    return error_errno(error, path);
  }
  install_hooks();
  char text[1000] = "";
  errno = 0;
  mjModel* model = mj_loadXML(path, NULL, text, (int)sizeof text);
  if (!model) {
    int cause = errno;
    bool unread = strstr(text, "XML_ERROR_FILE") && error_is_transient(cause);
    join_lines(text);
    error_set(error, "%s: %s%s%s", path, text, unread ? ": " : "", unread ? strerror(cause) : "");
    error->transient = unread || strstr(text, "allocate memory");  // else the file is to blame
    return false;
  }
  MujocoBody* body = ARENA_NEW(arena, 1, MujocoBody);
  *body = (MujocoBody){.task = task, .model = model};
  if (!check_model(body, error) || !mjcf_note_files(&env->spec, path, error)) {
    mj_deleteModel(model);
    return error_add(error, "%s", path);
  }
  body->data = mj_makeData(model);
  body->dt = model->opt.timestep * task->frame_skip;
  fill_spec(&env->spec, body);
  env->spec.model = arena_string(arena, path);
  env->ops = &MUJOCO_OPS;
  env->body = body;
  return true;
}

bool mujoco_open(Env* env, const void* task, const char* assets, Arena* arena, Error* error) {
  const MujocoTask* mujoco_task = task;
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", assets, mujoco_task->model);
  if (length >= (int)sizeof path) {
    return error_set(error, "path of the assets is longer than %zu bytes", sizeof path);
  }
  return mujoco_open_model(env, mujoco_task, path, arena, error);
}
