// hyper_options.h - options of the hyper-MDP: what is scheduled, in which bounds, how that is
// rewarded, and how the state is scaled.
#ifndef HYPER_HYPER_OPTIONS_H
#define HYPER_HYPER_OPTIONS_H

#include "base/options.h"

#define HYPER_OPTIONS(OPT) \
  OPT(INT, decision_interval, 125, 1, 1000000, "steps", "tau, real samples between two decisions") \
  OPT(INT, rollouts, 0, 0, 10000000, "states", \
      "F, start states of one rollout, if scheduled; 0 = as many an epoch as without a scheduler") \
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
  OPT(FLAG, apply_train_model, true, 0, 1, "", "of apply: the trained head acts") \
  OPT(FLAG, apply_real_ratio, true, 0, 1, "", "of apply: the trained head acts") \
  OPT(FLAG, apply_policy_updates, true, 0, 1, "", "of apply: the trained head acts") \
  OPT(FLAG, apply_rollout_length, true, 0, 1, "", "of apply: the trained head acts") \
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
      "most that an epoch lost to divergence counts as; always below the worst return seen") \
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

#endif  // HYPER_HYPER_OPTIONS_H
