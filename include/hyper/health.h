// health.h - whether an epoch of a hyper-episode went as learning should: for metrics.jsonl and the
// log, never for results.
#ifndef HYPER_HEALTH_H
#define HYPER_HEALTH_H

#include "hyper/hyper_episode.h"

// What an epoch is judged by. NaN: there was none.
typedef struct {
  double model_error;    // hold-out error of the elites at the last training
  double mean_error;     // error of predicting the mean target of all real data
  int64_t sac_updates;
  double alpha;
  double alpha_limit;    // initial, or a nat worth all discounted reward that can be earned
  double q_mean;
  double q_limit;        // twice the largest discounted reward and entropy that can be earned
  int64_t model_rows;    // of D_model; -1: the run has no model
  int64_t rollouts;      // start states of one rollout
  double action_range;   // the smallest of all action components
} Health;

typedef enum {
  HEALTH_USELESS_MODEL,
  HEALTH_NO_UPDATES,
  HEALTH_NO_ACTION,
  HEALTH_ALPHA_RUNS_AWAY,
  HEALTH_Q_RUNS_AWAY,
  HEALTH_SMALL_MODEL_BUFFER,
  HEALTH_FLAWS,
} HealthFlaw;

// Of the last epoch (there is one). One pass over the real data.
Health health_of(const HyperEpisode* episode);

bool health_has(const Health* health, HealthFlaw flaw);

// What is wrong, in words.
const char* health_text(HealthFlaw flaw);

#endif  // HYPER_HEALTH_H
