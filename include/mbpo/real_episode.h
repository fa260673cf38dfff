// real_episode.h - the running episode of the real environment.
//
// Its transitions enter the real buffer together, when it ends, as in the MBPO release. An episode
// that is cut at the path limit is truncated: its last transition is stored as not terminated.
#ifndef MBPO_REAL_EPISODE_H
#define MBPO_REAL_EPISODE_H

#include "env/env.h"
#include "env/replay.h"

typedef struct {
  TransitionRow row;  // layout of a row
  int limit;        // steps until the episode is cut
  int length;       // steps so far
  bool running;
  double total;     // undiscounted return so far
  double* obs;      // (O) current observation
  Real* rows;       // (limit, row.size) transitions
  int64_t most;     // episodes that can end
  int64_t ended;    // episodes that have
  int64_t* ends;    // (ended) rows that had entered the real buffer when each had ended
} RealEpisode;

// For at most `steps` steps in all.
void real_episode_init(RealEpisode* episode, const EnvSpec* spec, int limit, int64_t steps,
                       Arena* arena);
void real_episode_free(RealEpisode* episode);

// Resets the environment if no episode runs.
void real_episode_begin(RealEpisode* episode, Env* env, Rng* rng);

// The current observation as the networks see it: (O).
void real_episode_policy_obs(Real* obs, const RealEpisode* episode);

// Its t-th transition, 0 <= t < length.
const Real* real_episode_row(const RealEpisode* episode, int t);

// Steps the environment with act in [-1, 1]^A, drawn with log-density logp.
EnvStep real_episode_step(RealEpisode* episode, Env* env, const Real* act, Real logp);

// True when the last step ended the episode: then its rows go to `real`.
bool real_episode_ended(RealEpisode* episode, const EnvStep* last, Replay* real);

void real_episode_visit(RealEpisode* episode, Archive* archive);

#endif  // MBPO_REAL_EPISODE_H
