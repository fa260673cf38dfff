// checkpoint.h - the state of a running hyper-episode in checkpoint/episode-NNNNNN/gen-N.h5.
//
// A checkpoint is written aside, synced and renamed, and two generations are kept. Loading takes
// the newest good one; what it refuses it names. Private format, versioned.
#ifndef HYPER_CHECKPOINT_H
#define HYPER_CHECKPOINT_H

#include "hyper/hyper_episode.h"
#include "hyper/run_directory.h"

typedef struct {
  double seconds;  // to write
  int64_t bytes;
} CheckpointCost;

// Writes the next generation and removes the one before the last.
bool checkpoint_write(CheckpointCost* cost, HyperEpisode* episode, const RunDirectory* directory,
                      Error* error);

// Makes an initialised `episode` what the newest good checkpoint says; *found is false, and the
// episode untouched, if there is none. Bad generations are reported through `warn` and skipped.
// False: a checkpoint is good but belongs to another configuration or physics.
bool checkpoint_load(HyperEpisode* episode, const RunDirectory* directory, bool* found,
                     void (*warn)(const char* message), Arena* scratch, Error* error);

// Removes the checkpoints of a sealed hyper-episode.
void checkpoint_remove(const RunDirectory* directory, int64_t hyper_episode);

#endif  // HYPER_CHECKPOINT_H
