// snapshot.h - where a hyper-episode ended, in snapshot/NNNNNN.h5, for others to go on from.
//
// It stands before the hyper-episode is sealed, and until nothing can begin there any more.
#ifndef HYPER_SNAPSHOT_H
#define HYPER_SNAPSHOT_H

#include "hyper/hyper_episode.h"
#include "hyper/run_directory.h"

bool snapshot_write(HyperEpisode* episode, const RunDirectory* directory, Error* error);

// Begins an initialised hyper-episode where its parent ended.
bool snapshot_load(HyperEpisode* episode, const RunDirectory* directory, Arena* scratch,
                   Error* error);

void snapshot_remove(const RunDirectory* directory, int64_t hyper_episode);

#endif  // HYPER_SNAPSHOT_H
