// bench_learners.c - SAC updates, gradient steps of the ensemble, and imaginary transitions.
//
// Three parts share one set-up (Learners): real learners at the sizes of the configuration on
// random data, and a Floor, which does the same matrix products through the BLAS and nothing else.
// Each part is a function that does one unit, and `compare` runs it and its floor in turn, so that
// both meet the same load.
//
// Batches are drawn and gathered as in training, inside the timed part: at these sizes the memory
// traffic of a batch is a visible share. The shares that are printed come from the learners' own
// stopwatches.
#include <string.h>

#include "base/stopwatch.h"
#include "bench/floor.h"
#include "bench/peak.h"
#include "bench_internal.h"
#include "mbpo/model_rollout.h"

#define AHEAD 8  // random rows that are asked for before they are copied

typedef struct {
  const BenchSetup* setup;
  BenchData data;
  Team* team;
  Sac sac;
  Ensemble ensemble;
  Floor floor;
  double draw;  // seconds spent on drawing batches
  // SAC
  Batch batch;
  Real* noise;  // (2, B, A)
  // ensemble
  int32_t* rows;  // (E, B)
  Real* in;       // (E, B, O + A)
  Real* target;   // (E, B, 1 + O)
  // rollout
  Imagined imagined;
  RolloutScratch* rollout_scratch;
} Learners;

static bool open_learners(Learners* l, const BenchSetup* setup, Arena* arena, Error* error) {
  *l = (Learners){.setup = setup};
  if (!bench_data_open(&l->data, setup, arena, error)) {
    return false;
  }
  const RunSpec* x = setup->spec;
  if (!team_open(&l->team, x->threads, arena, error)) {
    bench_data_close(&l->data);
    return false;
  }
  int O = l->data.env.spec.obs_size, A = l->data.env.spec.act_size;
  sac_init(&l->sac, &x->sac, O, A, &l->data.rng, arena);
  ensemble_init(&l->ensemble, &x->model, O, A, BENCH_ROWS, &l->data.rng, arena);
  sac_share(&l->sac, l->team);
  ensemble_share(&l->ensemble, l->team);
  return true;
}

static void close_learners(Learners* l) {
  team_close(l->team);
  ensemble_free(&l->ensemble);
  bench_data_close(&l->data);
}

// The figure, its floor and the peak, side by side.
static void compare(BenchResult* result, Learners* l, void (*run)(void*), double units,
                    void (*floor)(void*), double floor_units) {
  Real any;
  Timing timings[3];
  Timed timed[3] = {{run, l}, {floor, &l->floor}, {peak_run, &any}};
  floor(&l->floor);
  double flop = l->floor.flop / floor_units;
  measure(timings, timed, 3, l->setup->repeats, l->setup->seconds);
  bench_rate(result, l->setup, &timings[0], units);
  bench_floor(result, &timings[1], floor_units, flop);
  bench_peak(result, &timings[2], flop * result->value * 1e-9);
  bench_add_figure(result, "obs", l->sac.obs_size);
  bench_add_figure(result, "act", l->sac.act_size);
  bench_add_network(result, "policy", &l->sac.policy_net);
  bench_add_network(result, "critic", &l->sac.critic_net);
  bench_add_network(result, "model", &l->ensemble.net);
}

// SAC ---------------------------------------------------------------------------------------------

static void sac_run(void* self) {
  Learners* l = self;
  SacLosses losses;
  Stopwatch watch = stopwatch_start();
  int64_t noise = (int64_t)l->batch.size * l->sac.act_size;
  replay_sample(&l->batch, 0, l->batch.size, &l->data.replay, &l->data.rng);
  rng_fill_normal(l->noise, 2 * noise, &l->data.rng);
  stopwatch_lap(&watch, &l->draw);
  sac_update(&losses, &l->sac, &l->batch, l->noise, l->noise + noise);
}

bool bench_sac(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  Learners l;
  if (!open_learners(&l, setup, arena, error)) {
    return false;
  }
  int B = setup->spec->sac.batch_size, A = l.sac.act_size;
  batch_init(&l.batch, B, l.sac.obs_size, A, arena);
  l.noise = ARENA_NEW(arena, 2 * (size_t)B * (size_t)A, Real);
  floor_init_sac(&l.floor, &l.sac, &l.data.rng, arena);
  *result = (BenchResult){.unit = "updates/s", .batch = B};
  compare(result, &l, sac_run, 1, floor_sac_update, 1);
  BenchItem parts[] = {{"draw batch", l.draw},
                       {"critic targets", l.sac.times.targets},
                       {"critic gradient", l.sac.times.critics},
                       {"policy gradient", l.sac.times.policy},
                       {"adam", l.sac.times.adam}};
  bench_add_shares(result, parts, sizeof parts / sizeof *parts);
  close_learners(&l);
  return true;
}

