// check.h - does a task keep the promises of env.h, and how fast is it?
#ifndef ENV_CHECK_H
#define ENV_CHECK_H

#include "env/env.h"

typedef struct {
  int64_t steps;              // of random actions
  int64_t episodes;
  int64_t terminated;         // steps that the environment ended
  int64_t model_missed;       // ... of these, that the model-side function would not have ended
  int64_t model_ended;        // steps that only the model-side function would have ended
  int64_t diverged;
  int64_t not_finite;         // steps with an observation or a reward that is not finite
  bool deterministic;         // the same start and actions gave the same bits
  bool restorable;            // saved and loaded mid-episode, it went on with the same bits
  double mean_return;         // of finished episodes
  double reward_low;
  double reward_high;
  double reward_difference;   // largest |reward - spec.reward(...)|; -1 = spec.reward is NULL
  double rate;                // steps per second of CPU time
  double bare_rate;           // the same of the engine alone; 0 = unknown
  double overhead;            // share of a step's time that is not the engine's, median of laps
} EnvCheck;

// Steps the task with random actions. False only if it cannot be opened.
bool env_check(EnvCheck* check, const char* id, const char* assets, int64_t steps, Error* error);

// Whether all promises were kept. Adds one line for each that was not.
bool env_check_passed(const EnvCheck* check, Error* problems);

#endif  // ENV_CHECK_H
