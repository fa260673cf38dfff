// ensemble_fixture.h - a small ensemble and data of a known linear system; for tests only.
#ifndef TESTS_ENSEMBLE_FIXTURE_H
#define TESTS_ENSEMBLE_FIXTURE_H

#include "dynamics/ensemble.h"
#include "nn/gemm.h"

#define OBS 3
#define ACT 2
#define TARGET (OBS + 1)
#define ROWS 300
#define NOISE_SD 0.05

static inline EnsembleOptions small_options(void) {
  return (EnsembleOptions){
      .members = 4,
      .elites = 2,
      .hidden_size = 16,
      .hidden_layers = 2,
      .learning_rate = 1e-3,
      .batch_size = 64,
      .weight_decay = 1,
      .holdout_ratio = 0.2,
      .holdout_limit = 5000,
      .patience = 5,
      .improvement = 0.01,
      .stop = "together",
  };
}

// A known linear system with Gaussian noise: rew and change of obs from [obs | act].
static inline void true_target(double* target, const Real* obs, const Real* act) {
  target[0] = (double)obs[0] - 0.5 * (double)act[1];
  target[1] = 0.1 * (double)obs[1];
  target[2] = 0.3 * (double)act[0] - 0.1 * (double)obs[2];
  target[3] = -0.2 * (double)obs[0] + 0.2 * (double)act[1];
}

static inline void add_transitions(Replay* replay, int count, Rng* rng) {
  for (int i = 0; i < count; i++) {
    Real obs[OBS];
    Real act[ACT];
    Real next_obs[OBS];
    double target[TARGET];
    rng_fill_normal(obs, OBS, rng);
    act[0] = (Real)rng_range(rng, -1, 1);
    act[1] = (Real)rng_range(rng, -1, 1);
    true_target(target, obs, act);
    for (int o = 0; o < OBS; o++) {
      next_obs[o] = (Real)((double)obs[o] + target[1 + o] + NOISE_SD * rng_normal(rng));
    }
    Real rew = (Real)(target[0] + NOISE_SD * rng_normal(rng));
    replay_add(replay, obs, act, next_obs, rew, false, 0);
  }
}

typedef struct {
  Arena arena;
  Rng rng;
  Replay replay;
  Ensemble ensemble;
} Fixture;

static inline void set_up(Fixture* f, const EnsembleOptions* options) {
  gemm_init();
  arena_init(&f->arena);
  f->rng = rng_stream(21, 0, RNG_TEST, 0);
  replay_init(&f->replay, OBS, ACT, 10 * ROWS);
  add_transitions(&f->replay, ROWS, &f->rng);
  ensemble_init(&f->ensemble, options, OBS, ACT, 10 * ROWS, &f->rng, &f->arena);
}

static inline void tear_down(Fixture* f) {
  ensemble_free(&f->ensemble);
  replay_free(&f->replay);
  arena_free(&f->arena);
}

static inline EnsembleTraining train(Fixture* f) {
  EnsembleTraining training;
  ensemble_train(&training, &f->ensemble, &f->replay, &f->rng);
  return training;
}

// What a file of the one tells of the ensemble and its random numbers, loaded into the other.
static inline void copy_through_archive(Fixture* to, Fixture* from) {
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  ensemble_visit(&from->ensemble, &archive, "ensemble");
  rng_visit(&from->rng, &archive, "rng");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  ensemble_visit(&to->ensemble, &archive, "ensemble");
  rng_visit(&to->rng, &archive, "rng");
  assert_false(archive.failed);
  archive_memory_free(&memory);
}

#endif  // TESTS_ENSEMBLE_FIXTURE_H
