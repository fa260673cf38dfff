// model_rollout.c - F branched rollouts (Algorithm 1, lines 12 to 14), a chunk of start states at a
// time.
//
// A step draws actions, an elite for each row, and a sample of that elite's prediction; `store`
// puts the transitions into D_model and moves the branches that go on to the front, so that the
// next step works on full rows only. The scratch arrays are as large as one chunk, whatever F is.
//
// The order of the rows in D_model is therefore by chunk and then by step, which differs from the
// release (docs/algorithms.md, D4). A branch ends where the task's own function of the observation
// says so, or where the prediction is not finite.
#include "mbpo/model_rollout.h"

#include <math.h>
#include <string.h>

struct RolloutScratch {
  int obs_size, act_size;
  Real* obs;         // (ROLLOUT_CHUNK, O) states of the branches that still run
  Real* act;         // (ROLLOUT_CHUNK, A)
  Real* next_obs;    // (ROLLOUT_CHUNK, O)
  Real* rew;         // (ROLLOUT_CHUNK)
  Real* logp;        // (ROLLOUT_CHUNK)
  Real* noise;       // (ROLLOUT_CHUNK, max(A, 1 + O))
  int32_t* index;    // (ROLLOUT_CHUNK) start rows, then elite positions, then members
  int64_t* before;   // (ROLLOUT_CHUNK) numbers of the branches' last transitions
  double* row;       // (O) one observation for the termination function
};

RolloutScratch* rollout_scratch_new(int obs_size, int act_size, Arena* arena) {
  RolloutScratch* scratch = ARENA_NEW(arena, 1, RolloutScratch);
  int noise = obs_size + 1 > act_size ? obs_size + 1 : act_size;
  scratch->obs_size = obs_size;
  scratch->act_size = act_size;
  scratch->obs = ARENA_NEW(arena, ROLLOUT_CHUNK * obs_size, Real);
  scratch->act = ARENA_NEW(arena, ROLLOUT_CHUNK * act_size, Real);
  scratch->next_obs = ARENA_NEW(arena, ROLLOUT_CHUNK * obs_size, Real);
  scratch->rew = ARENA_NEW(arena, ROLLOUT_CHUNK, Real);
  scratch->logp = ARENA_NEW(arena, ROLLOUT_CHUNK, Real);
  scratch->noise = ARENA_NEW(arena, ROLLOUT_CHUNK * noise, Real);
  scratch->index = ARENA_NEW(arena, ROLLOUT_CHUNK, int32_t);
  scratch->before = ARENA_NEW(arena, ROLLOUT_CHUNK, int64_t);
  scratch->row = ARENA_NEW(arena, obs_size, double);
  return scratch;
}

double rollout_scratch_bytes(int obs_size, int act_size) {
  int noise = obs_size + 1 > act_size ? obs_size + 1 : act_size;
  double numbers = 2 * obs_size + act_size + 3 + noise;
  return ROLLOUT_CHUNK * numbers * sizeof(Real);
}

static void draw_start_states(RolloutScratch* s, const Replay* real, int count, Rng* rng) {
  rng_fill_below(s->index, count, (int32_t)real->size, rng);
  for (int b = 0; b < count; b++) {
    const Real* row = replay_row(real, s->index[b]);
    transition_copy(s->obs + b * s->obs_size, transition_obs(&real->row, row), s->obs_size);
    s->before[b] = IMAGINED_START;
  }
}

static void draw_elites(RolloutScratch* s, const Ensemble* ensemble, int count, Rng* rng) {
  rng_fill_below(s->index, count, ensemble->options.elites, rng);
  for (int b = 0; b < count; b++) {
    s->index[b] = ensemble->elites[s->index[b]];
  }
}

static bool is_finite_row(const Real* row, int size) {
  for (int i = 0; i < size; i++) {
    if (!isfinite(row[i])) {
      return false;
    }
  }
  return true;
}

// Stores the predicted transitions but those that are not finite (docs/algorithms.md, D5), moves
// the branches that go on to the front, returns how many.
static int store(Imagined* imagined, RolloutScratch* s, EnvTermination terminated, int count) {
  int O = s->obs_size;
  int alive = 0;
  for (int b = 0; b < count; b++) {
    const Real* next_obs = s->next_obs + b * O;
    if (!is_finite_row(next_obs, O) || !isfinite(s->rew[b])) {
      continue;
    }
    for (int o = 0; o < O; o++) {
      s->row[o] = (double)next_obs[o];
    }
    bool ended = terminated && terminated(s->row);
    int64_t number = imagined_add(imagined, s->before[b], s->obs + b * O, s->act + b * s->act_size,
                                  next_obs, s->rew[b], ended);
    if (!ended) {
      memmove(s->obs + alive * O, next_obs, (size_t)O * sizeof(Real));
      s->before[alive] = number;
      alive++;
    }
  }
  return alive;
}

static void draw_noise(RolloutScratch* s, bool mean, int64_t count, Rng* rng) {
  if (mean) {
    memset(s->noise, 0, (size_t)count * sizeof(Real));
  } else {
    rng_fill_normal(s->noise, count, rng);
  }
}

static int rollout_step(Imagined* imagined, Sac* sac, Ensemble* ensemble, EnvTermination terminated,
                        RolloutMeans means, int count, Rng* rng, RolloutScratch* s) {
  draw_noise(s, means.actions, (int64_t)count * s->act_size, rng);
  sac_act(s->act, s->logp, sac, s->obs, s->noise, count);
  draw_elites(s, ensemble, count, rng);
  draw_noise(s, means.predictions, (int64_t)count * (s->obs_size + 1), rng);
  ensemble_sample(s->next_obs, s->rew, ensemble, s->obs, s->act, s->index, s->noise, count);
  return store(imagined, s, terminated, count);
}

void model_rollout(Imagined* imagined, const Replay* real, Sac* sac, Ensemble* ensemble,
                   EnvTermination terminated, RolloutMeans means, int64_t count, int length,
                   Rng* rng, RolloutScratch* scratch) {
  for (int64_t start = 0; start < count; start += ROLLOUT_CHUNK) {
    int alive = (int)(count - start < ROLLOUT_CHUNK ? count - start : ROLLOUT_CHUNK);
    draw_start_states(scratch, real, alive, rng);
    for (int k = 0; k < length && alive > 0; k++) {
      alive = rollout_step(imagined, sac, ensemble, terminated, means, alive, rng, scratch);
      imagined_trim(imagined);
    }
  }
}
