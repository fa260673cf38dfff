// cluster.h - a run on all ranks: rank 0 coordinates, the others work; a single rank does both by
// plain calls. Several starts of one run may share its directory.
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "cluster/comm.h"
#include "cluster/coordinator.h"
#include "cluster/worker.h"

typedef struct {
  SaveOptions save;
  double progress_interval;  // seconds between progress lines in a log
  double max_wall;           // seconds after which to save and stop; 0 = never
  double lost_after;         // seconds of silence after which a rank is given up
  double lease_timeout;      // and after which the work of another start is taken over
  bool pack;                 // the hyper-episodes of a stage into one file
  bool quiet;
  // What else rank 0 does with `of` when the run is complete; NULL: nothing.
  bool (*complete)(void* of, int64_t diverged, Error* error);
  void* of;
} ClusterOptions;

typedef enum { CLUSTER_FINISHED, CLUSTER_STOPPED, CLUSTER_FAILED } ClusterEnd;

// FAILED, with an error, on rank 0 and on the rank that failed. STOPPED: what ran has a checkpoint.
ClusterEnd cluster_run(Comm* comm, const RunSpec* spec, const RunDirectory* directory,
                       const ClusterOptions* options, Error* error);

#endif  // CLUSTER_CLUSTER_H
