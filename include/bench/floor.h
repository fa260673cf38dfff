// floor.h - what SAC, the ensemble and rollouts would take without anything but their matrix
// products through the BLAS, at their true shapes and in their order, and Adam.
//
// Each layer reads what the last one wrote, as a trainer's does. Nothing is multiplied that an
// update does not need: no gradient of the critics' weights in the policy's step, of their input
// only the columns of the action, and none of the inputs of first layers.
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "dynamics/ensemble.h"
#include "sac/sac.h"

// One network's products.
typedef struct {
  int layers;
  int width[MLP_MAX_LAYERS + 1];
  Real* weights[MLP_MAX_LAYERS];
  Real* d_weights[MLP_MAX_LAYERS];
} FloorNet;

typedef struct {
  int batch;
  int act_size;
  int members;  // of the ensemble
  FloorNet policy;
  FloorNet critics[2], targets[2];
  FloorNet models[ENSEMBLE_MAX_MEMBERS];
  Real* in;                      // (batch, widest input)
  Real* act[3][MLP_MAX_LAYERS];  // (batch, widest) activations of the policy and of two others
  Real* d_act[2];                // (batch, widest)
  size_t parameters, averaged;   // of Adam; of them, with a moving average
  Real* adam[5];                 // (parameters): themselves, gradient, two moments, average
  double flop;                   // of all products since the start
} Floor;

void floor_init_sac(Floor* floor, const Sac* sac, Rng* rng, Arena* arena);
void floor_init_ensemble(Floor* floor, const Ensemble* ensemble, Rng* rng, Arena* arena);

// Predictions for `rows` states, evenly divided among the elites.
void floor_init_rollout(Floor* floor, const Sac* sac, const Ensemble* ensemble, int rows, Rng* rng,
                        Arena* arena);

// One update, one gradient step, one imaginary step of all rows. self: a Floor.
void floor_sac_update(void* self);
void floor_ensemble_step(void* self);
void floor_rollout_step(void* self);

#endif  // BENCH_FLOOR_H
