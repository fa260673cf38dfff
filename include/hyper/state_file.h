// state_file.h - the whole state of a hyper-episode in one file: a checkpoint, or a snapshot.
//
// Private format, versioned. A file is written aside, verified, synced and renamed.
#ifndef HYPER_STATE_FILE_H
#define HYPER_STATE_FILE_H

#include "hyper/hyper_episode.h"

#define STATE_FORMAT "autombpo.checkpoint"
#define STATE_VERSION 4

typedef enum {
  STATE_GOOD,
  STATE_BAD,      // damaged, or not what its place says
  STATE_FOREIGN,  // whole, but of another configuration, physics or version of the program
} StateVerdict;

bool state_file_write(HyperEpisode* episode, const char* path, Arena* scratch, Error* error);

// Makes an initialised `episode` what hyper-episode `index` was when it wrote the file. Every
// stored value is compared with its checksum before anything is loaded.
StateVerdict state_file_read(HyperEpisode* episode, const char* path, int64_t index,
                             Arena* scratch, Error* error);

#endif  // HYPER_STATE_FILE_H
