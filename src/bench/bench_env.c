// bench_env.c - steps of the real environment, and of its engine alone.
#include <math.h>

#include "bench_internal.h"

#define LAP 500       // steps at a time
#define ACTIONS 1024  // random ones, used in turn

typedef struct {
  Env env;
  Rng rng;
  double* obs;     // (O)
  double* act;     // (ACTIONS, A)
  bool ends[LAP];  // after which steps an episode ended
  int length;      // of the running episode
} Lap;

static void run(void* self) {
  Lap* lap = self;
  const EnvSpec* spec = &lap->env.spec;
  for (int i = 0; i < LAP; i++) {
    const double* act = lap->act + i % ACTIONS * spec->act_size;
    EnvStep step = env_step(&lap->env, lap->obs, act);
    lap->ends[i] = step.terminated || step.diverged || ++lap->length == spec->time_limit;
    if (lap->ends[i]) {
      lap->length = 0;
      env_reset(&lap->env, lap->obs, &lap->rng);
    }
  }
}

// The same episodes without observations, rewards and ends.
static void run_bare(void* self) {
  Lap* lap = self;
  for (int i = 0; i < LAP; i++) {
    lap->env.ops->advance(&lap->env, lap->act + i % ACTIONS * lap->env.spec.act_size);
    if (lap->ends[i]) {
      env_reset(&lap->env, lap->obs, &lap->rng);
    }
  }
}

bool bench_env(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  const RunSpec* x = setup->spec;
  Lap* lap = ARENA_NEW(arena, 1, Lap);
  if (!env_open(&lap->env, x->task, x->assets, arena, error)) {
    return false;
  }
  const EnvSpec* spec = &lap->env.spec;
  lap->rng = rng_stream(x->seed, 0, RNG_TEST, 0);
  lap->obs = ARENA_NEW(arena, spec->obs_size, double);
  lap->act = ARENA_NEW(arena, ACTIONS * spec->act_size, double);
  for (int i = 0; i < ACTIONS * spec->act_size; i++) {
    int a = i % spec->act_size;
    lap->act[i] = rng_range(&lap->rng, spec->act_low[a], spec->act_high[a]);
  }
  env_reset(&lap->env, lap->obs, &lap->rng);
  bool bare = lap->env.ops->advance != NULL;
  Timed timed[2] = {{run, lap}, {run_bare, lap}};
  Timing timings[2];
  measure(timings, timed, bare ? 2 : 1, setup->repeats, setup->seconds);
  *result = (BenchResult){.unit = "steps/s", .batch = 1};
  bench_rate(result, setup, &timings[0], LAP);
  result->floor = bare ? LAP / timings[1].seconds : NAN;
  env_close(&lap->env);
  return true;
}
