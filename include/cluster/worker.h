// worker.h - runs hyper-episodes, one after the other, and asks the coordinator at each decision.
#ifndef CLUSTER_WORKER_H
#define CLUSTER_WORKER_H

#include "cluster/protocol.h"
#include "hyper/run_directory.h"

typedef struct {
  double interval;    // seconds between checkpoints of a hyper-episode
  double give_up;     // seconds for which none could be written, after which the run fails
  int64_t max_bytes;  // of all checkpoints of a run; 0 = no limit
} SaveOptions;

typedef enum { WORKER_FINISHED, WORKER_STOPPED, WORKER_FAILED } WorkerEnd;

// Runs hyper-episodes until the link says that there are no more, or until a stop is requested:
// then the running one has a checkpoint. A hyper-episode goes on from its newest checkpoint.
WorkerEnd worker_run(Link* link, const RunSpec* spec, const RunDirectory* directory,
                     const SaveOptions* options, Error* error);

#endif  // CLUSTER_WORKER_H
