// model_rollout.h - branched imaginary rollouts (paper Algorithm 1, lines 12 to 14).
//
// From `count` states drawn from the real buffer, the policy acts for `length` steps in the
// model; at every step each row is predicted by an elite drawn for it. Terminated branches end.
// A prediction that is not finite ends its branch and is not stored.
#ifndef MBPO_MODEL_ROLLOUT_H
#define MBPO_MODEL_ROLLOUT_H

#include "dynamics/ensemble.h"
#include "env/env.h"
#include "env/imagined.h"
#include "sac/sac.h"

// States that are rolled out together: enough to give each elite whole chunks, few enough for the
// cache (docs/algorithms.md, D4).
#define ROLLOUT_CHUNK IMAGINED_REACH

typedef struct RolloutScratch RolloutScratch;

// What takes its mean instead of being drawn.
typedef struct {
  bool actions, predictions;
} RolloutMeans;

RolloutScratch* rollout_scratch_new(int obs_size, int act_size, Arena* arena);
double rollout_scratch_bytes(int obs_size, int act_size);

void model_rollout(Imagined* imagined, const Replay* real, Sac* sac, Ensemble* ensemble,
                   EnvTermination terminated, RolloutMeans means, int64_t count, int length,
                   Rng* rng, RolloutScratch* scratch);

#endif  // MBPO_MODEL_ROLLOUT_H
