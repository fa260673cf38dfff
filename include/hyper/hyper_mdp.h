// hyper_mdp.h - the hyper-MDP of the paper (section 5.1): state, action and reward as structs, and
// how an action changes a running MBPO.
#ifndef HYPER_HYPER_MDP_H
#define HYPER_HYPER_MDP_H

#include "base/options.h"
#include "mbpo/mbpo.h"

// Heads of the action, in the order of every file and message.
typedef enum {
  HEAD_TRAIN_MODEL,     // 0 skip, 1 train
  HEAD_REAL_RATIO,      // 0 down, 1 keep, 2 up: beta times 1/c, 1, c
  HEAD_POLICY_UPDATES,  // likewise: G - 1, G, G + 1
  HEAD_ROLLOUT_LENGTH,  // likewise: k - 1, k, k + 1
  HEAD_COUNT,
} HyperHead;

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

#define HEAD_MAX_CHOICES 3
#define ACTION_NONE (-1)  // the head was not asked: not scheduled, or not the time for it

#define HYPER_OPTIONS(OPT) \
  OPT(INT, decision_interval, 125, 1, 1000000, "steps", "tau, real samples between two decisions") \
  OPT(INT, rollouts, 0, 0, 10000000, "states", \
      "F, start states of one rollout, if scheduled; 0 = as many an epoch as the unscheduled run") \
  OPT(INT, rollout_interval, 125, 1, 1000000, "steps", \
      "real steps between rollouts, if scheduled") \
  OPT(FLAG, rollout_each_decision, true, 0, 1, "", \
      "roll out at each decision (the paper) instead of every rollout_interval (the release)") \
  OPT(INT, train_epochs, 50, 0, 100000, "epochs", "m, length of a hyper-episode in training") \
  OPT(INT, apply_epochs, 95, 0, 100000, "epochs", "M, length of a run of apply, mbpo and sac") \
  OPT(FLAG, schedule_train_model, true, 0, 1, "", "the controller decides on model training") \
  OPT(FLAG, schedule_real_ratio, true, 0, 1, "", "the controller sets beta") \
  OPT(FLAG, schedule_policy_updates, true, 0, 1, "", "the controller sets G") \
  OPT(FLAG, schedule_rollout_length, true, 0, 1, "", "the controller sets k") \
  OPT(FLAG, apply_train_model, true, 0, 1, "", "apply: the trained head acts") \
  OPT(FLAG, apply_real_ratio, true, 0, 1, "", "apply: the trained head acts") \
  OPT(FLAG, apply_policy_updates, true, 0, 1, "", "apply: the trained head acts") \
  OPT(FLAG, apply_rollout_length, true, 0, 1, "", "apply: the trained head acts") \
  OPT(REAL, real_ratio_factor, 1.2, 1, 100, "", "c, factor of one step of beta") \
  OPT(REAL, real_ratio_min, 0, 0, 1, "", "least beta that the controller can reach") \
  OPT(REAL, real_ratio_max, 1, 0, 1, "", "largest beta that the controller can reach") \
  OPT(INT, policy_updates_start, 0, 0, 1000, "updates", "G at the start; 0 = mbpo.policy_updates") \
  OPT(INT, policy_updates_min, 1, 0, 1000, "updates", "least G") \
  OPT(INT, policy_updates_max, 20, 1, 1000, "updates", "largest G") \
  OPT(INT, rollout_length_start, 1, 1, 1000, "steps", "k at the start") \
  OPT(INT, rollout_length_min, 1, 1, 1000, "steps", "least k") \
  OPT(INT, rollout_length_max, 15, 1, 1000, "steps", "largest k") \
  OPT(FLAG, rollout_length_each_epoch, false, 0, 1, "", \
      "k changes only at the first decision of an epoch (the release)") \
  OPT(REAL, train_penalty, 0.1, 0, 1000, "reward", "cost of a model training") \
  OPT(FLAG, train_penalty_centred, false, 0, 1, "", \
      "half the penalty for training, half as a bonus for skipping (the release)") \
  OPT(REAL, reward_scale, 300, 1e-9, 1e9, "return", "return that is one unit of reward") \
  OPT(REAL, diverged_return, 0, -1e9, 1e9, "return", \
      "most that an epoch lost to a divergence counts as; always below the worst return known") \
  OPT(LIST, scale_model_loss, "[0, 0.01]", -1e9, 1e9, "", "values that become 0 and 1") \
  OPT(LIST, scale_critic_loss, "[0, 100]", -1e9, 1e9, "", "values that become 0 and 1") \
  OPT(LIST, scale_policy_change, "[0, 10]", -1e9, 1e9, "", "values that become 0 and 1") \
  OPT(LIST, scale_eval_return, "[0, 3000]", -1e9, 1e9, "", "values that become 0 and 1") \
  OPT(REAL, feature_min, 0, -1, 0, "", "features are clipped to [this, 1]: 0 paper, -1 release") \
  OPT(INT, critic_loss_batch, 100000, 1, 100000000, "transitions", "batch of the critic loss") \
  OPT(INT, policy_change_rows, 5000, 1, 1000000, "transitions", "recent real data looked at")

