// coordinator.h - what rank 0 decides, without MPI: which hyper-episode comes next, what the
// controller answers, when a stage is complete and the controller is updated.
//
// The directory of sealed files is the only truth: a sealed trajectory is done, the newest policy
// file is the controller, and starting is a scan of both.
#ifndef CLUSTER_COORDINATOR_H
#define CLUSTER_COORDINATOR_H

#include "cluster/protocol.h"
#include "cluster/reporter.h"
#include "hyper/run_directory.h"

typedef enum { NEXT_BEGIN, NEXT_WAIT, NEXT_STOP } NextAnswer;

typedef struct {
  const Experiment* experiment;
  const RunDirectory* directory;
  Reporter* reporter;
  Arena* arena;
  int64_t total;            // hyper-episodes
  int64_t sealed;           // of them
  uint8_t* status;          // (total) EpisodeStatus
  bool learns;              // the controller is updated
  bool controlled;          // a controller acts
  bool uses_best;           // apply: act with the best version
  int version;              // newest version of the controller
  int window;               // versions kept: all that a running hyper-episode may act with
  Controller* controllers;  // (window) version v at v % window
} Coordinator;

bool coordinator_init(Coordinator* coordinator, const Experiment* experiment,
                      const RunDirectory* directory, Reporter* reporter, Arena* arena,
                      Error* error);

// The lowest hyper-episode that waits and whose controller is there.
NextAnswer coordinator_next(Coordinator* coordinator, BeginMessage* begin, int rank);

// The action at a decision: a function of (seed, hyper-episode, decision, policy version, state).
void coordinator_decide(OrderMessage* order, Coordinator* coordinator, const ReportMessage* report,
                        int rank);

// Notes a sealed trajectory; folds each stage that is now complete.
bool coordinator_sealed(Coordinator* coordinator, const SealedMessage* sealed, int rank,
                        Error* error);

// Gives a hyper-episode back, because its worker is gone.
void coordinator_lost(Coordinator* coordinator, int64_t hyper_episode);

// True when all hyper-episodes are sealed and all updates are done.
bool coordinator_complete(const Coordinator* coordinator);

#endif  // CLUSTER_COORDINATOR_H
