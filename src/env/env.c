// env.c - the table of tasks, and the calls that lead to their bodies.
//
// A row has an id, the function that opens it and a table of constants; the body behind an Env is
// MuJoCo's, Bullet's, plain C or a plugin's, and is reached through EnvOps. What all share is here:
// actions are brought from the policy's [-1, 1] into the task's own range, and a saved state names
// its task and its engine, so that the state of another one is refused instead of continued.
#include "env/env.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "env/plugin_task.h"
#include "env/tasks.h"

typedef struct {
  const char* id;
  EnvOpen open;
  const void* task;
} Entry;

static const Entry ENTRIES[] = {
    {"pendulum-v1", pendulum_open, NULL},
    {"inverted-pendulum-v4", mujoco_open, &inverted_pendulum_v4},
    {"inverted-pendulum-v5", mujoco_open, &inverted_pendulum_v5},
    {"inverted-double-pendulum-v4", mujoco_open, &inverted_double_pendulum_v4},
    {"inverted-double-pendulum-v5", mujoco_open, &inverted_double_pendulum_v5},
    {"hopper-v4", mujoco_open, &hopper_v4},
    {"hopper-v5", mujoco_open, &hopper_v5},
    {"walker2d-v4", mujoco_open, &walker2d_v4},
    {"walker2d-v5", mujoco_open, &walker2d_v5},
    {"half-cheetah-v4", mujoco_open, &half_cheetah_v4},
    {"half-cheetah-v5", mujoco_open, &half_cheetah_v5},
    {"swimmer-v4", mujoco_open, &swimmer_v4},
    {"swimmer-v5", mujoco_open, &swimmer_v5},
    {"ant-v4", mujoco_open, &ant_v4},
    {"ant-v5", mujoco_open, &ant_v5},
    {"ant-truncated", mujoco_open, &ant_truncated},
    {"humanoid-v4", mujoco_open, &humanoid_v4},
    {"humanoid-v5", mujoco_open, &humanoid_v5},
    {"humanoid-truncated", mujoco_open, &humanoid_truncated},
    {"humanoid-standup-v4", mujoco_open, &humanoid_standup_v4},
    {"humanoid-standup-v5", mujoco_open, &humanoid_standup_v5},
    {"reacher-v4", mujoco_open, &reacher_v4},
    {"reacher-v5", mujoco_open, &reacher_v5},
    {"pusher-v4", mujoco_open, &pusher_v4},
    {"pusher-v5", mujoco_open, &pusher_v5},
    {"hopper-bullet", bullet_open, &hopper_bullet},
    {"hopper-bullet-paper", bullet_open, &hopper_bullet_paper},
    {"walker2d-bullet", bullet_open, &walker2d_bullet},
    {"walker2d-bullet-paper", bullet_open, &walker2d_bullet_paper},
    {"half-cheetah-bullet", bullet_open, &half_cheetah_bullet},
    {"half-cheetah-bullet-paper", bullet_open, &half_cheetah_bullet_paper},
};

#define ENTRY_COUNT ((int)(sizeof ENTRIES / sizeof ENTRIES[0]))

int env_count(void) { return ENTRY_COUNT; }

const char* env_id(int i) {
  CHECK(0 <= i && i < ENTRY_COUNT, "task %d of %d", i, ENTRY_COUNT);
  return ENTRIES[i].id;
}

static const Entry* find_entry(const char* id) {
  for (int i = 0; i < ENTRY_COUNT; i++) {
    if (strcmp(ENTRIES[i].id, id) == 0) {
      return &ENTRIES[i];
    }
  }
  return NULL;
}

static bool is_plugin(const char* id) {
  return strncmp(id, PLUGIN_PREFIX, strlen(PLUGIN_PREFIX)) == 0;
}

static bool unknown(const char* id, Error* error) {
  static const char list[] = "'autombpo env list' lists all tasks";
  TextNearest near = {.word = id};
  for (int i = 0; i < ENTRY_COUNT; i++) {
    text_consider(&near, ENTRIES[i].id);
  }
  return near.nearest ? error_set(error, "unknown task '%s' (did you mean '%s'? %s)", id,
                                  near.nearest, list)
                      : error_set(error, "unknown task '%s' (%s)", id, list);
}

bool env_open(Env* env, const char* id, const char* assets, Arena* arena, Error* error) {
  *env = (Env){0};
  if (strlen(id) >= sizeof env->spec.id) {
    return error_set(error, "task id of %zu characters; at most %zu are allowed", strlen(id),
                     sizeof env->spec.id - 1);
  }
  strcpy(env->spec.id, id);
  if (is_plugin(id)) {
    return plugin_open(env, id + strlen(PLUGIN_PREFIX), arena, error);
  }
  const Entry* entry = find_entry(id);
  if (!entry) {
    return unknown(id, error);
  }
  return entry->open(env, entry->task, assets, arena, error) || error_add(error, "task %s", id);
}

void env_close(Env* env) {
  if (env->ops) {
    env->ops->close(env);
    env->ops = NULL;
  }
}

void env_reset(Env* env, double* obs, Rng* rng) { env->ops->reset(env, obs, rng); }

void env_set_state(Env* env, double* obs, const double* position, const double* velocity) {
  env->ops->set_state(env, obs, position, velocity);
}

int env_position_size(const Env* env) { return env->ops->position_size(env); }

int env_velocity_size(const Env* env) { return env->ops->velocity_size(env); }

void env_pose(const Env* env, double* qpos, double* qvel) {
  CHECK(env->ops->pose, "task %s has no model", env->spec.id);
  env->ops->pose(env, qpos, qvel);
}

EnvStep env_step(Env* env, double* obs, const double* act) {
  return env->ops->step(env, obs, act);
}

EnvStep env_step_normalized(Env* env, double* obs, const Real* act) {
  double own[ENV_MAX_ACT];
  for (int a = 0; a < env->spec.act_size; a++) {
    double low = env->spec.act_low[a];
    double high = env->spec.act_high[a];
    double x = low + ((double)act[a] + 1) / 2 * (high - low);
    x = x < low ? low : x;
    own[a] = x > high ? high : x;
  }
  return env->ops->step(env, obs, own);
}

// Saves a text, or fails if the archive holds another one.
static void visit_same_text(Archive* archive, const char* name, const char* text, size_t size) {
  uint8_t stored[ENV_ID_SIZE];
  CHECK(size <= sizeof stored, "text of %zu bytes", size);
  memcpy(stored, text, size);
  archive_u8(archive, name, stored, size);
  if (!archive->failed && memcmp(stored, text, size) != 0) {
    stored[size - 1] = 0;
    archive_fail(archive, "state of %s '%s', but this program runs '%s'", name,
                 (const char*)stored, text);
  }
}

void env_visit(Env* env, Archive* archive, const char* name) {
  archive_enter(archive, name);
  visit_same_text(archive, "task", env->spec.id, sizeof env->spec.id);
  visit_same_text(archive, "engine", env->spec.engine, sizeof env->spec.engine);
  if (!archive->failed) {
    env->ops->visit(env, archive);
  }
  archive_leave(archive);
}
