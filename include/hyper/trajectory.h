// trajectory.h - the sealed file of a hyper-episode (docs/formats.md section 3).
#ifndef HYPER_TRAJECTORY_H
#define HYPER_TRAJECTORY_H

#include "hyper/hyper_episode.h"
#include "store/h5.h"

// How a sealed hyper-episode ended.
typedef struct {
  bool diverged;
  double score;  // hyper_episode_score
} Outcome;

// What an update and the reports need of a sealed hyper-episode.
typedef struct {
  int64_t hyper_episode;
  char engine[64];           // of the environment
  int policy_version;
  Outcome outcome;
  int decisions;             // D
  int epochs;                // E
  double* features;          // (D, FEATURE_COUNT) raw
  double* state;             // (D, FEATURE_COUNT) scaled
  int8_t* action;            // (D, HEAD_COUNT)
  uint8_t* allowed;          // (D, HEAD_COUNT)
  double* logp;              // (D, HEAD_COUNT)
  double* entropy;           // (D, HEAD_COUNT)
  double* advantage;         // (D)
  double* hyperparameters;   // (D, HEAD_COUNT) after the action
  int64_t* env_step;         // (E)
  double* eval_return_mean;  // (E)
  double* baseline_return;   // (E)
} Trajectory;

bool trajectory_write(const HyperEpisode* episode, const char* path, Error* error);
bool trajectory_read(Trajectory* trajectory, const char* path, Arena* arena, Error* error);

// The same of a file that is open, and may have failed when this returns.
void trajectory_take(Trajectory* trajectory, H5File* file, Arena* arena);
void trajectory_take_outcome(Outcome* outcome, H5File* file);

// The scores (count) of the hyper-episodes of a stage; returns how many of them diverged. One that
// diverged counts no more than the worst that came to its end: it can only lower the mean.
int trajectory_scores(double* scores, const Trajectory* trajectories, int count);

// Whether feature f was at the same clip, `low` or 1, at every decision; false without decisions.
bool trajectories_clip(const Trajectory* trajectories, int count, HyperFeature f, double low);

#endif  // HYPER_TRAJECTORY_H
