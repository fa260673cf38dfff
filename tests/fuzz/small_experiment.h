// small_experiment.h - a hyper-episode of a plain task that takes milliseconds, and its controller.
#ifndef FUZZ_SMALL_EXPERIMENT_H
#define FUZZ_SMALL_EXPERIMENT_H

#include <string.h>

#include "hyper/hyper_episode.h"
#include "hyper/scheduler.h"

static inline RunSpec small_experiment(void) {
  SacOptions sac = sac_default_options();
  sac.batch_size = 16;
  sac.hidden_size = 8;
  RunSpec x = {
      .task = "pendulum-v1",
      .method = "fuzz",
      .assets = "",
      .seed = 7,
      .sac = sac,
      .model = {.members = 2, .elites = 1, .hidden_size = 8, .hidden_layers = 2,
                .learning_rate = 1e-3, .batch_size = 32, .weight_decay = 1, .holdout_ratio = 0.2,
                .holdout_limit = 5000, .patience = 5, .improvement = 0.01, .max_epochs = 2},
      .mbpo = {.epoch_length = 20, .exploration_steps = 40, .min_pool = 40,
               .max_path_length = 30, .env_buffer = 100, .real_ratio = 0.25,
               .policy_updates = 1, .train_interval = 10, .rollout_interval = 10, .rollouts = 20,
               .retain_epochs = 1, .rollout_schedule = {4, {0, 1, 1, 1}},
               .evaluation_episodes = 1},
      .hyper = {.decision_interval = 10, .rollouts = 20, .rollout_interval = 10,
                .rollout_each_decision = true, .train_epochs = 2, .apply_epochs = 2,
                .real_ratio_factor = 2, .real_ratio_min = 0.1, .real_ratio_max = 1,
                .policy_updates_min = 1, .policy_updates_max = 3, .rollout_length_start = 1,
                .rollout_length_min = 1, .rollout_length_max = 2, .train_penalty = 0.1,
                .reward_scale = 100,
                .scale_model_loss = {2, {0, 1}}, .scale_critic_loss = {2, {0, 100}},
                .scale_policy_change = {2, {0, 5}}, .scale_eval_return = {2, {-2000, 0}},
                .schedule_train_model = true, .schedule_real_ratio = true,
                .schedule_policy_updates = true, .schedule_rollout_length = true,
                .critic_loss_batch = 20, .policy_change_rows = 20},
      .ppo = {.episodes_per_update = 1, .stages = {1, {1}}, .minibatches = 5,
              .minibatch_size = 8, .clip = 0.2, .learning_rate = 3e-4, .hidden_size = 8},
      .log_transitions = true,
      .config = "fuzz: true\n",
      .config_hash = "0000000000000000",
  };
  strcpy(x.scheduler.kind, "ppo");
  return x;
}

// Initialises the hyper-episode and advances it by `events` events, or to its end.
static inline void small_episode(HyperEpisode* h, const RunSpec* x, int events, Arena* arena) {
  static const MbpoScheduled all = {true, true, true, true};
  static const HyperAction action = {.choice = {1, 2, 2, 2}, .logp = {-1, -1, -1, -1}};
  Error error;
  HyperSegment whole = scheduler_whole_run(x);
  CHECK(hyper_episode_init(h, x, 0, &whole, 0, all, arena, &error), "%s", error.text);
  for (int i = 0; i < events; i++) {
    HyperEvent event = hyper_episode_advance(h);
    if (event == HYPER_FINISHED) {
      return;
    }
    if (event == HYPER_DECISION) {
      hyper_episode_act(h, &action);
    }
  }
}

#endif  // FUZZ_SMALL_EXPERIMENT_H
