// status_file.h - status.json: how far a run is, for `autombpo status`, `top` and other tools.
#ifndef CLUSTER_STATUS_FILE_H
#define CLUSTER_STATUS_FILE_H

#include "cluster/standing.h"
#include "hyper/run_directory.h"

// Replaces it as a whole. State: running, checkpointed, finished or failed. Deadline: seconds since
// 1970 by when the start has to end; 0 = none.
bool status_file_write(const RunDirectory* directory, const Standing* standing, const char* state,
                       double deadline, Error* error);

#endif  // CLUSTER_STATUS_FILE_H
