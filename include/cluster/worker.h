// worker.h - runs hyper-episodes, one after the other, and asks the coordinator at each decision.
#ifndef CLUSTER_WORKER_H
#define CLUSTER_WORKER_H

#include "cluster/protocol.h"
#include "hyper/run_directory.h"

// Runs hyper-episodes until the link says that there are no more.
bool worker_run(Link* link, const Experiment* experiment, const RunDirectory* directory,
                Error* error);

#endif  // CLUSTER_WORKER_H
