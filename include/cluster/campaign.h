// campaign.h - a whole run on all ranks: rank 0 coordinates, the others work; a single rank does
// both by plain calls.
#ifndef CLUSTER_CAMPAIGN_H
#define CLUSTER_CAMPAIGN_H

#include "cluster/comm.h"
#include "cluster/coordinator.h"

typedef struct {
  double progress_interval;  // seconds between progress lines in a log
  bool quiet;
} CampaignOptions;

// Returns false on failure (on rank 0 and on the rank that failed).
bool campaign_run(Comm* comm, const Experiment* experiment, const RunDirectory* directory,
                  const CampaignOptions* options, Error* error);

#endif  // CLUSTER_CAMPAIGN_H
