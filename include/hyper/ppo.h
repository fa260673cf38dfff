// ppo.h - Proximal Policy Optimization of the hyper-controller (paper section 5.2).
//
// The clipped objective with one ratio per head, summed over heads, on the hyper-episodes of one
// stage; the advantage is the undiscounted reward-to-go relative to the baseline (equation 9). No
// critic, no entropy bonus, no normalisation.
#ifndef HYPER_PPO_H
#define HYPER_PPO_H

#include "base/options.h"
#include "hyper/controller.h"

#define PPO_MAX_GROUPS 4

#define PPO_OPTIONS(OPT) \
  OPT(INT, episodes_per_update, 10, 1, 100000, "hyper-episodes", "K, size of a stage") \
  OPT(INT, look_ahead, 0, 0, 100000, "hyper-episodes", "L, may start before the update is there") \
  OPT(LIST, stages, "[10]", 0, 100000, "stages", "updates of each group") \
  OPT(TEXT, groups, "", 0, 0, "", \
      "groups that learn in turn, as head+head,head,...; empty = all heads jointly") \
  OPT(INT, minibatches, 300, 0, 1000000, "minibatches", "gradient steps of one update") \
  OPT(INT, minibatch_size, 64, 1, 65536, "decisions", "size of a minibatch") \
  OPT(REAL, clip, 0.2, 0, 1, "", "epsilon of the clipped objective") \
  OPT(REAL, learning_rate, 3e-4, 1e-8, 10, "", "Adam step size") \
  OPT(INT, hidden_size, 256, 1, 2048, "units", "width of the hidden layer of each head") \
  OPT(REAL, init_sd, 0, 0, 10, "", "deviation of initial weights; 0 = Glorot uniform") \
  OPT(REAL, exploration_start, 0, 0, 1, "", \
      "probability of a uniform action in a group's 1st stage") \
  OPT(REAL, exploration_stages, 5, 0, 1e6, "stages", "stages until it has fallen to 0, linearly")

typedef struct {
  PPO_OPTIONS(OPTION_FIELD)
} PpoOptions;

// The decisions of one stage, flat, in the order of hyper-episodes and decisions.
typedef struct {
  int count;         // N
  Real* states;      // (N, FEATURE_COUNT) scaled
  int8_t* choices;   // (N, HEAD_COUNT); ACTION_NONE = not scheduled
  uint8_t* counts;   // (N, HEAD_COUNT) 1 where the choice took effect and so enters the ratio
  double* logp;      // (N, HEAD_COUNT) of the behaviour
  double* advantage; // (N)
} PpoData;

// Group that learns in the update after `version` updates, and the update's index within the group.
int ppo_group_of_version(const PpoOptions* options, int version, int* stage_in_group);

// Updates in all.
int ppo_total_stages(const PpoOptions* options);

// Probability of uniform exploration when acting with `version`.
double ppo_exploration(const PpoOptions* options, int version);

// controller := controller after one update on `data`, whose summary is `result` (clip_fraction and
// kl are filled in). Freezes a group at its best version when its last stage is folded.
void ppo_update(Controller* controller, const PpoOptions* options, const PpoData* data,
                StageResult* result, uint64_t seed, Arena* scratch);

#endif  // HYPER_PPO_H
