// evaluate.h - returns of the deterministic policy in the real environment.
#ifndef MBPO_EVALUATE_H
#define MBPO_EVALUATE_H

#include "env/env.h"
#include "sac/sac.h"

// Runs `episodes` episodes of at most `limit` steps: returns (episodes), undiscounted, and lengths
// (episodes). False when the simulation diverged.
bool evaluate_policy(double* returns, int32_t* lengths, Sac* sac, Env* env, int episodes, int limit,
                     Rng* rng, Arena* scratch);

#endif  // MBPO_EVALUATE_H
