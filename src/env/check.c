// check.c - two copies of a task, side by side.
//
// Both copies get the same start and the same actions, and must give the same bits: that is
// determinism. Twice in an episode the second one is reset, loads the saved state of the first, and
// must go on like it: that is what checkpoints rely on. The first one's steps are also compared
// with the task's functions of a transition: the end, as imagined rollouts see it, and the reward,
// where there is one.
//
// Speed is measured against the bare engine, which gets the same actions and the same ends, so that
// both simulate the same episodes; the laps alternate, and a change of the machine's load meets
// both.
#include "env/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/stopwatch.h"

#define ACTIONS 1024  // rows of random actions that the timing loops cycle through
#define LAPS 20       // timings, of which the best counts
#define LAP_STEPS 500

// Two copies of the task and their buffers.
typedef struct {
  Env env;
  Env other;
  double* obs;        // (O)
  double* last_obs;   // (O)
  double* other_obs;  // (O)
  ArchiveMemory memory;
} Bench;

static Rng check_stream(int64_t index) { return rng_stream(1, 0, RNG_TEST, index); }

static void draw_action(double* act, const EnvSpec* spec, Rng* rng) {
  for (int a = 0; a < spec->act_size; a++) {
    act[a] = rng_range(rng, spec->act_low[a], spec->act_high[a]);
  }
}

static bool same(const double* x, const double* y, int n) {
  return memcmp(x, y, sizeof *x * (size_t)n) == 0;
}

static bool same_step(EnvStep a, EnvStep b) {
  return same(&a.reward, &b.reward, 1) && a.terminated == b.terminated && a.diverged == b.diverged;
}

static void transfer(Env* to, Env* from, ArchiveMemory* memory) {
  Archive archive;
  memory->size = memory->position = 0;
  archive_init_memory(&archive, ARCHIVE_SAVE, memory);
  env_visit(from, &archive, "env");
  archive_init_memory(&archive, ARCHIVE_LOAD, memory);
  env_visit(to, &archive, "env");
}

static void note_step(EnvCheck* check, const Bench* bench, const double* act, EnvStep step) {
  const EnvSpec* spec = &bench->env.spec;
  bool finite = isfinite(step.reward);
  for (int i = 0; i < spec->obs_size; i++) {
    finite = finite && isfinite(bench->obs[i]);
  }
  bool model = spec->terminated && spec->terminated(bench->obs);
  check->steps++;
  check->not_finite += !finite;
  check->diverged += step.diverged;
  check->terminated += step.terminated;
  check->model_missed += step.terminated && !model;
  check->model_ended += model && !step.terminated;
  check->reward_low = fmin(check->reward_low, step.reward);
  check->reward_high = fmax(check->reward_high, step.reward);
  if (spec->reward) {
    double expected = spec->reward(bench->last_obs, act, bench->obs);
    check->reward_difference = fmax(check->reward_difference, fabs(step.reward - expected));
  }
}

// One episode, which `other` follows: for the first half from the same start, then, after something
// else has happened to it, from a saved state.
static void run_episode(EnvCheck* check, Bench* bench, int64_t steps) {
  const EnvSpec* spec = &bench->env.spec;
  size_t obs_bytes = sizeof(double) * (size_t)spec->obs_size;
  Rng rng = check_stream(2 * check->episodes);
  Rng same_rng = rng;
  env_reset(&bench->env, bench->obs, &rng);
  env_reset(&bench->other, bench->other_obs, &same_rng);
  check->deterministic &= same(bench->obs, bench->other_obs, spec->obs_size);
  int length = spec->time_limit;
  double total = 0;
  bool restored = false;
  for (int t = 0; t < length && check->steps < steps; t++) {
    double act[ENV_MAX_ACT];
    if (t == 5 || t == length / 2) {
      env_reset(&bench->other, bench->other_obs, &same_rng);
      transfer(&bench->other, &bench->env, &bench->memory);
      restored = true;
    }
    draw_action(act, spec, &rng);
    memcpy(bench->last_obs, bench->obs, obs_bytes);
    EnvStep step = env_step(&bench->env, bench->obs, act);
    EnvStep other = env_step(&bench->other, bench->other_obs, act);
    bool equal = same_step(step, other) && same(bench->obs, bench->other_obs, spec->obs_size);
    *(restored ? &check->restorable : &check->deterministic) &= equal;
    note_step(check, bench, act, step);
    total += step.reward;
    if (step.terminated) {
      break;
    }
  }
  check->mean_return += total;
  check->episodes++;
}

