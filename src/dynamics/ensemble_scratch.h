// ensemble_scratch.h - buffers that ensemble.c and ensemble_train.c share; not for other modules.
#ifndef DYNAMICS_ENSEMBLE_SCRATCH_H
#define DYNAMICS_ENSEMBLE_SCRATCH_H

#include "dynamics/ensemble.h"

// Rows of one evaluation without learning: activations of so many stay in the second-level cache,
// and a copy of a weight matrix is made less often.
#define ENSEMBLE_CHUNK 512

struct EnsembleScratch {
  int64_t max_rows;
  // One gradient step.
  MlpTape tape;        // of one member, for batches of options.batch_size
  Real* d_head;        // (B, 2 D) of one member
  Real* d_bounds;      // (2 D) of max_logvar, of min_logvar
  Real* batch_in;      // (E, B, I), I = O + A
  Real* batch_target;  // (E, B, D)
  // Evaluation.
  MlpTape chunk_tape;   // for ENSEMBLE_CHUNK rows, forward only
  Real* chunk_in;       // (chunk, I)
  Real* chunk_head;     // (chunk, 2 D)
  Real* chunk_noise;    // (chunk, D)
  Real* chunk_sample;   // (chunk, D)
  int32_t* chunk_rows;  // (chunk) which rows of the caller
  // One training: all transitions in a random order, hold-out first. Reserved address space.
  Real* rows_in;       // (max_rows, I) scaled
  Real* rows_target;   // (max_rows, D)
  int32_t* order;      // (max_rows) the random order
  int32_t* bootstrap;  // (E, n) rows that each member trains on
  Real* snapshot;      // (net.size) best parameters of each member so far
};

#endif  // DYNAMICS_ENSEMBLE_SCRATCH_H
