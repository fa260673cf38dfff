// pack.h - many sealed files of a directory in one: DIR/packed/FIRST-LAST.tar (docs/formats.md).
//
// What holds NNNNNN.h5 of DIR for NNNNNN from FIRST to LAST is a tar archive of these files as they
// are, with an index. Whoever reads a sealed file, or asks whether it is there, does so by its own
// name, DIR/NNNNNN.h5, and these functions: it may stand by itself, in a pack, or for a moment in
// both, with the same bytes.
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/files.h"

// Opens a file for reading; one that is in a pack as a copy in memory (*copied). -1: failed.
int pack_open(const char* path, bool* copied, Error* error);

// As files_look, files_exists, files_stands and files_hash.
bool pack_look(bool* there, const char* path, Error* error);
bool pack_exists(const char* path);
bool pack_stands(const char* path);
bool pack_hash(uint64_t* hash, const char* path, Error* error);

// Whether it is in a pack, and does not stand by itself.
bool pack_holds(const char* path);

// Adds to an error about a file how it is taken out of its pack, if it is in one. Returns false.
bool pack_add_way_out(const char* path, Error* error);

// Whether `name` is that of a pack, and of which files.
typedef struct {
  int64_t first, last;
} PackRange;
bool pack_range(PackRange* range, const char* name);

// The packs of a directory, by their names; none is fine.
bool pack_list(PackRange** packs, int* count, const char* directory, Arena* arena, Error* error);

// Puts the files first ... last of a directory, which must all be there, into one, and removes what
// stands by itself. Nothing is removed before the pack lasts and was compared with it. Without a
// file that stands by itself nothing is done.
bool pack_write(const char* directory, PackRange range, Error* error);

#endif  // STORE_PACK_H
