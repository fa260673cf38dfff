// ppo.h - Proximal Policy Optimization of the hyper-controller (paper section 5.2).
//
// The clipped objective on the hyper-episodes of one stage, with the ratio of the joint action (the
// paper) or one ratio a head, summed over heads (the release); the advantage is the undiscounted
// reward-to-go relative to the baseline (equation 9). No critic, entropy bonus or normalisation.
//
// A choice never decides whether it counts: every choice of a head that was asked does, those that
// had no effect because a value was at its bound included. Otherwise the gradient would not average
// to zero where there is nothing to learn (tests/hyper/ppo_null_test.c).
#ifndef HYPER_PPO_H
#define HYPER_PPO_H

#include "hyper/controller.h"
#include "hyper/ppo_options.h"
#include "hyper/trajectory.h"

// The decisions of one stage, flat, in the order of hyper-episodes and decisions.
typedef struct {
  int count;         // N
  Real* states;      // (N, FEATURE_COUNT) scaled
  uint8_t* allowed;  // (N, HEAD_COUNT) bits of the choices that could be drawn
  int8_t* choices;   // (N, HEAD_COUNT); ACTION_NONE = not asked
  double* logp;      // (N, HEAD_COUNT) of the behaviour
  double* advantage; // (N)
} PpoData;

void ppo_data_init(PpoData* data, int count, Arena* arena);

// All decisions of some hyper-episodes.
void ppo_data_collect(PpoData* data, const Trajectory* trajectories, int count, Arena* arena);

// Group that learns in the update after `version` updates, and the update's index within the group.
int ppo_group_of_version(const PpoOptions* options, int version, int* stage_in_group);

// Updates in all.
int ppo_total_stages(const PpoOptions* options);

// Versions of the controller that hyper-episodes which run at the same time may act with.
int ppo_versions_kept(const PpoOptions* options);

// Probability of uniform exploration when acting with `version`.
double ppo_exploration(const PpoOptions* options, int version);

// controller := controller after one update on `data`, whose summary is `result` (clip_fraction and
// kl are filled in). Freezes a group at its best version when its last stage is folded.
void ppo_update(Controller* controller, const PpoOptions* options, const PpoData* data,
                StageResult* result, uint64_t seed, Arena* scratch);

#endif  // HYPER_PPO_H
