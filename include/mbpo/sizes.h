// sizes.h - how much a run does and needs: functions of its options alone.
//
// The run itself calls them, and so does whoever has to know beforehand.
#ifndef MBPO_SIZES_H
#define MBPO_SIZES_H

#include "mbpo/mbpo.h"

// Whether there is a model at all: with a real ratio that is and stays 1 there is none.
bool mbpo_uses_model(const MbpoOptions* options, MbpoScheduled scheduled);

// MBPO's own schedule of an epoch: model trainings (a mean, where the interval is no divisor),
// beta, G, k.
void mbpo_own_schedule(double out[4], const MbpoOptions* options, int epoch);

// k of it.
int mbpo_scheduled_rollout_length(const MbpoOptions* options, int epoch);

// How often something happens in an epoch: at its first step and every `interval` steps.
int mbpo_times_per_epoch(const MbpoOptions* options, int interval);

// Rows of D_model: all that retain_epochs epochs make at this length (docs/algorithms.md, D22).
// 2^53 stands for what is more.
int64_t mbpo_imagined_rows(const MbpoOptions* options, int rollout_length);

// Longest episode: as configured, or the task's own limit if that is less (docs/algorithms.md,
// D23).
int mbpo_path_limit(const MbpoOptions* options, const EnvSpec* spec);

// Real samples of a whole run at most: exploration ends with a whole episode.
int64_t mbpo_most_steps(const MbpoOptions* options, int epochs);

// SAC updates of a whole run with this G; fewer, if min_pool is more than the exploration.
int64_t mbpo_most_updates(const MbpoOptions* options, int policy_updates, int epochs);

// Real transitions in a batch.
int mbpo_real_in_batch(int batch_size, double real_ratio);

// Bytes of a run when its buffers are full.
typedef struct {
  double real;      // D_env, and the copy that the ensemble is trained on
  double imagined;  // D_model
  double fixed;     // all that does not grow
} MbpoBytes;

MbpoBytes mbpo_bytes(const MbpoSetup* setup, const EnvSpec* spec);

#endif  // MBPO_SIZES_H
