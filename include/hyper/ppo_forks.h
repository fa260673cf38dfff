// ppo_forks.h - advantages from forks (ppo.advantage=fork): what a decision did, against what
// another draw of the same behaviour would have done, all else and all chance being equal.
//
// A stage then has, behind its K hyper-episodes, ppo.forks forks of each. A fork has the random
// streams of its hyper-episode and repeats it up to one decision, whose action is drawn anew. With
// returns to go G(a) and G(a') of both, G(a) - G(a') is an estimate of the advantage of a without
// bias, as a' comes from the same behaviour, and G(a') - G(a) one of that of a'. What both have in
// common, most of all the luck of the run, cancels (docs/algorithms.md, D27).
#ifndef HYPER_PPO_FORKS_H
#define HYPER_PPO_FORKS_H

#include "hyper/ppo.h"

// Hyper-episodes of a stage, forks included.
int ppo_stage_size(const PpoOptions* options);

// A hyper-episode: which one has its streams (itself, unless it is a fork), and the decision that
// is drawn anew; -1 = none. `decisions`: of a whole hyper-episode.
typedef struct {
  int64_t base;
  int decision;
} PpoFork;

PpoFork ppo_fork_of(const PpoOptions* options, uint64_t seed, int64_t hyper_episode,
                    int64_t decisions);

// Two rows for each fork of a stage, (ppo_stage_size) trajectories whose first index is `first`.
// A fork whose hyper-episode diverged before that decision gives none.
void ppo_forks_collect(PpoData* data, const Trajectory* trajectories, const PpoOptions* options,
                       uint64_t seed, int64_t first, int64_t decisions, Arena* arena);

#endif  // HYPER_PPO_FORKS_H
