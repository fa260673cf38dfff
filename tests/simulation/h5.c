// h5.c - sealed files without HDF5: the calls of store/h5.h on a list of named values.
//
// It stands for store/h5*.c, which is a hundred times slower. A file is the records one behind the
// other, and a hash at the end; it is written, synced and published through store/files.c, as
// store/h5.c does.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/fault.h"
#include "store/h5.h"
#include "store/pack.h"
#include "world.h"

#define TEXT_RECORD (-1)
#define I64_RECORD (-2)
#define F64_RECORD (-3)
#define GROUP_RECORD (-4)

typedef struct {
  int32_t type;  // H5Type, or that of an attribute
  uint32_t name_size;
  int64_t rows, columns;
  uint64_t size;
} Record;

typedef struct {
  char* bytes;
  size_t size, capacity;
  Arena arena;
} Content;

static Content* content_of(const H5File* file) { return (Content*)(intptr_t)file->handle; }

static bool note(H5File* file, bool transient, const char* format, ...) {
  if (!file->failed) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    error_set(&file->error, "%s: %s", file->path, what);
    file->error.transient = transient;
    file->failed = true;
  }
  return false;
}

static bool note_errno(H5File* file) {
  return note(file, error_is_transient(errno), "%s", strerror(errno));
}

static void start(H5File* file, const char* path, bool writing) {
  *file = (H5File){.writing = writing};
  snprintf(file->path, sizeof file->path, "%s", path);
  Content* c = world_alloc(sizeof *c);
  *c = (Content){0};
  file->handle = (int64_t)(intptr_t)c;
}

static void append(Content* c, const void* bytes, size_t size) {
  if (c->size + size > c->capacity) {
    size_t capacity = 2 * (c->size + size) + 4096;
    char* larger = arena_alloc(&c->arena, capacity);
    if (c->size > 0) {
      memcpy(larger, c->bytes, c->size);
    }
    c->bytes = larger;
    c->capacity = capacity;
  }
  if (size > 0) {
    memcpy(c->bytes + c->size, bytes, size);
  }
  c->size += size;
}

static void put(H5File* file, const char* name, int type, int64_t rows, int64_t columns,
                const void* data, size_t size) {
  if (file->failed) {
    return;
  }
  Record record = {type, (uint32_t)strlen(name), rows, columns, size};
  append(content_of(file), &record, sizeof record);
  append(content_of(file), name, record.name_size);
  append(content_of(file), data, size);
}

static const char* find(H5File* file, const char* name, Record* record) {
  const Content* c = content_of(file);
  size_t size = strlen(name);
  for (size_t at = 0; !file->failed && at + sizeof *record <= c->size;) {
    memcpy(record, c->bytes + at, sizeof *record);
    const char* found = c->bytes + at + sizeof *record;
    if (record->name_size == size && memcmp(found, name, size) == 0) {
      return found + size;
    }
    at += sizeof *record + record->name_size + record->size;
  }
  return NULL;
}

static void attribute(char out[256], const char* object, const char* name) {
  snprintf(out, 256, "%s@%s", object, name);
}

static const char* need(H5File* file, const char* name, int type, Record* record) {
  const char* data = find(file, name, record);
  if (!data) {
    note(file, false, "%s is missing", name);
  } else if (record->type != type) {
    data = NULL;
    note(file, false, "%s has another type", name);
  }
  return data;
}

bool h5_create(H5File* file, const char* path, const char* format, int version, Error* error) {
  start(file, path, true);
  h5_set_text(file, "", "format", format);
  h5_set_i64(file, "", "format_version", version);
  if (!files_check(path, error)) {
    file->failed = true;
    file->error = *error;
    return h5_close(file, error);
  }
  return true;
}

