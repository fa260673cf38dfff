// env_replay.c - a recording's start states and actions through one of our tasks, for comparison
// elsewhere.
//
// A Recording is four tables of a file that another program wrote; they are checked for shape,
// order and finite numbers before anything is run. Each episode is set to its start state and fed
// its actions, whatever the task says about its end, because the reference did so, too. The Answer
// is sealed with the same names.
//
// Nothing is compared here: tests and users do that, with the tolerance that suits them.
#include "cli/env_replay.h"

#include <math.h>
#include <stdio.h>

#include "env/env.h"
#include "store/h5.h"
#include "store/h5_table.h"

typedef struct {
  H5Table position;   // (E, nq)  qpos0, or jreset
  H5Table velocity;   // (E, nv)  qvel0
  H5Table start;      // (E + 1)  row of each episode's first action, then T
  H5Table action;     // (T, A)   the environment's own units
} Recording;

typedef struct {
  double* obs0;        // (E, O)
  double* obs;         // (T, O)
  double* reward;      // (T)
  double* terminated;  // (T)
} Answer;

static bool expect_shape(const H5Table* table, const char* name, int64_t rows, int64_t columns,
                         Error* error) {
  return (table->rows == rows && table->columns == columns) ||
         error_set(error, "%s is (%lld, %lld), expected (%lld, %lld)", name, (long long)table->rows,
                   (long long)table->columns, (long long)rows, (long long)columns);
}

static bool expect_finite(const H5Table* table, const char* name, Error* error) {
  for (int64_t i = 0; i < table->rows * table->columns; i++) {
    if (!isfinite(table->x[i])) {
      return error_set(error, "%s[%lld, %lld] is %g, expected a finite number", name,
                       (long long)(i / table->columns), (long long)(i % table->columns),
                       table->x[i]);
    }
  }
  return true;
}

// 0 = start[0] <= start[1] ... <= start[E] = T, whole numbers.
static bool expect_starts(const H5Table* start, int64_t T, Error* error) {
  if (start->rows < 1 || start->columns != 1 || start->x[0] != 0) {
    return error_set(error, "ep_start must begin with row 0");
  }
  for (int64_t e = 0; e + 1 < start->rows; e++) {
    if (!(start->x[e + 1] >= start->x[e]) || start->x[e + 1] != floor(start->x[e + 1])) {
      return error_set(error, "ep_start[%lld] is %g after %g, expected rows in ascending order",
                       (long long)e + 1, start->x[e + 1], start->x[e]);
    }
  }
  double last = start->x[start->rows - 1];
  return last == (double)T || error_set(error, "ep_start ends with %g, but there are %lld actions",
                                        last, (long long)T);
}

static bool read_recording(Recording* r, const Env* env, const char* path, Arena* arena,
                           Error* error) {
  bool velocities = env_velocity_size(env) > 0;
  const char* position = velocities ? "qpos0" : "jreset";
  *r = (Recording){0};
  if (!h5_table_read(&r->start, path, "ep_start", arena, error) ||
      !h5_table_read(&r->action, path, "action", arena, error) ||
      !h5_table_read(&r->position, path, position, arena, error) ||
      (velocities && !h5_table_read(&r->velocity, path, "qvel0", arena, error))) {
    return false;
  }
  int64_t T = r->action.rows;
  int64_t E = r->start.rows - 1;
  bool good = expect_starts(&r->start, T, error) &&
              expect_shape(&r->action, "action", T, env->spec.act_size, error) &&
              expect_shape(&r->position, position, E, env_position_size(env), error) &&
              expect_finite(&r->action, "action", error) &&
              expect_finite(&r->position, position, error);
  if (good && velocities) {
    good = expect_shape(&r->velocity, "qvel0", E, env_velocity_size(env), error) &&
           expect_finite(&r->velocity, "qvel0", error);
  }
  return good || error_add(error, "%s", path);
}

static void run_recording(Answer* answer, Env* env, const Recording* r) {
  int O = env->spec.obs_size;
  int A = env->spec.act_size;
  for (int64_t e = 0; e + 1 < r->start.rows; e++) {
    const double* position = r->position.x + e * r->position.columns;
    const double* velocity = r->velocity.x ? r->velocity.x + e * r->velocity.columns : NULL;
    env_set_state(env, answer->obs0 + e * O, position, velocity);
    for (int64_t t = (int64_t)r->start.x[e]; t < (int64_t)r->start.x[e + 1]; t++) {
      EnvStep step = env_step(env, answer->obs + t * O, r->action.x + t * A);
      answer->reward[t] = step.reward;
      answer->terminated[t] = step.terminated;
    }
  }
}

static bool write_answer(const char* path, const Answer* answer, const Env* env,
                         const Recording* r, Error* error) {
  H5File file;
  if (!h5_create(&file, path, "autombpo.env_replay", 1, error)) {
    return false;
  }
  int64_t E = r->start.rows - 1;
  int64_t T = r->action.rows;
  int64_t O = env->spec.obs_size;
  const H5Column obs0 = {"obs0", H5_F64, E, O, "1", "observation at the start of each episode"};
  const H5Column obs = {"obs", H5_F64, T, O, "1", "observation after each action"};
  const H5Column reward = {"reward", H5_F64, T, 0, "1", "reward of each action"};
  const H5Column terminated = {"terminated", H5_F64, T, 0, "1", "1 where the task terminated"};
  h5_set_text(&file, "", "task", env->spec.id);
  h5_set_text(&file, "", "engine", env->spec.engine);
  h5_write(&file, &obs0, answer->obs0);
  h5_write(&file, &obs, answer->obs);
  h5_write(&file, &reward, answer->reward);
  h5_write(&file, &terminated, answer->terminated);
  return h5_seal(&file, error);
}

static bool replay(Env* env, const char* input, const char* output, Arena* arena, Error* error) {
  Recording recording;
  if (!read_recording(&recording, env, input, arena, error)) {
    return false;
  }
  int64_t E = recording.start.rows - 1;
  int64_t T = recording.action.rows;
  Answer answer = {
      .obs0 = ARENA_NEW(arena, E * env->spec.obs_size, double),
      .obs = ARENA_NEW(arena, T * env->spec.obs_size, double),
      .reward = ARENA_NEW(arena, T, double),
      .terminated = ARENA_NEW(arena, T, double),
  };
  run_recording(&answer, env, &recording);
  return write_answer(output, &answer, env, &recording, error);
}

bool env_replay(const char* id, const char* assets, const char* input, const char* output,
                Error* error) {
  Arena arena;
  arena_init(&arena);
  Env env;
  bool good = env_open(&env, id, assets, &arena, error);
  if (good) {
    good = replay(&env, input, output, &arena, error);
    env_close(&env);
  }
  arena_free(&arena);
  return good;
}
