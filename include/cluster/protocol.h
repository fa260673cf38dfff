// protocol.h - all messages between workers and the coordinator (rank 0), as plain structs.
//
// A worker asks, rank 0 answers. Answers are a function of the question and of sealed files only,
// so that asking again, after a restart or from another rank, gives the same bits.
#ifndef CLUSTER_PROTOCOL_H
#define CLUSTER_PROTOCOL_H

#include "hyper/health.h"
#include "hyper/scheduler.h"

typedef enum {
  TAG_READY = 1,  // worker -> 0: give me a hyper-episode. Answer: BEGIN or STOP, when there is one
  TAG_BEGIN,      // 0 -> worker: run this hyper-episode
  TAG_STOP,       // 0 -> worker: all have come to rest: end
  TAG_REPORT,     // worker -> 0: a decision is due. Answer: ORDER, perhaps much later
  TAG_ORDER,      // 0 -> worker: the action
  TAG_SEALED,     // worker -> 0: the trajectory file is in place. No answer
  TAG_SAVED,      // worker -> 0: a checkpoint is in place. No answer
  TAG_STOPPED,    // worker -> 0: stopped with a checkpoint, on request. Answer: STOP, in the end
  TAG_FAILED,     // worker -> 0: an error message; rank 0 ends the run. No answer
  TAG_ALIVE,      // worker -> 0 every few seconds, and 0 -> workers that wait. No answer
  TAG_HALT,       // 0 -> worker: save and stop at the next safe point. Answer: STOPPED
} MessageTag;

// Live progress of a hyper-episode: for metrics.jsonl and status.json, never for results.
typedef struct {
  int64_t env_step;
  int32_t epochs;           // finished
  int32_t model_trainings;  // in the last epoch, as the following
  double eval_return;
  double real_ratio;
  double policy_updates;
  double rollout_length;
  Health health;
  MbpoTimes times;  // since the start of the process
  double rss_mb;
} Progress;

typedef struct {
  int64_t hyper_episode;
  int32_t policy_version;
  int32_t stage;
  HyperSegment segment;
  MbpoScheduled scheduled;  // heads that the controller sets
} BeginMessage;

typedef struct {
  int64_t hyper_episode;
  int32_t decision;  // index within the hyper-episode
  int32_t policy_version;
  HyperState state;
  double reward;  // of the previous decision
  Progress progress;
  int32_t note_count;                  // only so many of the notes are sent
  double notes[SCHEDULER_MOST_NOTES];  // of the scheduler, in this hyper-episode
} ReportMessage;

typedef enum {
  ORDER_GO,
  ORDER_STOP,  // save and stop after this decision
  ORDER_NONE,  // no decision could be made: save and stop before it
  ORDER_DROP,  // the hyper-episode was sealed by somebody else: leave it, and ask for another
} OrderVerdict;

typedef struct {
  int64_t hyper_episode;
  int32_t decision;
  int32_t verdict;  // OrderVerdict
  HyperAction action;
  int32_t note_count;  // as of the report
  double notes[SCHEDULER_MOST_NOTES];
} OrderMessage;

size_t report_size(const ReportMessage* report);
size_t order_size(const OrderMessage* order);

typedef struct {
  int64_t hyper_episode;
  int32_t diverged;
  int32_t decisions;
  double reward;  // of the last of them
  double score;   // mean over epochs of the mean evaluation return
  Progress progress;
} SealedMessage;

typedef struct {
  int64_t hyper_episode;
  int64_t env_step;
  int64_t bytes;
  double seconds;  // that it took
} SavedMessage;

typedef struct {
  int64_t hyper_episode;  // -1 = waits
  double longest_unit;    // seconds that were the longest between two safe points
  Progress progress;
} AliveMessage;

typedef struct {
  int32_t lost;      // ranks were lost: end without MPI_Finalize
  int32_t complete;  // all is done
} StopMessage;

// How a worker reaches the coordinator: by MPI, or by plain calls within one process.
typedef struct Link Link;
struct Link {
  // False: there is no more work.
  bool (*begin)(Link*, BeginMessage* begin);
  // Called every second or so at safe points.
  void (*alive)(Link*, const AliveMessage* alive);
  void (*decide)(Link*, OrderMessage* order, const ReportMessage* report);
  void (*sealed)(Link*, const SealedMessage* sealed);
  void (*saved)(Link*, const SavedMessage* saved);
  void (*stopped)(Link*);
  void* self;
};

#endif  // CLUSTER_PROTOCOL_H