static bool read_content(Content* c, const char* path, Error* error) {
  bool copied;
  struct stat status;
  int descriptor = pack_open(path, &copied, error);
  if (descriptor < 0) {
    return false;
  }
  fstat(descriptor, &status);
  c->size = (size_t)status.st_size;
  c->bytes = arena_alloc(&c->arena, c->size + 1);
  bool good = files_take(descriptor, c->bytes, c->size) == status.st_size;
  close(descriptor);
  return good || error_errno(error, path);
}

bool h5_open_any(H5File* file, const char* path, Error* error) {
  start(file, path, false);
  Content* c = content_of(file);
  uint64_t stored;
  if (!read_content(c, path, &file->error)) {
    file->failed = true;
    return h5_close(file, error);
  }
  if (c->size < sizeof stored) {
    note(file, false, "has no seal at its end: cut off");
    return h5_close(file, error);
  }
  c->size -= sizeof stored;
  memcpy(&stored, c->bytes + c->size, sizeof stored);
  if (stored != hash_bytes(HASH_START, c->bytes, c->size)) {
    note(file, false, "is damaged");
    return h5_close(file, error);
  }
  return true;
}

bool h5_open(H5File* file, const char* path, const char* format, int version, Error* error) {
  if (!h5_open_any(file, path, error)) {
    return false;
  }
  Arena arena;
  arena_init(&arena);
  if (strcmp(h5_get_text(file, "", "format", &arena), format) != 0 ||
      h5_get_i64(file, "", "format_version") != version) {
    note(file, false, "is no %s of version %d", format, version);
  }
  arena_free(&arena);
  return file->failed ? h5_close(file, error) : true;
}

bool h5_close(H5File* file, Error* error) {
  Content* c = content_of(file);
  if (c) {
    arena_free(&c->arena);
    world_free(c);
  }
  file->handle = 0;
  if (file->failed) {
    *error = file->error;
  }
  return !file->failed;
}

static bool write_content(H5File* file) {
  const Content* c = content_of(file);
  uint64_t hash = hash_bytes(HASH_START, c->bytes, c->size);
  int descriptor = -1;
  for (int attempt = 0; descriptor < 0; attempt++) {
    if (!files_temporary(file->temporary, file->path, attempt, &file->error)) {
      file->failed = true;
      return false;
    }
    descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) {
      return note_errno(file);
    }
  }
  bool good = files_put(descriptor, c->bytes, c->size / 2);
  fault_point("mid-write");
  good = good && files_put(descriptor, c->bytes + c->size / 2, c->size - c->size / 2) &&
         files_put(descriptor, &hash, sizeof hash);
  if (!good) {
    note_errno(file);
  }
  close(descriptor);
  return good;
}

bool h5_seal(H5File* file, Error* error) {
  bool good = !file->failed && write_content(file);
  Error ignored;
  good = h5_close(file, error) && good;
  if (!good) {
    bool swept = *file->temporary && (files_was_swept(file->temporary, file->path) || pack_holds(file->path));
    if (*file->temporary) {
      unlink(file->temporary);
    }
    return swept;
  }
  (void)ignored;
  return files_publish(file->temporary, file->path, false, error) || pack_holds(file->path);
}

bool h5_verify(H5File* file, uint64_t* checksum) {
  if (checksum) {
    *checksum = 0;
  }
  return !file->failed;  // opening it has read all
}

void h5_group(H5File* file, const char* name) { put(file, name, GROUP_RECORD, 0, 0, NULL, 0); }

void h5_write(H5File* file, const H5Column* column, const void* data) {
  size_t width = column->columns > 0 ? (size_t)column->columns : 1;
  put(file, column->name, (int)column->type, column->rows, column->columns, data,
      (size_t)column->rows * width * h5_type_size(column->type));
}

bool h5_has(H5File* file, const char* name) {
  Record record;
  return find(file, name, &record) != NULL;
}

bool h5_shape(H5File* file, const char* name, int64_t* rows, int64_t* columns) {
  Record record = {0};
  *rows = *columns = 0;
  if (!find(file, name, &record)) {
    return note(file, false, "%s is missing", name);
  }
  *rows = record.rows;
  *columns = record.columns;
  return true;
}

