// plugin_task.c - a user's shared object as a MuJoCo task.
//
// A plugin gives plain C functions and a table (env/plugin.h). A MujocoTask is filled from them,
// whose functions are the small adapters here; everything else is mujoco.c's, and a plugin is
// saved, restored and checked like a built-in task. The plugin sees mjData through AutombpoState,
// pointers to const arrays, so that it needs neither MuJoCo's headers nor its version.
//
// Its memory lives inside one step only: what an episode carries must be in the physics, or a
// checkpoint would lose it. After its functions the locale is set back to "C", whatever they
// called. The shared object and the model are hashed as files of the task.
#include "env/plugin_task.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/text.h"
#include "env/env_files.h"
#include "env/mujoco.h"
#include "env/plugin.h"

// What MujocoBody.plugin points to.
typedef struct {
  const AutombpoTask* task;
  AutombpoState state;                    // points into mjData
  double memory[AUTOMBPO_PLUGIN_MEMORY];  // lives only inside one step
  MujocoTask mujoco;
  EnvOps ops;
  void* handle;                           // of dlopen
  void (*close_body)(Env*);
} Plugin;

static const Plugin* plugin_of(const MujocoBody* body) { return body->plugin; }

static double uniform(void* stream) { return rng_uniform(stream); }

static void place(const MujocoBody* body, double* position, double* velocity, Rng* rng) {
  const Plugin* plugin = plugin_of(body);
  plugin->task->place(&plugin->state, position, velocity, (AutombpoRandom){uniform, rng});
}

static void remember(MujocoBody* body) {
  Plugin* plugin = body->plugin;
  plugin->task->remember(plugin->memory, &plugin->state);
}

static void observe(double* obs, const MujocoBody* body) {
  const Plugin* plugin = plugin_of(body);
  plugin->task->observe(obs, &plugin->state);
  locale_keep_c();
}

static EnvStep outcome(const MujocoBody* body, const double* obs, const double* act) {
  const Plugin* plugin = plugin_of(body);
  const AutombpoTask* task = plugin->task;
  EnvStep step = {.reward = task->reward(&plugin->state, plugin->memory, obs, act)};
  if (task->ended) {
    step.terminated = task->ended(&plugin->state, obs);
  } else if (task->terminated) {
    step.terminated = task->terminated(obs);
  }
  locale_keep_c();
  return step;
}

static void point_to_data(AutombpoState* state, const MujocoBody* body) {
  const mjModel* m = body->model;
  const mjData* d = body->data;
  *state = (AutombpoState){
      .nq = (int)m->nq,
      .nv = (int)m->nv,
      .na = (int)m->na,
      .nu = (int)m->nu,
      .nbody = (int)m->nbody,
      .ngeom = (int)m->ngeom,
      .nsite = (int)m->nsite,
      .nsensordata = (int)m->nsensordata,
      .dt = body->dt,
      .time = &d->time,
      .qpos = d->qpos,
      .qvel = d->qvel,
      .act = d->act,
      .ctrl = d->ctrl,
      .xpos = d->xpos,
      .xquat = d->xquat,
      .xipos = d->xipos,
      .body_mass = m->body_mass,
      .cinert = d->cinert,
      .cvel = d->cvel,
      .cfrc_ext = d->cfrc_ext,
      .geom_xpos = d->geom_xpos,
      .site_xpos = d->site_xpos,
      .qfrc_actuator = d->qfrc_actuator,
      .qfrc_constraint = d->qfrc_constraint,
      .sensordata = d->sensordata,
  };
}

// The id of "kind:name"; -1 if the model has none.
static int find_name(const mjModel* m, const char* name) {
  static const struct {
    const char* kind;
    int type;
  } kinds[] = {
      {"body:", mjOBJ_BODY}, {"joint:", mjOBJ_JOINT}, {"geom:", mjOBJ_GEOM},
      {"site:", mjOBJ_SITE}, {"sensor:", mjOBJ_SENSOR},
  };
  for (int k = 0; k < (int)(sizeof kinds / sizeof kinds[0]); k++) {
    size_t length = strlen(kinds[k].kind);
    if (strncmp(name, kinds[k].kind, length) == 0) {
      int id = mj_name2id(m, kinds[k].type, name + length);
      return id >= 0 && kinds[k].type == mjOBJ_SENSOR ? (int)m->sensor_adr[id] : id;
    }
  }
  return -1;
}

static bool find_names(Plugin* plugin, const MujocoBody* body, Error* error) {
  for (int i = 0; i < AUTOMBPO_PLUGIN_NAMES; i++) {
    const char* name = plugin->task->names[i];
    if (name && (plugin->state.id[i] = find_name(body->model, name)) < 0) {
      return error_set(error,
                       "the model has no '%s' (names are body:, joint:, geom:, site: or sensor:)",
                       name);
    }
  }
  return true;
}