// Steps per second. ends (LAP_STEPS): written by whole steps, followed by bare ones (bare = true),
// so that both simulate the same episodes.
static double measure(Bench* bench, const double* actions, bool* ends, bool bare) {
  Env* env = &bench->env;
  Rng rng = check_stream(1);
  int t = 0;
  env_reset(env, bench->obs, &rng);
  double start = clock_processor();
  for (int i = 0; i < LAP_STEPS; i++) {
    const double* act = actions + i % ACTIONS * env->spec.act_size;
    if (bare) {
      env->ops->advance(env, act);
    } else {
      ends[i] = env_step(env, bench->obs, act).terminated || ++t == env->spec.time_limit;
    }
    if (ends[i]) {
      t = 0;
      env_reset(env, bench->obs, &rng);
    }
  }
  return LAP_STEPS / (clock_processor() - start);
}

static int compare_doubles(const void* a, const void* b) {
  double x = *(const double*)a;
  double y = *(const double*)b;
  return (x > y) - (x < y);
}

// Whole and bare laps alternate, so that a change of the machine's load meets both.
static void measure_rates(EnvCheck* check, Bench* bench, Arena* arena) {
  const EnvSpec* spec = &bench->env.spec;
  double* actions = ARENA_NEW(arena, ACTIONS * spec->act_size, double);
  bool ends[LAP_STEPS];
  Rng rng = check_stream(3);
  for (int i = 0; i < ACTIONS; i++) {
    draw_action(actions + i * spec->act_size, spec, &rng);
  }
  double overhead[LAPS] = {0};
  for (int lap = 0; lap < LAPS; lap++) {
    double rate = measure(bench, actions, ends, false);
    check->rate = fmax(check->rate, rate);
    if (bench->env.ops->advance) {
      double bare_rate = measure(bench, actions, ends, true);
      check->bare_rate = fmax(check->bare_rate, bare_rate);
      overhead[lap] = 1 - rate / bare_rate;
    }
  }
  qsort(overhead, LAPS, sizeof overhead[0], compare_doubles);
  check->overhead = overhead[LAPS / 2];
}

static void run_check(EnvCheck* check, Bench* bench, int64_t steps, Arena* arena) {
  int O = bench->env.spec.obs_size;
  bench->obs = ARENA_NEW(arena, O, double);
  bench->last_obs = ARENA_NEW(arena, O, double);
  bench->other_obs = ARENA_NEW(arena, O, double);
  *check = (EnvCheck){
      .deterministic = true,
      .restorable = true,
      .reward_low = INFINITY,
      .reward_high = -INFINITY,
      .reward_difference = bench->env.spec.reward ? 0 : -1,
  };
  while (check->steps < steps) {
    run_episode(check, bench, steps);
  }
  check->mean_return /= (double)check->episodes;
  measure_rates(check, bench, arena);
}

bool env_check(EnvCheck* check, const char* id, const char* assets, int64_t steps, Error* error) {
  Arena arena;
  arena_init(&arena);
  Bench bench = {0};
  bool good = env_open(&bench.env, id, assets, &arena, error) &&
              env_open(&bench.other, id, assets, &arena, error);
  if (good) {
    run_check(check, &bench, steps, &arena);
  }
  env_close(&bench.env);
  env_close(&bench.other);
  archive_memory_free(&bench.memory);
  arena_free(&arena);
  return good;
}

bool env_check_passed(const EnvCheck* check, Error* problems) {
  bool good = true;
  if (!check->deterministic) {
    good = error_line(problems, "not deterministic: the same start and actions gave other numbers");
  }
  if (!check->restorable) {
    good = error_line(problems, "a saved and loaded episode went on with other numbers");
  }
  if (check->not_finite > 0) {
    good = error_line(problems, "%lld steps with an observation or reward that is not finite",
                      (long long)check->not_finite);
  }
  if (check->diverged > 0) {
    good = error_line(problems, "%lld steps diverged", (long long)check->diverged);
  }
  // where the two definitions differ on purpose, they may be a step apart at some ends
  int64_t allowed = check->terminated / 2;
  if (check->model_missed > allowed || check->model_ended > allowed) {
    good = error_line(problems,
                      "the model cannot evaluate the termination: of %lld ends its function misses "
                      "%lld, and it ends %lld other steps",
                      (long long)check->terminated, (long long)check->model_missed,
                      (long long)check->model_ended);
  }
  if (check->reward_difference > 1e-9) {
    good = error_line(problems, "the reward differs from its function of the transition by %g",
                      check->reward_difference);
  }
  return good;
}
