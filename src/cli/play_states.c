#include "cli/play.h"
#include "store/h5.h"

// Calls `each` for every array: its address and its bytes.
static void for_arrays(PlayStates* s, const Env* env, int episodes, int limit,
                       void (*each)(void** array, size_t bytes)) {
  const EnvSpec* spec = &env->spec;
  size_t E = (size_t)episodes;
  size_t T = (size_t)episodes * (size_t)limit;
  size_t number = sizeof(double);
  each((void**)&s->start, (E + 1) * sizeof *s->start);
  each((void**)&s->obs0, E * (size_t)spec->obs_size * number);
  each((void**)&s->qpos0, E * (size_t)(spec->model_nq + 1) * number);
  each((void**)&s->qvel0, E * (size_t)(spec->model_nv + 1) * number);
  each((void**)&s->action, T * (size_t)spec->act_size * number);
  each((void**)&s->obs, T * (size_t)spec->obs_size * number);
  each((void**)&s->reward, T * number);
  each((void**)&s->terminated, T);
  each((void**)&s->qpos, T * (size_t)(spec->model_nq + 1) * number);
  each((void**)&s->qvel, T * (size_t)(spec->model_nv + 1) * number);
}

static void reserve(void** array, size_t bytes) { *array = memory_reserve(bytes); }

static void unreserve(void** array, size_t bytes) { memory_unreserve(*array, bytes); }

void play_states_init(PlayStates* states, const Env* env, int episodes, int limit) {
  *states = (PlayStates){0};
  for_arrays(states, env, episodes, limit, reserve);
}

void play_states_free(PlayStates* states, const Env* env, int episodes, int limit) {
  for_arrays(states, env, episodes, limit, unreserve);
}

// (rows, columns); left out without columns. columns = -1: (rows).
static void write(H5File* file, const char* name, H5Type type, int64_t rows, int columns,
                  const char* long_name, const void* data) {
  const H5Column column = {name, type, rows, columns < 0 ? 0 : columns, "1", long_name};
  if (columns != 0) {
    h5_write(file, &column, data);
  }
}

bool play_states_write(const PlayStates* s, const char* path, const Env* env, Error* error) {
  const EnvSpec* spec = &env->spec;
  bool velocities = env_velocity_size(env) > 0;
  int64_t E = s->episodes;
  int64_t T = s->steps;
  H5File file;
  if (!h5_create(&file, path, "autombpo.play", 1, error)) {
    return false;
  }
  h5_set_text(&file, "", "task", spec->id);
  h5_set_text(&file, "", "engine", spec->engine);
  h5_set_f64(&file, "", "step_seconds", spec->step_seconds);
  write(&file, "ep_start", H5_I64, E + 1, -1, "row of each episode's first action, then T",
        s->start);
  write(&file, velocities ? "qpos0" : "jreset", H5_F64, E, env_position_size(env),
        "positions at the start of each episode", s->qpos0);
  write(&file, "qvel0", H5_F64, E, env_velocity_size(env),
        "velocities at the start of each episode", s->qvel0);
  write(&file, "obs0", H5_F64, E, spec->obs_size, "observation at the start of each episode",
        s->obs0);
  write(&file, "action", H5_F64, T, spec->act_size, "in the task's own units", s->action);
  write(&file, "obs", H5_F64, T, spec->obs_size, "observation after each action", s->obs);
  write(&file, "reward", H5_F64, T, -1, "reward of each action", s->reward);
  write(&file, "terminated", H5_U8, T, -1, "1 where the task terminated", s->terminated);
  write(&file, "qpos", H5_F64, T, spec->model_nq, "joint positions after each action", s->qpos);
  write(&file, "qvel", H5_F64, T, spec->model_nv, "joint velocities after each action", s->qvel);
  return h5_seal(&file, error);
}