// The ensemble ------------------------------------------------------------------------------------

// Asks for the transition of so many numbers, as a training does for its rows.
static void prefetch_row(const Replay* replay, int32_t position, int numbers) {
  const Real* row = replay_row(replay, position);
  __builtin_prefetch(row);
  __builtin_prefetch(row + numbers / 2);
  __builtin_prefetch(row + numbers - 1);
}

// The rows of a batch, one batch a member.
static void gather(Learners* l) {
  const Replay* replay = &l->data.replay;
  int O = l->sac.obs_size, A = l->sac.act_size;
  int rows = l->setup->spec->model.batch_size * l->ensemble.options.members;
  rng_fill_below(l->rows, rows, (int32_t)replay->size, &l->data.rng);
  for (int b = 0; b < rows; b++) {
    prefetch_row(replay, l->rows[b + AHEAD < rows ? b + AHEAD : b], 2 * O + A + 1);
    const Real* row = replay_row(replay, l->rows[b]);
    Real* target = l->target + (size_t)b * (size_t)(O + 1);
    memcpy(l->in + (size_t)b * (size_t)(O + A), row, (size_t)(O + A) * sizeof(Real));
    target[0] = transition_rew(&replay->row, row);
    memcpy(target + 1, transition_next_obs(&replay->row, row), (size_t)O * sizeof(Real));
  }
}

static void ensemble_run(void* self) {
  Learners* l = self;
  Stopwatch watch = stopwatch_start();
  gather(l);
  stopwatch_lap(&watch, &l->draw);
  ensemble_step(&l->ensemble, l->in, l->target, l->setup->spec->model.batch_size);
}

bool bench_ensemble(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  Learners l;
  if (!open_learners(&l, setup, arena, error)) {
    return false;
  }
  int B = setup->spec->model.batch_size;
  size_t rows = (size_t)B * (size_t)l.ensemble.options.members;
  l.rows = ARENA_NEW(arena, rows, int32_t);
  l.in = ARENA_NEW(arena, rows * (size_t)(l.sac.obs_size + l.sac.act_size), Real);
  l.target = ARENA_NEW(arena, rows * (size_t)(l.sac.obs_size + 1), Real);
  floor_init_ensemble(&l.floor, &l.ensemble, &l.data.rng, arena);
  *result = (BenchResult){.unit = "gradient steps/s", .batch = B};
  compare(result, &l, ensemble_run, 1, floor_ensemble_step, 1);
  bench_add_figure(result, "members", l.ensemble.options.members);
  const EnsembleTimes* times = &l.ensemble.times;
  BenchItem parts[] = {{"gather", l.draw},
                       {"forward", times->forward},
                       {"loss", times->loss},
                       {"backward", times->backward},
                       {"adam", times->adam}};
  bench_add_shares(result, parts, sizeof parts / sizeof *parts);
  close_learners(&l);
  return true;
}

// Rollouts ----------------------------------------------------------------------------------------

static void rollout_run(void* self) {
  Learners* l = self;
  model_rollout(&l->imagined, &l->data.replay, &l->sac, &l->ensemble, NULL, (RolloutMeans){0},
                ROLLOUT_CHUNK, l->setup->length, &l->data.rng, l->rollout_scratch);
}

// No branch ends, so that as many transitions are made each time; the task's test for the end is
// a few comparisons a transition.
bool bench_rollout(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  Learners l;
  if (!open_learners(&l, setup, arena, error)) {
    return false;
  }
  imagined_init(&l.imagined, l.sac.obs_size, l.sac.act_size,
              (int64_t)setup->spec->mbpo.rollouts * setup->length);
  l.rollout_scratch = rollout_scratch_new(l.sac.obs_size, l.sac.act_size, arena);
  floor_init_rollout(&l.floor, &l.sac, &l.ensemble, ROLLOUT_CHUNK, &l.data.rng, arena);
  *result = (BenchResult){.unit = "transitions/s", .batch = ROLLOUT_CHUNK};
  compare(result, &l, rollout_run, (double)ROLLOUT_CHUNK * setup->length, floor_rollout_step,
          ROLLOUT_CHUNK);
  bench_add_figure(result, "length", setup->length);
  imagined_free(&l.imagined);
  close_learners(&l);
  return true;
}
