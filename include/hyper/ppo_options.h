// ppo_options.h - options of the hyper-controller's learning.
#ifndef HYPER_PPO_OPTIONS_H
#define HYPER_PPO_OPTIONS_H

#include "base/options.h"

#define PPO_MAX_GROUPS 4

#define PPO_OPTIONS(OPT) \
  OPT(INT, episodes_per_update, 10, 1, 100000, "hyper-episodes", "K, size of a stage") \
  OPT(INT, look_ahead, 0, 0, 100000, "hyper-episodes", \
      "L, those that may start before the update is made") \
  OPT(LIST, stages, "[10]", 0, 100000, "stages", "updates of each group") \
  OPT(TEXT, groups, "", 0, 0, "", \
      "groups that learn in turn, as head+head,head,...; empty = all heads jointly") \
  OPT(INT, minibatches, 300, 0, 1000000, "minibatches", "gradient steps of one update") \
  OPT(INT, minibatch_size, 64, 1, 65536, "decisions", "size of a minibatch") \
  OPT(REAL, clip, 0.2, 0, 1, "", "epsilon of the clipped objective") \
  OPT(CHOICE, ratio, "joint", "joint|head", 0, "", \
      "ratio of the joint action (the paper), or one a head, summed (the release)") \
  OPT(CHOICE, advantage, "return", "return|fork", 0, "", \
      "returns to go less R' (the paper), or their differences between forks of a run") \
  OPT(INT, forks, 4, 1, 1000, "forks", "of each hyper-episode, with ppo.advantage=fork") \
  OPT(CHOICE, at_bounds, "credit", "credit|mask", 0, "", \
      "a step beyond a bound: can be drawn and counts, without effect; or has probability 0") \
  OPT(REAL, learning_rate, 3e-4, 1e-8, 10, "", "Adam step size") \
  OPT(INT, hidden_size, 256, 1, 2048, "units", "width of the hidden layer of each head") \
  OPT(LIST, init_sd, "[0]", 0, 10, "", \
      "standard deviation of initial weights, one or one a group; 0 = Glorot uniform") \
  OPT(REAL, exploration_start, 0, 0, 1, "", \
      "probability of a uniform action in a group's 1st stage") \
  OPT(REAL, exploration_stages, 5, 0, 1e6, "stages", "stages in which it falls to 0, linearly")

typedef struct {
  PPO_OPTIONS(OPTION_FIELD)
} PpoOptions;

#endif  // HYPER_PPO_OPTIONS_H
