// campaign_internal.h - what the parts of a campaign share: campaign.c (rank 0 alone, and what is
// common), serve.c (rank 0 of several), remote.c (the others).
#ifndef CLUSTER_CAMPAIGN_INTERNAL_H
#define CLUSTER_CAMPAIGN_INTERNAL_H

#include "cluster/campaign.h"

// Seconds between two looks at what other campaigns have sealed, and between two messages to a rank
// that waits.
#define LOOK_INTERVAL 1.0
#define IDLE_HEARTBEAT_INTERVAL 5.0

// Seconds for which rank 0 works on the files of many hyper-episodes (leases, what others have
// sealed) before it looks for messages again.
#define PORTION 2e-3

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
  const CampaignOptions* options;
  double deadline;      // wall-clock seconds since the epoch; 0 = none
  double save_seconds;  // longest checkpoint so far
  double longest_unit;  // longest time between two safe points so far, in seconds
  double renewed;       // when the lease on the status was
  LeaseSight status_sight;
  double ticked;        // when leases of hyper-episodes last were
  double renewals_due;  // how many of them should have been by then
  double looked;        // when the directory began to be looked at
  bool looking;         // there is more to look at
  bool failed;          // the run cannot go on: all save and stop
  Error* error;         // why
} Campaign;

// What rank 0 does beside answering: status, leases, stopping in time. False: the run directory is
// gone.
bool campaign_tick(Campaign* campaign, Error* error);

// Looks for what others have sealed, every LOOK_INTERVAL, in portions. *looked: it came to the end.
bool campaign_look(Campaign* campaign, bool* looked, Error* error);

// Has all that runs saved and stopped, and then ends with this error.
void campaign_fail(Campaign* campaign, const Error* error);

// False: there is no order yet; campaign_listen says when.
bool campaign_decide(Campaign* campaign, OrderMessage* order, const ReportMessage* report,
                     int rank);

// Takes an answer from outside, if one comes within `patience` seconds: returns the hyper-episode
// whose open decision it is, -1: none.
int64_t campaign_listen(Campaign* campaign, double patience);

void campaign_note_saved(Campaign* campaign, const SavedMessage* saved, int rank);
void campaign_note_alive(Campaign* campaign, const AliveMessage* alive, int rank);

// Rank 0 of several: deals and answers until all ranks have come to rest.
bool serve(Campaign* campaign, Arena* arena, Error* error);

// A rank that works; rank 0 is the process `dealer`.
CampaignEnd work(Comm* comm, const Process* dealer, const RunSpec* spec,
                 const RunDirectory* directory, const CampaignOptions* options, Error* error);

#endif  // CLUSTER_CAMPAIGN_INTERNAL_H
