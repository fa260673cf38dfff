// coordinator.h - what rank 0 decides, without MPI: which hyper-episode comes next, what the
// controller answers, when a stage is complete and the controller is updated.
//
// The directory of sealed files is the only truth: a sealed trajectory is done, the newest policy
// file is the controller, and starting is a scan of both. Several coordinators may share a
// directory: each leases what it assigns, and looks for what the others have sealed.
#ifndef CLUSTER_COORDINATOR_H
#define CLUSTER_COORDINATOR_H

#include "base/stopwatch.h"
#include "cluster/lease.h"
#include "cluster/protocol.h"
#include "cluster/reporter.h"
#include "hyper/run_directory.h"
#include "hyper/scheduler.h"

typedef enum { NEXT_BEGIN, NEXT_WAIT, NEXT_STOP, NEXT_FAILED } NextAnswer;

typedef struct {
  const RunSpec* spec;
  const RunDirectory* directory;
  Reporter* reporter;
  Arena* arena;
  Leases leases;
  double lease_timeout;     // seconds after which the lease of somebody silent is open to all
  bool packs;               // hyper-episodes of a stage into one file when it is folded
  int64_t packed;           // of them, so far
  int64_t total;            // hyper-episodes
  int64_t sealed;           // of them
  int64_t running;          // of them, here
  int64_t first;            // the lowest that is not sealed
  int64_t waiting;          // none below it waits
  uint8_t* status;          // (total) EpisodeStatus
  bool* found;              // (total) its file was seen
  LeaseWatch* watch;        // (total) of the leases of others
  Reminder waits;           // when to say for whom
  Scheduler scheduler;      // who decides, and which hyper-episodes may begin
} Coordinator;

bool coordinator_init(Coordinator* coordinator, const RunSpec* spec,
                      const RunDirectory* directory, double lease_timeout, bool packs,
                      Reporter* reporter, Arena* arena, Error* error);

// The lowest hyper-episode that waits, whose controller is there and whose lease can be had.
// NEXT_FAILED: its controller cannot be read.
NextAnswer coordinator_next(Coordinator* coordinator, BeginMessage* begin, int rank, Error* error);

// The action at a decision: a function of (seed, hyper-episode, decision, policy version, state),
// or what was answered from outside. The verdict is DROP if somebody else has sealed the
// hyper-episode, else GO. *later: there is no action yet (scheduler_ask). False: none can be had.
bool coordinator_decide(OrderMessage* order, bool* later, Coordinator* coordinator,
                        const ReportMessage* report, int rank, Error* error);

// Notes a sealed trajectory; folds each stage that is now complete.
bool coordinator_sealed(Coordinator* coordinator, const SealedMessage* sealed, int rank,
                        Error* error);

// Gives a hyper-episode back, because its worker is gone or has stopped.
void coordinator_give_back(Coordinator* coordinator, int64_t hyper_episode);

// Looks for what others have sealed, by one listing, and folds each stage that is now complete.
bool coordinator_look(Coordinator* coordinator, Error* error);

// Puts what is folded, and all of a complete run, into one file a stage, if that is wanted. Where a
// stage is one hyper-episode or nothing is folded, all of a complete run makes one.
bool coordinator_pack(Coordinator* coordinator, Error* error);

// Gives all leases back. The last process to do so removes what killed ones have left.
void coordinator_release(const Coordinator* coordinator);

// True when all hyper-episodes are sealed and all updates are done.
bool coordinator_complete(const Coordinator* coordinator);

#endif  // CLUSTER_COORDINATOR_H