typedef struct {
  HYPER_OPTIONS(OPTION_FIELD)
} HyperOptions;

typedef struct {
  double raw[FEATURE_COUNT];
  double scaled[FEATURE_COUNT];  // clipped: what the controller reads
  uint8_t allowed[HEAD_COUNT];   // bit c: choice c may be drawn; 0 = the head is not asked
  double real_reward;            // mean of the real steps since the last decision
} HyperState;

typedef struct {
  int8_t choice[HEAD_COUNT];   // ACTION_NONE where the head was not asked
  bool explored;               // drawn uniformly instead of by the controller
  double logp[HEAD_COUNT];     // of the behaviour that acted, exploration included; NaN if none
  double entropy[HEAD_COUNT];  // likewise
  bool sets[HEAD_COUNT];       // the value is given, instead of chosen
  double value[HEAD_COUNT];    // that is given: 0 or 1 of train_model, beta, G, k
} HyperAction;

// Number of choices of a head: 2 or 3.
int head_choices(HyperHead head);
const char* head_name(HyperHead head);
const char* feature_name(HyperFeature feature);

// Whether the configuration lets a scheduler set a head at all (hyper.schedule_*).
bool hyper_schedules(const HyperOptions* options, HyperHead head);

// Whether the head of a trained controller is to act where one is applied (hyper.apply_*).
bool hyper_applies(const HyperOptions* options, HyperHead head);

// Sets what the scheduled heads start from, at the begin of a run.
void hyper_begin(Mbpo* mbpo, const HyperOptions* options);

// Measures the state at a decision. policy_change is kept from the first decision of an epoch.
void hyper_state(HyperState* state, Mbpo* mbpo, const HyperOptions* options, double* policy_change,
                 Rng* rng);

// Which choices each head has at this decision. A head that is not scheduled, or not asked now (k
// inside an epoch with rollout_length_each_epoch), has none; the others have all of them, with
// mask_bounds all but those that would lead beyond a bound.
void hyper_allowed(uint8_t allowed[HEAD_COUNT], const Mbpo* mbpo, const HyperOptions* options,
                   bool mask_bounds);

// How many choices are allowed, and which is the n-th of them.
int hyper_choice_count(unsigned allowed);
int hyper_choice(unsigned allowed, int n);

// No head chooses, nothing is set.
void hyper_action_none(HyperAction* action);

// Applies an action: may train the model. effective[h] (HEAD_COUNT): whether head h's choice took
// effect (false: not asked, or beyond a bound). For analysis alone: what did not take effect counts
// in learning as what did, because a choice must not decide whether it counts.
void hyper_apply(bool* effective, Mbpo* mbpo, const HyperOptions* options,
                 const HyperAction* action);

// Whether an action trains the model.
bool hyper_trains(const HyperAction* action);

// The part of the reward that the train_model choice earns at once.
double hyper_train_reward(const HyperOptions* options, const HyperAction* action);

#endif  // HYPER_HYPER_MDP_H
