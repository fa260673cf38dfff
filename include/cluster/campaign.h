// campaign.h - a whole run on all ranks: rank 0 coordinates, the others work; a single rank does
// both by plain calls. Several campaigns, started one by one, may share a run directory.
#ifndef CLUSTER_CAMPAIGN_H
#define CLUSTER_CAMPAIGN_H

#include "cluster/comm.h"
#include "cluster/coordinator.h"
#include "cluster/worker.h"

typedef struct {
  SaveOptions save;
  double progress_interval;  // seconds between progress lines in a log
  double max_wall;           // seconds after which to save and stop; 0 = never
  double lost_after;         // seconds of silence after which a rank is given up
  double lease_timeout;      // and after which the work of another campaign is taken over
  bool quiet;
} CampaignOptions;

typedef enum { CAMPAIGN_FINISHED, CAMPAIGN_STOPPED, CAMPAIGN_FAILED } CampaignEnd;

// FAILED, with an error, on rank 0 and on the rank that failed. STOPPED: what ran has a checkpoint.
// diverged: of all sealed hyper-episodes, on rank 0.
CampaignEnd campaign_run(int64_t* diverged, Comm* comm, const RunSpec* spec,
                         const RunDirectory* directory, const CampaignOptions* options,
                         Error* error);

#endif  // CLUSTER_CAMPAIGN_H
