// rank0.h - rank 0's state, and the parts that a rank can play in cluster_run: rank 0 of several
// (serve.c), the only rank (local_link.c), one that works (message_link.c).
#ifndef CLUSTER_RANK0_H
#define CLUSTER_RANK0_H

#include "cluster/cluster.h"

// Seconds between two looks at what other starts have sealed, and between two messages to a rank
// that waits.
#define LOOK_INTERVAL 1.0
#define LOOK_SHARE 0.05
#define IDLE_HEARTBEAT_INTERVAL 5.0

typedef union {
  BeginMessage begin;
  ReportMessage report;
  OrderMessage order;
  SealedMessage sealed;
  SavedMessage saved;
  AliveMessage alive;
  StopMessage stop;
  Error failed;
} AnyMessage;

// Rank 0's state, with or without workers.
typedef struct {
  Coordinator coordinator;
  Reporter reporter;
  Comm* comm;
  const ClusterOptions* options;
  double deadline;      // wall-clock seconds since the epoch; 0 = none
  double save_seconds;  // longest checkpoint so far
  double longest_unit;  // longest time between two safe points so far, in seconds
  double renewed;       // when the leases were
  LeaseWatch status_watch;
  double look_due;      // when the directory is to be looked at
  bool failed;          // the run cannot go on: all save and stop
  Error* error;         // why
} Rank0;

// What rank 0 does beside answering: status, leases, stopping in time. False: the run directory is
// gone.
bool rank0_tick(Rank0* rank0, Error* error);

// Looks for what others have sealed, every LOOK_INTERVAL, or as often as takes LOOK_SHARE of the
// time. *looked: it was time to.
bool rank0_look(Rank0* rank0, bool* looked, Error* error);

// Has all that runs saved and stopped, and then ends with this error.
void rank0_fail(Rank0* rank0, const Error* error);

// False: there is no order yet; rank0_listen says when.
bool rank0_decide(Rank0* rank0, OrderMessage* order, const ReportMessage* report, int rank);

// Takes an answer from outside, if one comes within `patience` seconds: returns the hyper-episode
// whose open decision it is, -1: none.
int64_t rank0_listen(Rank0* rank0, double patience);

void rank0_note_saved(Rank0* rank0, const SavedMessage* saved, int rank);
void rank0_note_alive(Rank0* rank0, const AliveMessage* alive, int rank);

// Rank 0 of several: gives out work and answers until all ranks have come to rest, where they wait
// until they are let go.
typedef struct Server Server;
Server* server_open(Rank0* rank0, Arena* arena);
bool serve(Server* server, Error* error);
void server_let_go(Server* server, ClusterEnd end);

// The only rank: runs all hyper-episodes itself.
bool work_alone(Rank0* rank0, Error* error);

// A rank that works; rank 0 is the process `server`.
ClusterEnd work_for(const Process* server, Comm* comm, const RunSpec* spec,
                    const RunDirectory* directory, const ClusterOptions* options, Error* error);

#endif  // CLUSTER_RANK0_H
