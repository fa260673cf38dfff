// reporter.h - live progress of a run for people and tools: metrics.jsonl, status.json, and the
// progress line. Nothing here enters a result.
#ifndef CLUSTER_REPORTER_H
#define CLUSTER_REPORTER_H

#include "base/stopwatch.h"
#include "cluster/protocol.h"
#include "hyper/controller.h"
#include "hyper/run_directory.h"
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
  const RunDirectory* directory;
  int ranks;
  RankState* rank;  // (ranks)
  int64_t total, sealed, diverged;
  bool warned[HEALTH_FLAWS];
  int64_t lost;  // ranks that fell silent
  int stage;
  double best_score;
  int64_t best_episode;
  double started;  // seconds, monotonic clock
  double status_written;
  double line_written;
  double line_interval;  // seconds between progress lines when not on a terminal
  bool extrapolated[FEATURE_COUNT];  // that was said
  Reminder metrics_trouble, status_trouble;  // when to say that they cannot be written
  bool terminal;
  bool quiet;
  bool writes_status;      // as one of the starts that share a directory does
  double deadline;         // wall-clock seconds since the epoch; 0 = none
  int64_t saves;           // checkpoints written since the start
  SavedMessage saved;      // the last one
  SavedMessage worst;      // most seconds, and most bytes
  double saved_at;         // when; 0 = none yet
  int64_t steps_at_start;  // real samples of hyper-episodes sealed before this start
  int64_t steps_sealed;
} Reporter;

void reporter_init(Reporter* reporter, const RunSpec* spec, const RunDirectory* directory,
                   int ranks, double line_interval, bool quiet, Arena* arena);

// The run has `total` hyper-episodes; those that are sealed already were told by reporter_found.
void reporter_scan(Reporter* reporter, int64_t total);
void reporter_begin(Reporter* reporter, int rank, const BeginMessage* begin);
void reporter_progress(Reporter* reporter, int rank, int64_t hyper_episode,
                       const Progress* progress);
void reporter_sealed(Reporter* reporter, int rank, const SealedMessage* sealed);
void reporter_saved(Reporter* reporter, int rank, const SavedMessage* saved);
// A hyper-episode was sealed by an earlier start or by another process.
void reporter_found(Reporter* reporter, int64_t hyper_episode, const Outcome* outcome);

// A rank works on nothing any more.
void reporter_idle(Reporter* reporter, int rank);

// A rank has been silent for so many seconds, and is given up.
void reporter_lost(Reporter* reporter, int rank, double silence);

// A trained controller acts on a feature beyond what it saw in training. Said once a feature.
void reporter_extrapolates(Reporter* reporter, int64_t hyper_episode, HyperFeature feature,
                           double value, const FeatureRange* seen);

void reporter_stage(Reporter* reporter, const StageResult* result, int version);

// Called often: refreshes status.json and the progress line when they are due.
void reporter_tick(Reporter* reporter);

// Writes the last status: state is running, checkpointed, finished or failed.
void reporter_end(Reporter* reporter, const char* state);

#endif  // CLUSTER_REPORTER_H