int h5_rows(H5File* file, const char* name) {
  int64_t rows, columns;
  h5_shape(file, name, &rows, &columns);
  return (int)rows;
}

void h5_read(H5File* file, const char* name, H5Type type, int64_t rows, int64_t columns,
             void* data) {
  Record record = {0};
  const char* found = need(file, name, (int)type, &record);
  size_t size = (size_t)rows * (size_t)(columns > 0 ? columns : 1) * h5_type_size(type);
  if (found && (record.rows != rows || record.columns != columns)) {
    note(file, false, "%s has another shape", name);
  }
  if (size > 0 && file->failed) {
    memset(data, 0, size);
  } else if (size > 0) {
    memcpy(data, found, size);
  }
}

void h5_set_text(H5File* file, const char* object, const char* name, const char* value) {
  char full[256];
  attribute(full, object, name);
  put(file, full, TEXT_RECORD, 1, 0, value, strlen(value) + 1);
}

void h5_set_i64s(H5File* file, const char* object, const char* name, const int64_t* values,
                 int count) {
  char full[256];
  attribute(full, object, name);
  put(file, full, I64_RECORD, count, 0, values, (size_t)count * sizeof *values);
}

void h5_set_i64(H5File* file, const char* object, const char* name, int64_t value) {
  h5_set_i64s(file, object, name, &value, 1);
}

void h5_set_f64(H5File* file, const char* object, const char* name, double value) {
  char full[256];
  attribute(full, object, name);
  put(file, full, F64_RECORD, 1, 0, &value, sizeof value);
}

bool h5_has_attribute(H5File* file, const char* object, const char* name) {
  char full[256];
  attribute(full, object, name);
  return h5_has(file, full);
}

const char* h5_get_text(H5File* file, const char* object, const char* name, Arena* arena) {
  char full[256];
  Record record;
  attribute(full, object, name);
  const char* found = need(file, full, TEXT_RECORD, &record);
  return found ? arena_string(arena, found) : "";
}

void h5_get_i64s(H5File* file, const char* object, const char* name, int64_t* values, int count) {
  char full[256];
  Record record;
  attribute(full, object, name);
  const char* found = need(file, full, I64_RECORD, &record);
  memset(values, 0, (size_t)count * sizeof *values);
  if (found && record.rows == count) {
    memcpy(values, found, (size_t)count * sizeof *values);
  } else if (found) {
    note(file, false, "%s has another length", full);
  }
}

int64_t h5_get_i64(H5File* file, const char* object, const char* name) {
  int64_t value;
  h5_get_i64s(file, object, name, &value, 1);
  return value;
}

int h5_get_int(H5File* file, const char* object, const char* name, int low, int high) {
  int64_t value = h5_get_i64(file, object, name);
  if (!file->failed && (value < low || value > high)) {
    note(file, false, "%s is %" PRId64, name, value);
  }
  return file->failed ? 0 : (int)value;
}

double h5_get_f64(H5File* file, const char* object, const char* name) {
  char full[256];
  Record record;
  double value = 0;
  attribute(full, object, name);
  const char* found = need(file, full, F64_RECORD, &record);
  if (found) {
    memcpy(&value, found, sizeof value);
  }
  return value;
}

int h5_attribute_count(H5File* file, const char* object, const char* name) {
  char full[256];
  Record record = {0};
  attribute(full, object, name);
  return find(file, full, &record) ? (int)record.rows : 0;
}

void h5_each_dataset(H5File* file, H5Visitor visitor, void* context) {
  (void)file;
  (void)visitor;
  (void)context;
}

size_t h5_type_size(H5Type type) {
  static const size_t sizes[] = {1, 1, 1, 4, 8, 8, 4, 8};
  return sizes[type];
}
