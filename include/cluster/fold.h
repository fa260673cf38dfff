// fold.h - from the sealed hyper-episodes of a stage to the next version of the controller.
#ifndef CLUSTER_FOLD_H
#define CLUSTER_FOLD_H

#include "hyper/controller.h"
#include "hyper/experiment.h"
#include "hyper/run_directory.h"

// Updates the controller on stage controller->version, read from its sealed files in index order.
bool fold_stage(Controller* controller, const Experiment* experiment,
                const RunDirectory* directory, Arena* scratch, Error* error);

// The policy file that a user names: the file itself, or the newest of a run directory.
bool fold_find_policy(char out[RUN_PATH_SIZE], const char* named, Error* error);

#endif  // CLUSTER_FOLD_H
