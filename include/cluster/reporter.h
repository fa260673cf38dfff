// reporter.h - live progress of a run for people and tools: metrics.jsonl, status.json, and the
// progress line. Nothing here enters a result.
#ifndef CLUSTER_REPORTER_H
#define CLUSTER_REPORTER_H

#include "base/stopwatch.h"
#include "cluster/events.h"
#include "cluster/standing.h"
#include "hyper/controller.h"
#include "hyper/run_directory.h"

typedef struct {
  const RunDirectory* directory;
  Standing standing;
  EventLog events;
  bool warned[HEALTH_FLAWS];         // that was said
  bool extrapolated[FEATURE_COUNT];  // that was said
  double status_written;             // seconds, monotonic clock
  double line_written;
  double line_interval;     // seconds between progress lines when not on a terminal
  Reminder status_trouble;  // when to say that status.json cannot be written
  bool terminal;
  bool quiet;
  bool writes_status;  // as one of the starts that share a directory does
  double deadline;     // wall-clock seconds since the epoch; 0 = none
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
