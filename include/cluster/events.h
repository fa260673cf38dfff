// events.h - metrics.jsonl: a line for each thing that happens in a run, as it happens. For people
// and tools; nothing of it enters a result.
#ifndef CLUSTER_EVENTS_H
#define CLUSTER_EVENTS_H

#include "base/stopwatch.h"
#include "cluster/protocol.h"
#include "hyper/run_directory.h"
#include "hyper/trajectory.h"

typedef struct {
  const RunDirectory* directory;
  Reminder trouble;  // when to say that it cannot be written
} EventLog;

void event_log_init(EventLog* log, const RunDirectory* directory);

// This start has begun: `total` hyper-episodes, of which so many were sealed already.
void event_start(EventLog* log, int ranks, int64_t total, int64_t sealed);
// A rank begins a hyper-episode; env_step: real samples of its run before it.
void event_begin(EventLog* log, int rank, const BeginMessage* begin, int64_t env_step);
// An epoch is over: what it came to, and whether it is in health.
void event_epoch(EventLog* log, int rank, int64_t hyper_episode, const Progress* progress);
void event_health(EventLog* log, int64_t hyper_episode, const Progress* progress);
void event_checkpoint(EventLog* log, int rank, const SavedMessage* saved);
void event_sealed(EventLog* log, int rank, const SealedMessage* sealed);
// A rank was silent for so many seconds, and is given up; hyper_episode -1: it had no work.
void event_lost(EventLog* log, int rank, int64_t hyper_episode, double silence);
// A trained controller acts on a value of a feature that it never saw.
void event_extrapolation(EventLog* log, int64_t hyper_episode, HyperFeature feature, double value,
                         const FeatureRange* seen);
// A stage was folded into a version of the policy.
void event_stage(EventLog* log, const StageResult* result, int version);
void event_stop(EventLog* log, const char* reason);

#endif  // CLUSTER_EVENTS_H
