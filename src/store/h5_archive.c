// h5_archive.c - visitors on HDF5: an array is a dataset, an entered name is a group.
//
// The backend keeps the path that is entered, the number of arrays and the file. Saving writes each
// array as the visitor comes to it; loading reads by name, and lets the file refuse another type or
// length. At the end the count and the checksum of all that passed are stored, or compared: the
// checksum finds names and bytes that differ, the count what was saved but not asked for.
//
// Datasets are plain here, without chunks and compression (file->plain): a checkpoint is written
// often, read seldom, and is mostly random-looking floats that compress badly.
#include "store/h5_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  H5File* file;
  int64_t arrays;               // visited so far
  size_t size;                  // of path
  char path[FILES_PATH_SIZE];   // "" or "state/sac": the group that is entered
} Backend;

static H5Type h5_type(ArchiveType type) {
  switch (type) {
    case ARCHIVE_U8:
      return H5_U8;
    case ARCHIVE_I32:
      return H5_I32;
    case ARCHIVE_I64:
      return H5_I64;
    case ARCHIVE_U64:
      return H5_U64;
    case ARCHIVE_F32:
      return H5_F32;
    case ARCHIVE_F64:
      return H5_F64;
  }
  CHECK(false, "unknown archive type %d", (int)type);
  return H5_U8;
}

// Appends a name to the entered path.
static bool extend(Archive* archive, const char* name) {
  Backend* backend = archive->backend;
  size_t room = sizeof backend->path - backend->size;
  int size = snprintf(backend->path + backend->size, room, "%s%s", backend->size ? "/" : "", name);
  if ((size_t)size >= room) {
    backend->path[backend->size] = '\0';
    return error_set(&archive->error, "nested too deeply");
  }
  backend->size += (size_t)size;
  return true;
}

// Removes what extend appended.
static void shorten(Backend* backend) {
  char* slash = strrchr(backend->path, '/');
  backend->size = slash ? (size_t)(slash - backend->path) : 0;
  backend->path[backend->size] = '\0';
}

static bool outcome(Archive* archive) {
  const Backend* backend = archive->backend;
  if (backend->file->failed) {
    archive->error = backend->file->error;
  }
  return !backend->file->failed;
}

static bool transfer(Archive* archive, const char* name, void* data, ArchiveType type,
                     size_t count) {
  Backend* backend = archive->backend;
  CHECK(*name && !strchr(name, '/'), "archive name '%s' is not a plain word", name);
  if (!extend(archive, name)) {
    return false;
  }
  if (archive->mode == ARCHIVE_SAVE) {
    H5Column column = {backend->path, h5_type(type), (int64_t)count, 0, "1", name};
    h5_write(backend->file, &column, data);
  } else {
    h5_read(backend->file, backend->path, h5_type(type), (int64_t)count, 0, data);
  }
  backend->arrays++;
  shorten(backend);
  return outcome(archive);
}

static bool enter(Archive* archive, const char* name) {
  Backend* backend = archive->backend;
  CHECK(*name && !strchr(name, '/'), "archive name '%s' is not a plain word", name);
  if (!extend(archive, name)) {
    return false;
  }
  if (archive->mode == ARCHIVE_SAVE) {
    h5_group(backend->file, backend->path);
  }
  return outcome(archive);
}

static bool leave(Archive* archive) {
  Backend* backend = archive->backend;
  CHECK(backend->size > 0, "archive_leave without archive_enter");
  shorten(backend);
  return true;
}

void h5_archive_init(Archive* archive, ArchiveMode mode, H5File* file, Arena* arena) {
  Backend* backend = ARENA_NEW(arena, 1, Backend);
  backend->file = file;
  file->plain = true;
  *archive = (Archive){.mode = mode, .checksum = HASH_START, .backend = backend};
  archive->array = transfer;
  archive->enter = enter;
  archive->leave = leave;
}

static void compare(Archive* archive, const Backend* backend, const char* checksum) {
  H5File* file = backend->file;
  Arena arena;
  arena_init(&arena);
  int64_t arrays = h5_get_i64(file, "", "archive_arrays");
  const char* stored = h5_get_text(file, "", "archive_checksum", &arena);
  if (!outcome(archive)) {
    archive->failed = true;
  } else if (arrays != backend->arrays) {
    archive_fail(archive, "%s: holds %" PRId64 " arrays, expected %" PRId64, file->path, arrays,
                 backend->arrays);
  } else if (strcmp(stored, checksum) != 0) {
    archive_fail(archive, "%s: loaded content has checksum %s, but %.32s was saved", file->path,
                 checksum, stored);
  }
  arena_free(&arena);
}

bool h5_archive_end(Archive* archive, Error* error) {
  Backend* backend = archive->backend;
  char checksum[17];
  snprintf(checksum, sizeof checksum, "%016" PRIx64, archive->checksum);
  if (!archive->failed && archive->mode == ARCHIVE_LOAD) {
    compare(archive, backend, checksum);
  } else if (!archive->failed) {
    h5_set_i64(backend->file, "", "archive_arrays", backend->arrays);
    h5_set_text(backend->file, "", "archive_checksum", checksum);
    archive->failed = !outcome(archive);
  }
  if (archive->failed) {
    *error = archive->error;
  }
  return !archive->failed;
}
