// mbpo_options.h - options of one MBPO run; the defaults are the published configuration of Hopper.
#ifndef MBPO_MBPO_OPTIONS_H
#define MBPO_MBPO_OPTIONS_H

#include "base/options.h"

#define MBPO_MAX_EVALUATIONS 100

#define MBPO_OPTIONS(OPT) \
  OPT(INT, epoch_length, 1000, 1, 1000000, "steps", "H, real samples of an epoch") \
  OPT(INT, exploration_steps, 5000, 1, 10000000, "steps", "least random samples at the start") \
  OPT(INT, min_pool, 1000, 1, 10000000, "transitions", "real transitions before policy updates") \
  OPT(INT, max_path_length, 1000, 1, 1000000, "steps", "longest episode; a task may cut sooner") \
  OPT(INT, env_buffer, 1000000, 1, 100000000, "transitions", "capacity of the real buffer") \
  OPT(REAL, real_ratio, 0.05, 0, 1, "", "beta, share of real data in a batch; 1 = no model (SAC)") \
  OPT(INT, policy_updates, 20, 1, 1000, "updates", "G, policy updates per real step") \
  OPT(INT, train_interval, 250, 1, 1000000, "steps", "real steps between two model trainings") \
  OPT(INT, rollout_interval, 250, 1, 1000000, "steps", "real steps between two rollouts") \
  OPT(INT, rollouts, 100000, 1, 10000000, "states", "F, start states of one rollout") \
  OPT(INT, retain_epochs, 1, 1, 1000, "epochs", "epochs that imaginary data is kept") \
  OPT(LIST, rollout_schedule, "[20, 150, 1, 15]", 0, 1e9, "epochs, epochs, steps, steps", \
      "k rises linearly from the 3rd to the 4th value between these two epochs") \
  OPT(FLAG, mean_actions, false, 0, 0, "", "rollouts take the policy's mean action, not a draw") \
  OPT(FLAG, mean_predictions, false, 0, 0, "", \
      "rollouts take the mean that a member of the ensemble predicts, not a sample") \
  OPT(INT, evaluation_episodes, 10, 1, 100, "episodes", "deterministic episodes of one evaluation")

typedef struct {
  MBPO_OPTIONS(OPTION_FIELD)
} MbpoOptions;

#endif  // MBPO_MBPO_OPTIONS_H
