// mbpo.h - Model-Based Policy Optimization (Janner et al. 2019; paper Algorithm 1): one run.
//
// A state machine over real environment steps. mbpo_advance does one unit of work and says where it
// stopped; between two calls the whole state can be saved. It stops at each decision, so that
// whoever schedules the hyperparameters may change real_ratio, policy_updates and rollout_length,
// or train the model. What is not scheduled follows MBPO's own schedule. SAC is this file without
// the model (real_ratio = 1).
#ifndef MBPO_MBPO_H
#define MBPO_MBPO_H

#include "dynamics/ensemble.h"
#include "env/env.h"
#include "env/replay.h"
#include "mbpo/mbpo_options.h"
#include "mbpo/model_rollout.h"
#include "mbpo/real_episode.h"
#include "sac/sac.h"

// Who sets each hyperparameter: a scheduler (true) or MBPO's own schedule (false).
typedef struct {
  bool train_model;
  bool real_ratio;
  bool policy_updates;
  bool rollout_length;
} MbpoScheduled;

typedef enum {
  MBPO_STEPPED,    // one real step, or the evaluation before the first epoch
  MBPO_DECISION,   // a decision is due before the next real step
  MBPO_EPOCH_END,  // an epoch was evaluated: mbpo->result
  MBPO_FINISHED,   // all epochs are done
  MBPO_DIVERGED,   // a loss, parameter or physics state was not finite
} MbpoEvent;

typedef enum {
  MBPO_EXPLORE, MBPO_BEGIN, MBPO_DECIDE, MBPO_STEP, MBPO_EVALUATE, MBPO_END
} MbpoPhase;

// Results of one epoch; means over the epoch's updates unless said otherwise. NaN = did not happen.
typedef struct {
  int64_t env_step;  // real samples so far, exploration included
  double eval_returns[MBPO_MAX_EVALUATIONS];
  int32_t eval_lengths[MBPO_MAX_EVALUATIONS];
  double train_return;                           // of real episodes that ended in the epoch
  int64_t model_trainings;
  int64_t model_epochs;
  int64_t model_steps;                           // mean over members
  double model_validation_loss;                  // of the last training
  double holdout_error[ENSEMBLE_MAX_MEMBERS];    // likewise
  int32_t elites[ENSEMBLE_MAX_MEMBERS];
  SacLosses losses;
  double real_ratio;                             // at the end of the epoch, as the next two
  int64_t policy_updates;
  int64_t rollout_length;
  int64_t sac_updates;
  int64_t model_rows;
} MbpoEpoch;

// Seconds of processor time in each part since the start of the process: never part of the state.
typedef struct {
  double env, model_train, rollout, sac, evaluate;
} MbpoTimes;

typedef struct Mbpo {
  MbpoOptions options;
  MbpoScheduled scheduled;
  int epochs;                 // length of the run
  int decision_interval;      // tau, real steps between two decisions
  bool uses_model;            // false: real_ratio is 1 and stays so
  Env env, eval_env;
  Sac sac;
  Ensemble ensemble;
  Replay real;                // D_env: whole episodes only
  Imagined imagined;          // D_model
  // hyperparameters now
  double real_ratio;          // beta
  int policy_updates;         // G
  int rollout_length;         // k
  // where the run is
  MbpoPhase phase;
  int epoch;                  // finished epochs
  int step;                   // real step within the epoch
  int64_t env_step;           // real samples so far
  int64_t model_trainings;
  int64_t trained_rows;       // of D_env, at the last model training
  double validation_loss;     // of the last model training; NaN before the first
  bool diverged;
  RealEpisode episode;        // the running real episode, not yet in D_env
  MbpoEpoch running;          // sums of the running epoch
  int64_t episodes_ended;     // real episodes that ended in it
  MbpoEpoch result;           // the last finished epoch
  double eval_mean;           // mean return of the last evaluation
  // streams
  Rng explore_rng, env_rng, act_rng, sac_rng, model_rng, rollout_rng, eval_rng;
  // scratch
  Batch batch;
  Real* noise;                // (2, B, A)
  Real* act;                  // (A)
  Real* policy_obs;           // (O)
  RolloutScratch* rollout_scratch;
  Arena* arena;
  Team* team;                 // shares the work of the learners; NULL: one thread
  MbpoTimes times;
} Mbpo;

typedef struct {
  const char* task;           // environment id
  const char* assets;         // directory of the MJCF files
  const SacOptions* sac;
  const EnsembleOptions* model;
  const MbpoOptions* mbpo;
  MbpoScheduled scheduled;
  int epochs;
  int decision_interval;      // tau
  int max_rollout_length;     // largest k that may be scheduled
  uint64_t seed;
  int64_t hyper_episode;      // with the seed, names every random stream
  int threads;                // results do not depend on them
} MbpoSetup;

bool mbpo_init(Mbpo* mbpo, const MbpoSetup* setup, Arena* arena, Error* error);
void mbpo_free(Mbpo* mbpo);

// Goes on with the random streams of (seed, hyper-episode), from their beginnings.
void mbpo_name_streams(Mbpo* mbpo, uint64_t seed, int64_t hyper_episode);

// Does one unit of work. After MBPO_DECISION the next call goes on whatever was decided.
MbpoEvent mbpo_advance(Mbpo* mbpo);

// Trains the ensemble on all real data now.
void mbpo_train_model(Mbpo* mbpo);

// Whether MBPO's own schedule trains the model at this real step.
bool mbpo_trains_itself(const Mbpo* mbpo);

// Mean reward of the newest real steps, as many as there are; NaN if there is none.
double mbpo_recent_reward(const Mbpo* mbpo, int steps);

// Fraction of the run that is done, in [0, 1].
double mbpo_progress(const Mbpo* mbpo);

void mbpo_epoch_visit(MbpoEpoch* epoch, Archive* archive, const char* name);
void mbpo_visit(Mbpo* mbpo, Archive* archive);

#endif  // MBPO_MBPO_H