static bool check_task(const AutombpoTask* task, Error* error) {
  if (!task) {
    return error_set(error, "autombpo_task() returned NULL");
  }
  if (task->version != AUTOMBPO_PLUGIN_VERSION) {
    return error_set(error, "made for plugin interface %d, this program has %d", task->version,
                     AUTOMBPO_PLUGIN_VERSION);
  }
  if (!task->name || !*task->name || !task->model || !task->definition) {
    return error_set(error, "name, model and definition must be given");
  }
  if (!text_is_printable(task->name) || !text_is_printable(task->definition) ||
      strlen(task->name) >= ENV_ID_SIZE - sizeof PLUGIN_PREFIX) {
    return error_set(error, "name and definition must be printable UTF-8 in one line, the name of "
                     "at most %zu bytes", ENV_ID_SIZE - sizeof PLUGIN_PREFIX - 1);
  }
  if (!task->observe || !task->reward) {
    return error_set(error, "observe and reward must be given");
  }
  if (task->obs_size < 1 || task->frame_skip < 1 || task->time_limit < 1) {
    return error_set(error, "obs_size, frame_skip and time_limit must be at least 1");
  }
  return true;
}

static void describe_to_mujoco(MujocoTask* mujoco, const AutombpoTask* task) {
  *mujoco = (MujocoTask){
      .model = task->model,
      .definition = task->definition,
      .obs_size = task->obs_size,
      .frame_skip = task->frame_skip,
      .time_limit = task->time_limit,
      .position_noise = task->position_noise,
      .velocity_noise = task->velocity_noise,
      .velocity_normal = task->velocity_normal,
      .contact_forces = task->contact_forces,
      .place = task->place ? place : NULL,
      .remember = task->remember ? remember : NULL,
      .observe = observe,
      .outcome = outcome,
      .terminated = task->terminated,
  };
}

static void plugin_close(Env* env) {
  MujocoBody* body = env->body;
  Plugin* plugin = body->plugin;
  plugin->close_body(env);
  dlclose(plugin->handle);
}

// Closes what MuJoCo has opened, before the plugin's own ops take the place of its.
static void close_body(Env* env) {
  env->ops->close(env);
  env->ops = NULL;
}

// Opens the model, which lies beside the shared object unless its path is absolute.
static bool open_model(Env* env, Plugin* plugin, const char* path, Arena* arena, Error* error) {
  const AutombpoTask* task = plugin->task;
  char model[2 * PATH_MAX];
  int directory = task->model[0] == '/' ? 0 : (int)(strrchr(path, '/') - path) + 1;
  snprintf(model, sizeof model, "%.*s%s", directory, path, task->model);
  describe_to_mujoco(&plugin->mujoco, task);
  if (!mujoco_open_model(env, &plugin->mujoco, model, arena, error)) {
    return false;
  }
  MujocoBody* body = env->body;
  body->plugin = plugin;
  point_to_data(&plugin->state, body);
  if (!find_names(plugin, body, error)) {
    close_body(env);
    return error_add(error, "%s", model);
  }
  return true;
}

static bool open_task(Env* env, Plugin* plugin, const char* path, Arena* arena, Error* error) {
  // ISO C has no conversion from dlsym's object pointer to a function pointer
  const AutombpoTask* (*get_task)(void);
  void* symbol = dlsym(plugin->handle, "autombpo_task");
  if (!symbol) {
    return error_set(error, "exports no function autombpo_task");
  }
  memcpy(&get_task, &symbol, sizeof get_task);
  plugin->task = get_task();
  locale_keep_c();
  if (!check_task(plugin->task, error) || !open_model(env, plugin, path, arena, error)) {
    return false;
  }
  const AutombpoTask* task = plugin->task;
  snprintf(env->spec.id, sizeof env->spec.id, PLUGIN_PREFIX "%s", task->name);
  env->spec.reward = task->reward_of;
  if (!env_note_file(&env->spec, path, error)) {
    close_body(env);
    return false;
  }
  plugin->ops = *env->ops;
  plugin->close_body = env->ops->close;
  plugin->ops.close = plugin_close;
  env->ops = &plugin->ops;
  return true;
}

bool plugin_open(Env* env, const char* path, Arena* arena, Error* error) {
  char absolute[PATH_MAX];
  if (!realpath(path, absolute)) {
    return error_errno(error, path);
  }
  Plugin* plugin = ARENA_NEW(arena, 1, Plugin);
  plugin->handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
  if (!plugin->handle) {
    return error_set(error, "%s", dlerror());
  }
  if (!open_task(env, plugin, absolute, arena, error)) {
    dlclose(plugin->handle);
    return error_add(error, "plugin %s", path);
  }
  return true;
}
