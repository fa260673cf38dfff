// ensemble.h - the bootstrapped ensemble of probabilistic dynamics models (paper section 3.2).
//
// Each member maps scaled [obs | act] to a Gaussian over [rew | next_obs - obs]. Training: hold-out
// split, bootstrap, early stopping per member with snapshots, elites by hold-out error, as the MBPO
// release does (docs/algorithms.md). Weights and Adam state persist over all calls.
#ifndef DYNAMICS_ENSEMBLE_H
#define DYNAMICS_ENSEMBLE_H

#include "base/archive.h"
#include "base/options.h"
#include "env/replay.h"
#include "nn/adam.h"
#include "nn/mlp.h"
#include "nn/scaler.h"

#define ENSEMBLE_MAX_MEMBERS 32

#define ENSEMBLE_OPTIONS(OPT) \
  OPT(INT, members, 7, 1, 32, "networks", "size of the ensemble") \
  OPT(INT, elites, 5, 1, 32, "networks", "best members, used by rollouts") \
  OPT(INT, hidden_size, 200, 1, 2048, "units", "width of the hidden layers") \
  OPT(INT, hidden_layers, 4, 1, 6, "layers", "hidden layers of each member") \
  OPT(REAL, learning_rate, 1e-3, 1e-8, 1, "", "Adam step size") \
  OPT(INT, batch_size, 256, 1, 65536, "transitions", "batch of each member") \
  OPT(REAL, weight_decay, 1, 0, 1e6, "", "multiple of the release's per-layer weight decay") \
  OPT(REAL, holdout_ratio, 0.2, 0, 0.9, "", "share of the data held out") \
  OPT(INT, holdout_limit, 5000, 1, 1000000, "transitions", "most transitions held out") \
  OPT(INT, patience, 5, 0, 100000, "epochs", "epochs without improvement that are still allowed") \
  OPT(CHOICE, stop, "together", "together|alone", 0, "", \
      "patience is for any member to improve, as published; or for each, which then stops alone") \
  OPT(REAL, improvement, 0.01, 0, 1, "", "relative fall of the hold-out error that counts") \
  OPT(INT, max_epochs, 0, 0, 1000000, "epochs", "most epochs of one training; 0 = no limit")

typedef struct {
  ENSEMBLE_OPTIONS(OPTION_FIELD)
  GemmPrecision precision;  // of the products between hidden layers
} EnsembleOptions;

// What one training did.
typedef struct {
  int epochs;                                  // until the last member stopped
  int64_t steps;                               // gradient steps, of any member
  int64_t member_steps;                        // sum over members
  double train_loss;                           // mean of the last epoch, per member
  double holdout_error[ENSEMBLE_MAX_MEMBERS];  // MSE per member after restoring the snapshots
  double validation_loss;                      // mean holdout_error of the elites
  bool diverged;                               // a loss was not finite; the training ended there
} EnsembleTraining;

// Seconds spent in each part of the gradient steps since ensemble_init: never part of the state.
typedef struct {
  double forward, loss, backward, adam;
} EnsembleTimes;

typedef struct {
  EnsembleOptions options;
  int obs_size;           // O
  int act_size;           // A
  int target_size;        // D = 1 + O: [rew | delta obs]
  Mlp net;                // [obs | act] -> [mean (D) | raw log-variance (D)]
  Real* params;           // (net.size + 2 D): networks, then max_logvar (D), min_logvar (D)
  Adam adam;              // over all of params
  Scaler scaler;          // of [obs | act]
  int elites[ENSEMBLE_MAX_MEMBERS];  // best first
  struct EnsembleScratch* scratch;
  EnsembleTimes times;
} Ensemble;

// Allocates and draws initial parameters. `max_rows`: most transitions it is ever trained on.
void ensemble_init(Ensemble* ensemble, const EnsembleOptions* options, int obs_size, int act_size,
                   int64_t max_rows, Rng* rng, Arena* arena);
void ensemble_free(Ensemble* ensemble);

// Lets threads share its work; results do not depend on them.
void ensemble_share(Ensemble* ensemble, Team* team);

// Bytes of an Ensemble with its scratch, and beside that of each transition that it is trained on.
double ensemble_bytes(const EnsembleOptions* options, int obs_size, int act_size);
double ensemble_row_bytes(const EnsembleOptions* options, int obs_size, int act_size);

Real* ensemble_max_logvar(const Ensemble* ensemble);
Real* ensemble_min_logvar(const Ensemble* ensemble);

// One gradient step on in (E, B, O + A), already scaled, and target (E, B, D); B <= batch_size.
// Returns the loss: the sum over members of the mean NLL, plus weight decay and the bounds'
// regulariser. A member's loss that is not finite ends the step: that member and those after it are
// as they were.
double ensemble_step(Ensemble* ensemble, const Real* in, const Real* target, int B);

// The same for the members e with active[e] alone, at least one. The others keep parameters and
// Adam's moments to the bit; their rows of in and target are not read. The bounds are shared, and
// so is Adam's count of steps.
double ensemble_step_active(Ensemble* ensemble, const bool* active, const Real* in,
                            const Real* target, int B);

// Trains on all of `replay` (at least 2 rows) until no member improves; with the option stop=alone
// each member is trained until it does not improve itself. Of N rows,
// min(floor(holdout_ratio N), holdout_limit), but at least 1, are held out. A member that never
// improves keeps the parameters it had; the bounds are never taken back.
void ensemble_train(EnsembleTraining* training, Ensemble* ensemble, const Replay* replay, Rng* rng);

// For each row b the member member[b] predicts: next_obs (B, O) and rew (B), sampled with
// noise (B, D). obs (B, O), act (B, A). Any B. Rows are grouped by member, so that each network
// only sees its own rows.
void ensemble_sample(Real* next_obs, Real* rew, Ensemble* ensemble, const Real* obs,
                     const Real* act, const int32_t* member, const Real* noise, int B);

void ensemble_visit(Ensemble* ensemble, Archive* archive, const char* name);

#endif  // DYNAMICS_ENSEMBLE_H
