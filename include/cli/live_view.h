// live_view.h - what a run directory says of its run while it runs, from text files alone.
//
// status.json, starts.jsonl, run.yaml, the end of metrics.jsonl and the lease on the status are
// read; no HDF5 file is opened, nothing is written, and nobody is asked.
#ifndef CLI_LIVE_VIEW_H
#define CLI_LIVE_VIEW_H

#include "base/arena.h"
#include "base/error.h"
#include "hyper/run_directory.h"

typedef enum {
  LIVE_NOT_BEGUN,     // no status yet
  LIVE_RUNNING,       // somebody writes, here or on another machine
  LIVE_SILENT,        // on another machine, and nothing was written for a while: it may be dead
  LIVE_DEAD,          // its process, of this machine, has ended without a word
  LIVE_CHECKPOINTED,  // stopped, to be gone on with
  LIVE_FAILED,
  LIVE_FINISHED,
} LiveState;

typedef enum { LIVE_SAC, LIVE_MODEL, LIVE_ROLLOUT, LIVE_EVAL, LIVE_ENV, LIVE_PARTS } LivePart;

// One hyper-episode, as the end of metrics.jsonl tells of it.
typedef struct {
  int64_t index;
  int epoch;                    // of the last evaluation; -1 = none
  double real_ratio, policy_updates, rollout_length;
  double seconds[LIVE_PARTS];   // processor time since its process took it up
  int count;                    // evaluations
  double* returns;              // (count)
} LiveEpisode;

// One that status.json names as running.
typedef struct {
  int rank;
  int64_t episode, samples;
  double last_return, rss_mb;
} LiveRank;

typedef struct {
  const char* directory;
  const char *method, *env, *seed;  // "?" where run.yaml does not say
  LiveState state;
  const char* host;     // of rank 0 at the last start; "?" = unknown
  const char* job;      // of the batch system; "" = none
  double running_for;   // seconds since the last start; NaN = unknown
  const char* updated;  // the last status; "" = none
  double age;           // seconds since something was written, by this machine's clock
  long process;         // of rank 0, on this machine; 0 = elsewhere or gone
  int ranks;
  double progress, eta, steps_per_second, samples, checkpoint_age;  // NaN = unknown
  int64_t done, running, queued, diverged, lost, stage;
  int64_t best_episode;
  double best_score;
  int rank_count;
  LiveRank* rank;       // (rank_count)
  int episode_count;
  LiveEpisode* episode; // (episode_count), by the time of their last evaluation
  int score_count;
  double* score;        // (score_count) of sealed hyper-episodes, in the order of their ends
  const char* warning;  // of health, the last; "" = none
  int64_t warned_episode;
  int warned_epoch;
  const char* status;   // status.json as it is; NULL = none
  const char* said;     // the state in it; "" = none
} LiveView;

// False: the directory is no run, or a file cannot be read.
bool live_read(LiveView* view, const char* directory, Arena* arena, Error* error);

// "running", "dead" ...
const char* live_state_name(LiveState state);

// Whether the run is to be gone on with.
bool live_can_resume(LiveState state);

#endif  // CLI_LIVE_VIEW_H
