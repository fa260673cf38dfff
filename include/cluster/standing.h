// standing.h - how far a run is, as rank 0 knows it: counts, what each rank works on, and the share
// that is done. The figures of status.json and of the progress line; nothing of it enters a result.
#ifndef CLUSTER_STANDING_H
#define CLUSTER_STANDING_H

#include "cluster/protocol.h"
#include "hyper/trajectory.h"

// What rank 0 knows of a rank that works.
typedef struct {
  int64_t hyper_episode;  // -1 = idle
  int32_t epochs;         // last epoch that was reported
  int64_t steps_before;   // real samples of the run before this hyper-episode
  Progress progress;
  SavedMessage saved;  // the last checkpoint of this hyper-episode; bytes 0 = none yet
} RankState;

typedef struct {
  const RunSpec* spec;
  int ranks;
  RankState* rank;  // (ranks)
  int stage;
  int64_t total, sealed, diverged;  // hyper-episodes
  int64_t lost;                     // ranks that fell silent
  double best_score;
  int64_t best_episode;    // -1 = none yet
  double started;          // seconds, monotonic clock
  int64_t saves;           // checkpoints written since the start
  SavedMessage saved;      // the last one
  SavedMessage worst;      // most seconds, and most bytes
  double saved_at;         // when; 0 = none yet
  int64_t steps_at_start;  // real samples of hyper-episodes sealed by others
  int64_t steps_sealed;    // of those sealed here
} Standing;

// The run as a whole. Speed counts only the samples of this start: those found took no time.
typedef struct {
  double share;             // done, 0 to 1
  double steps_per_second;  // real samples, since this start
  double eta;               // seconds; NaN if unknown
  int64_t steps;            // real samples in all
  int64_t running;          // hyper-episodes
  const Progress* only;     // of the only one that runs; NULL: none does, or several
} Overview;

void standing_init(Standing* standing, const RunSpec* spec, int ranks, Arena* arena);

// A rank begins. Returns the real samples of its run before this hyper-episode.
int64_t standing_begin(Standing* standing, int rank, const BeginMessage* begin);

// Whether an epoch is over that was not reported yet.
bool standing_progress(Standing* standing, int rank, int64_t hyper_episode,
                       const Progress* progress);

void standing_sealed(Standing* standing, int rank, const SealedMessage* sealed);
void standing_saved(Standing* standing, int rank, const SavedMessage* saved);
// A hyper-episode was sealed by an earlier start or by another process.
void standing_found(Standing* standing, int64_t hyper_episode, const Outcome* outcome);
// A rank works on nothing any more.
void standing_idle(Standing* standing, int rank);

Overview standing_overview(const Standing* standing);

#endif  // CLUSTER_STANDING_H
