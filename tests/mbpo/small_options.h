// small_options.h - MBPO on a plain task, in a second or two.
#ifndef MBPO_SMALL_OPTIONS_H
#define MBPO_SMALL_OPTIONS_H

#include "mbpo/mbpo.h"

typedef struct {
  SacOptions sac;
  EnsembleOptions model;
  MbpoOptions mbpo;
} Small;

static inline Small small_options(void) {
  SacOptions sac = sac_default_options();
  sac.batch_size = sac.hidden_size = 16;
  return (Small){
      .sac = sac,
      .model = {.members = 3,
                .elites = 2,
                .hidden_size = 16,
                .hidden_layers = 2,
                .learning_rate = 1e-3,
                .batch_size = 32,
                .weight_decay = 1,
                .holdout_ratio = 0.2,
                .holdout_limit = 5000,
                .patience = 5,
                .improvement = 0.01,
                .max_epochs = 3},
      .mbpo = {.epoch_length = 50,
               .exploration_steps = 200,
               .min_pool = 100,
               .max_path_length = 200,
               .env_buffer = 10000,
               .real_ratio = 0.25,
               .policy_updates = 2,
               .train_interval = 25,
               .rollout_interval = 25,
               .rollouts = 40,
               .retain_epochs = 1,
               .rollout_schedule = {4, {1, 3, 1, 3}},
               .evaluation_episodes = 2},
  };
}

#endif  // MBPO_SMALL_OPTIONS_H
