// play.c - one episode of a policy in a task, with what is kept of it.
//
// A step asks for an action, steps the task, and copies what is wanted (states, frames). Each
// episode has two streams, for its start and for its actions, named by its index: episode 7 is the
// same whether or not six others were played before it.
//
// An episode starts from the drawn state as it is recorded, set once more: what `env replay` is
// given later is then exactly what was played.
#include "cli/play.h"

#include <string.h>

typedef struct {
  double* obs;        // (O)
  double* act;        // (A) own units
  double* qpos;       // (nq)
  double* qvel;       // (nv)
  Real* policy_obs;   // (O)
  Real* policy_act;   // (A)
  Real* noise;        // (A)
} Buffers;

static Buffers make_buffers(const EnvSpec* spec, Arena* scratch) {
  return (Buffers){
      .obs = ARENA_NEW(scratch, spec->obs_size, double),
      .act = ARENA_NEW(scratch, spec->act_size, double),
      .qpos = ARENA_NEW(scratch, spec->model_nq + 1, double),
      .qvel = ARENA_NEW(scratch, spec->model_nv + 1, double),
      .policy_obs = ARENA_NEW(scratch, spec->obs_size, Real),
      .policy_act = ARENA_NEW(scratch, spec->act_size, Real),
      .noise = ARENA_NEW(scratch, spec->act_size, Real),
  };
}

// The policy's action, in [-1, 1]^A.
static void ask_policy(Buffers* b, PlayPolicy* policy, const EnvSpec* spec, Rng* rng) {
  for (int o = 0; o < spec->obs_size; o++) {
    b->policy_obs[o] = (Real)b->obs[o];
  }
  if (policy->stochastic) {
    rng_fill_normal(b->noise, spec->act_size, rng);
    sac_act(b->policy_act, NULL, &policy->sac, b->policy_obs, b->noise, 1);
  } else {
    sac_act_mean(b->policy_act, &policy->sac, b->policy_obs, 1);
  }
}

static void choose_action(Buffers* b, PlayPolicy* policy, const EnvSpec* spec, Rng* rng) {
  if (policy->kind == PLAY_POLICY) {
    ask_policy(b, policy, spec, rng);
  }
  for (int a = 0; a < spec->act_size; a++) {
    double unit = policy->kind == PLAY_POLICY ? (double)b->policy_act[a]
                  : policy->kind == PLAY_RANDOM ? rng_range(rng, -1, 1)
                                                : 0;
    double low = spec->act_low[a];
    double high = spec->act_high[a];
    double x = policy->kind == PLAY_ZERO ? 0 : low + (unit + 1) / 2 * (high - low);
    b->act[a] = x < low ? low : x > high ? high : x;
  }
}

// The part of a pose that env_set_state takes: all of MuJoCo's; of Bullet's the joints after those
// of the root.
static const double* start_position(const Env* env, const double* qpos) {
  return qpos + (env->spec.model_nq - env_position_size(env));
}

// Starts an episode from the drawn state as it is recorded, so that a replay starts from the same.
static void start(Buffers* b, Play* play, Rng* rng) {
  Env* env = play->env;
  env_reset(env, b->obs, rng);
  if (!env->spec.model) {
    return;
  }
  env_pose(env, b->qpos, b->qvel);
  env_set_state(env, b->obs, start_position(env, b->qpos), b->qvel);
}

static void copy_row(double* table, int64_t row, const double* x, int n) {
  memcpy(table + row * n, x, sizeof *x * (size_t)n);
}

static void keep_start(PlayStates* s, const Buffers* b, const Env* env) {
  const EnvSpec* spec = &env->spec;
  int64_t e = s->episodes++;
  copy_row(s->obs0, e, b->obs, spec->obs_size);
  copy_row(s->qpos0, e, start_position(env, b->qpos), env_position_size(env));
  copy_row(s->qvel0, e, b->qvel, env_velocity_size(env));
  s->start[e + 1] = s->steps;
}

static void keep_step(PlayStates* s, const Buffers* b, const EnvSpec* spec, EnvStep step) {
  int64_t t = s->steps++;
  copy_row(s->action, t, b->act, spec->act_size);
  copy_row(s->obs, t, b->obs, spec->obs_size);
  copy_row(s->qpos, t, b->qpos, spec->model_nq);
  copy_row(s->qvel, t, b->qvel, spec->model_nv);
  s->reward[t] = step.reward;
  s->terminated[t] = step.terminated;
  s->start[s->episodes] = s->steps;
}

static bool draw(Play* play, const Buffers* b, int step, Error* error) {
  if (!play->renderer || step % play->every != 0) {
    return true;
  }
  renderer_draw(play->renderer, play->rgb, b->qpos);
  return movie_add(play->movie, play->rgb, error);
}

static bool run(PlayEpisode* result, Play* play, Buffers* b, Rng* rng, Error* error) {
  Env* env = play->env;
  while (result->length < play->limit && !result->terminated && !result->diverged) {
    choose_action(b, play->policy, &env->spec, rng);
    EnvStep step = env_step(env, b->obs, b->act);
    if (env->spec.model) {
      env_pose(env, b->qpos, b->qvel);
    }
    result->total += step.reward;
    result->length++;
    result->terminated = step.terminated;
    result->diverged = step.diverged;
    if (play->states) {
      keep_step(play->states, b, &env->spec, step);
    }
    if (!step.diverged && !draw(play, b, result->length, error)) {
      return false;
    }
  }
  return true;
}

bool play_episode(PlayEpisode* result, Play* play, int index, Arena* scratch, Error* error) {
  ArenaMark mark = arena_mark(scratch);
  Buffers b = make_buffers(&play->env->spec, scratch);
  Rng reset = rng_stream(play->seed, 0, RNG_EVALUATE, index);
  Rng act = rng_stream(play->seed, 0, RNG_ACT, index);
  *result = (PlayEpisode){0};
  start(&b, play, &reset);
  if (play->states) {
    keep_start(play->states, &b, play->env);
  }
  bool ok = draw(play, &b, 0, error) && run(result, play, &b, &act, error);
  arena_release(scratch, mark);
  return ok;
}
