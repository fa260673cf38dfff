// h5_archive.h - the Archive backend of checkpoints: every visited array is a dataset, every
// entered name a group, so that h5dump shows a checkpoint.
//
// Saving: h5_create, h5_archive_init, visit, h5_archive_end, h5_seal. Loading: h5_open,
// h5_archive_init, visit, h5_archive_end, h5_close. Loading refuses what has another name, type,
// length or content than was saved, and what was saved but not asked for.
#ifndef STORE_H5_ARCHIVE_H
#define STORE_H5_ARCHIVE_H

#include "base/archive.h"
#include "store/h5.h"

// mode: ARCHIVE_SAVE into a file that is being written, or ARCHIVE_LOAD from an open one. The
// backend lives in the arena.
void h5_archive_init(Archive* archive, ArchiveMode mode, H5File* file, Arena* arena);

// Ends the visit: stores, or compares, number of arrays and checksum. False reports the first
// failure; what was loaded must then be discarded.
bool h5_archive_end(Archive* archive, Error* error);

#endif  // STORE_H5_ARCHIVE_H
