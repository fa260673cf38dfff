// archive.c - the front of all archives, and two of their backends: memory and checksum.
//
// Every typed call ends in archive_array, which hands the bytes to the backend and hashes the name
// and the bytes on the way, whatever the mode. So saving and loading give a checksum of what passed
// as a by-product, and the checksum alone is an archive without a backend. Names are hashed, too:
// two arrays of equal content that changed places are noticed.
//
// archive_packed makes a subtree one array of bytes: where a backend has much to do for each array
// (a dataset of HDF5), a state of many small ones is written as one. It is the only memory here
// that does not come from an arena, since its size is known only when it has been visited.
#include "base/archive.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Largest packed table that is believed when loading.
#define PACKED_LIMIT ((uint64_t)1 << 30)

uint64_t hash_bytes(uint64_t hash, const void* data, size_t size) {
  const uint64_t prime = 0x100000001b3u;
  const uint8_t* bytes = data;
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    memcpy(&word, bytes + i, 8);
    hash = (hash ^ word) * prime;
    hash ^= hash >> 32;
  }
  for (; i < size; i++) {
    hash = (hash ^ bytes[i]) * prime;
  }
  return hash;
}

size_t archive_type_size(ArchiveType type) {
  switch (type) {
    case ARCHIVE_U8:
      return 1;
    case ARCHIVE_I32:
    case ARCHIVE_F32:
      return 4;
    case ARCHIVE_I64:
    case ARCHIVE_U64:
    case ARCHIVE_F64:
      return 8;
  }
  CHECK(false, "unknown archive type %d", (int)type);
}

void archive_array(Archive* ar, const char* name, void* data, ArchiveType type, size_t count) {
  if (ar->failed) {
    return;
  }
  if (ar->array && !ar->array(ar, name, data, type, count)) {
    error_add(&ar->error, "%s", name);
    ar->failed = true;
    return;
  }
  ar->checksum = hash_bytes(ar->checksum, name, strlen(name));
  ar->checksum = hash_bytes(ar->checksum, data, count * archive_type_size(type));
}

void archive_enter(Archive* ar, const char* name) {
  if (!ar->failed && ar->enter && !ar->enter(ar, name)) {
    error_add(&ar->error, "%s", name);
    ar->failed = true;
  }
  ar->checksum = hash_bytes(ar->checksum, name, strlen(name));
}

void archive_leave(Archive* ar) {
  if (!ar->failed && ar->leave && !ar->leave(ar)) {
    ar->failed = true;
  }
}

void archive_u8(Archive* ar, const char* name, uint8_t* data, size_t count) {
  archive_array(ar, name, data, ARCHIVE_U8, count);
}

void archive_i32(Archive* ar, const char* name, int32_t* data, size_t count) {
  archive_array(ar, name, data, ARCHIVE_I32, count);
}

void archive_i64(Archive* ar, const char* name, int64_t* data, size_t count) {
  archive_array(ar, name, data, ARCHIVE_I64, count);
}

void archive_u64(Archive* ar, const char* name, uint64_t* data, size_t count) {
  archive_array(ar, name, data, ARCHIVE_U64, count);
}

void archive_f64(Archive* ar, const char* name, double* data, size_t count) {
  archive_array(ar, name, data, ARCHIVE_F64, count);
}

void archive_real(Archive* ar, const char* name, Real* data, size_t count) {
  archive_array(ar, name, data, sizeof(Real) == 4 ? ARCHIVE_F32 : ARCHIVE_F64, count);
}

void archive_bool(Archive* ar, const char* name, bool* value) {
  uint8_t byte = *value;
  archive_u8(ar, name, &byte, 1);
  *value = byte != 0;
}

void archive_fail(Archive* ar, const char* format, ...) {
  if (ar->failed) {
    return;
  }
  va_list args;
  va_start(args, format);
  vsnprintf(ar->error.text, sizeof ar->error.text, format, args);
  va_end(args);
  ar->failed = true;
}

void archive_init_checksum(Archive* ar) {
  *ar = (Archive){.mode = ARCHIVE_CHECKSUM, .checksum = HASH_START};
}

static bool memory_save(Archive* ar, const char* name, void* data, ArchiveType type, size_t count) {
  (void)name;
  ArchiveMemory* memory = ar->backend;
  size_t size = count * archive_type_size(type);
  if (memory->size + size > memory->capacity) {
    memory->capacity = 2 * (memory->size + size);
    memory->bytes = realloc(memory->bytes, memory->capacity);
    NEED(memory->bytes, "out of memory: %zu bytes", memory->capacity);
  }
  if (size > 0) {
    memcpy(memory->bytes + memory->size, data, size);
    memory->size += size;
  }
  return true;
}

static bool memory_load(Archive* ar, const char* name, void* data, ArchiveType type, size_t count) {
  (void)name;
  ArchiveMemory* memory = ar->backend;
  size_t size = count * archive_type_size(type);
  if (size > memory->size - memory->position) {
    return error_set(&ar->error, "ends early: %zu bytes wanted, %zu left", size,
                     memory->size - memory->position);
  }
  if (size > 0) {
    memcpy(data, memory->bytes + memory->position, size);
    memory->position += size;
  }
  return true;
}

void archive_init_memory(Archive* ar, ArchiveMode mode, ArchiveMemory* memory) {
  *ar = (Archive){.mode = mode, .checksum = HASH_START, .backend = memory};
  ar->array = mode == ARCHIVE_SAVE ? memory_save : mode == ARCHIVE_LOAD ? memory_load : NULL;
}

void archive_memory_free(ArchiveMemory* memory) {
  free(memory->bytes);
  *memory = (ArchiveMemory){0};
}

static void pack(Archive* ar, ArchiveMemory* memory, void (*visit)(void*, Archive*), void* self) {
  Archive inner;
  archive_init_memory(&inner, ar->mode == ARCHIVE_LOAD ? ARCHIVE_LOAD : ARCHIVE_SAVE, memory);
  visit(self, &inner);
  if (inner.failed) {
    archive_fail(ar, "%s", inner.error.text);
  }
}

void archive_packed(Archive* ar, const char* name, void (*visit)(void*, Archive*), void* self) {
  ArchiveMemory memory = {0};
  archive_enter(ar, name);
  if (ar->mode != ARCHIVE_LOAD) {
    pack(ar, &memory, visit, self);
  }
  uint64_t size = memory.size;
  archive_u64(ar, "size", &size, 1);
  if (ar->mode == ARCHIVE_LOAD && !ar->failed) {
    if (size > PACKED_LIMIT) {
      archive_fail(ar, "%s: %llu bytes, expected at most %llu", name, (unsigned long long)size,
                   (unsigned long long)PACKED_LIMIT);
    } else {
      memory = (ArchiveMemory){.size = (size_t)size, .bytes = malloc(size ? (size_t)size : 1)};
      NEED(memory.bytes, "out of memory: %llu bytes", (unsigned long long)size);
    }
  }
  archive_u8(ar, "bytes", memory.bytes, memory.size);
  if (ar->mode == ARCHIVE_LOAD && !ar->failed) {
    pack(ar, &memory, visit, self);
  }
  archive_memory_free(&memory);
  archive_leave(ar);
}
