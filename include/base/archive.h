// archive.h - one visitor for saving, loading and checksumming.
//
// Each stateful module lists its mutable state once, in x_visit(x, archive): the same call saves,
// loads or checksums it, so that the three cannot drift apart. Backends: memory and checksum here,
// HDF5 in store/h5_archive.
// A visited array's length must be known when it is visited; a variable length is visited first.
// After a failure (bad file) every further call does nothing; the caller looks at archive->failed
// once, at the end, and must then discard what it loaded.
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/real.h"

typedef enum { ARCHIVE_SAVE, ARCHIVE_LOAD, ARCHIVE_CHECKSUM } ArchiveMode;

typedef enum {
  ARCHIVE_U8,
  ARCHIVE_I32,
  ARCHIVE_I64,
  ARCHIVE_U64,
  ARCHIVE_F32,
  ARCHIVE_F64,
} ArchiveType;

typedef struct Archive Archive;

struct Archive {
  ArchiveMode mode;
  bool failed;
  Error error;       // the first failure
  uint64_t checksum; // of all that was visited, names included
  // Backend: transfers one array, or opens and closes a named group. False = failed (error set).
  bool (*array)(Archive*, const char* name, void* data, ArchiveType type, size_t count);
  bool (*enter)(Archive*, const char* name);
  bool (*leave)(Archive*);
  void* backend;
};

size_t archive_type_size(ArchiveType type);

void archive_array(Archive* archive, const char* name, void* data, ArchiveType type, size_t count);
void archive_enter(Archive* archive, const char* name);
void archive_leave(Archive* archive);

void archive_u8(Archive* archive, const char* name, uint8_t* data, size_t count);
void archive_i32(Archive* archive, const char* name, int32_t* data, size_t count);
void archive_i64(Archive* archive, const char* name, int64_t* data, size_t count);
void archive_u64(Archive* archive, const char* name, uint64_t* data, size_t count);
void archive_f64(Archive* archive, const char* name, double* data, size_t count);
void archive_real(Archive* archive, const char* name, Real* data, size_t count);
void archive_bool(Archive* archive, const char* name, bool* value);

// Visits `self` through `visit` as one array of bytes: for tables of many small rows.
void archive_packed(Archive* archive, const char* name, void (*visit)(void* self, Archive*),
                    void* self);

// Marks the archive as failed, with a message.
void archive_fail(Archive* archive, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Only hashes what is visited.
void archive_init_checksum(Archive* archive);

// A growing (save) or given (load) byte buffer.
typedef struct {
  uint8_t* bytes;
  size_t size;      // bytes written, or bytes there are
  size_t capacity;
  size_t position;  // next byte to load
} ArchiveMemory;

void archive_init_memory(Archive* archive, ArchiveMode mode, ArchiveMemory* memory);
void archive_memory_free(ArchiveMemory* memory);

// 64-bit FNV-1a over 8-byte words (then bytes), chained through `hash`; start with HASH_START.
#define HASH_START 0xcbf29ce484222325u
uint64_t hash_bytes(uint64_t hash, const void* data, size_t size);

#endif  // BASE_ARCHIVE_H
