// hyper_mdp.h - the state of the hyper-MDP (paper, section 5.1): eight features of a running MBPO,
// and which choices there are.
#ifndef HYPER_HYPER_MDP_H
#define HYPER_HYPER_MDP_H

#include "hyper/hyper_action.h"

// Features of the state, in the order of every file and message.
typedef enum {
  FEATURE_PROGRESS,       // real samples / real samples of the run
  FEATURE_MODEL_LOSS,     // validation loss of the last model training
  FEATURE_CRITIC_LOSS,    // equation 3 on a fresh batch in the current ratio
  FEATURE_POLICY_CHANGE,  // mean |pi(a|s) - pi_D(a|s)| on recent real data
  FEATURE_EVAL_RETURN,    // mean return of the last evaluation
  FEATURE_REAL_RATIO,     // beta
  FEATURE_POLICY_UPDATES, // G
  FEATURE_ROLLOUT_LENGTH, // k
  FEATURE_COUNT,
} HyperFeature;

typedef struct {
  double raw[FEATURE_COUNT];
  double scaled[FEATURE_COUNT];  // clipped: what the controller reads
  uint8_t allowed[HEAD_COUNT];   // bit c: choice c may be drawn; 0 = the head is not asked
  double real_reward;            // mean of the real steps since the last decision, for a scheduler
                                 // that keeps notes; else NaN
} HyperState;

const char* feature_name(HyperFeature feature);

// Measures the state at a decision, but for real_reward. policy_change is kept from the first
// decision of an epoch.
void hyper_state(HyperState* state, Mbpo* mbpo, const HyperOptions* options, double* policy_change,
                 Rng* rng);

// Fills in state->scaled from state->raw.
void hyper_scale(HyperState* state, const HyperOptions* options);

#endif  // HYPER_HYPER_MDP_H
