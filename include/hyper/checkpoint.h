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

// Writes the next generation and removes the one before the last. Fails if all checkpoints of the
// run would take more than `max_bytes` (0 = no limit).
bool checkpoint_write(CheckpointCost* cost, HyperEpisode* episode, const RunDirectory* directory,
                      int64_t max_bytes, Error* error);

// Makes an initialised `episode` what the newest good checkpoint says; *found is false, and the
// episode untouched, if there is none. Damaged generations are reported through `warn` and skipped.
// False: a checkpoint is whole but belongs to another configuration, physics or program; or none is
// whole, and the disk did not give one that may be.
bool checkpoint_load(HyperEpisode* episode, const RunDirectory* directory, bool* found,
                     void (*warn)(const char* message), Arena* scratch, Error* error);

// What the newest good checkpoint says, without loading it: its generation and real samples.
// False: there is none.
bool checkpoint_peek(long* generation, int64_t* env_step, const RunDirectory* directory,
                     int64_t hyper_episode);

// Removes the checkpoints of a sealed hyper-episode.
void checkpoint_remove(const RunDirectory* directory, int64_t hyper_episode);

#endif  // HYPER_CHECKPOINT_H
