// sealed_check.h - whether a sealed file that is found in a run directory can be trusted.
#ifndef HYPER_SEALED_CHECK_H
#define HYPER_SEALED_CHECK_H

#include "hyper/run_spec.h"
#include "hyper/run_directory.h"
#include "hyper/trajectory.h"

// Whether the sealed hyper-episode is whole, of this version of the format, and of this run.
// The message says how to go on.
bool sealed_check_episode(const RunDirectory* directory, const RunSpec* spec,
                          int64_t hyper_episode, Error* error);

// The same, and leaves it open; reads it.
bool sealed_open_episode(H5File* file, const RunDirectory* directory, const RunSpec* spec,
                         int64_t hyper_episode, Error* error);
bool sealed_read_episode(Trajectory* trajectory, const RunDirectory* directory,
                         const RunSpec* spec, int64_t hyper_episode, Arena* arena, Error* error);

// The same, and how it ended. `spec` NULL: it may be of any run.
bool sealed_read_outcome(Outcome* outcome, const RunDirectory* directory, const RunSpec* spec,
                         int64_t hyper_episode, Error* error);

// As sealed_check_episode, of a version of the controller.
bool sealed_check_policy(const RunDirectory* directory, const RunSpec* spec, int version,
                         Error* error);

#endif  // HYPER_SEALED_CHECK_H
