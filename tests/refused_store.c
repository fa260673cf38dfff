// refused_store.c - stands before store/ for refused.c: what the layers above have to hear of a file that fails.
//
// For programs that are linked with --wrap of each name (CMakeLists.txt). What opens, makes or looks fails instead of
// the real call; what closes, behind it; what reads inside a file marks the file as failed.
#include <string.h>

#include "refused.h"
#include "store/h5.h"
#include "store/pack.h"

static bool refuse(Error* error, const char* name) {
  error_set(error, "%s: refused", name);
  error->transient = true;
  return false;
}

#define REFUSED(name, parameters, arguments)                                            \
  bool __real_##name parameters;                                                        \
  bool __wrap_##name parameters;                                                        \
  bool __wrap_##name parameters {                                                       \
    return refused_meets(#name, true) ? refuse(error, #name) : __real_##name arguments; \
  }

REFUSED(h5_create, (H5File * file, const char* path, const char* format, int version, Error* error),
        (file, path, format, version, error))
REFUSED(h5_open, (H5File * file, const char* path, const char* format, int version, Error* error),
        (file, path, format, version, error))
REFUSED(h5_open_any, (H5File * file, const char* path, Error* error), (file, path, error))
REFUSED(files_hash, (uint64_t * hash, const char* path, Error* error), (hash, path, error))
REFUSED(files_list, (char*** names, int* count, const char* path, const char* suffix, Arena* arena, Error* error),
        (names, count, path, suffix, arena, error))
REFUSED(files_look, (bool* there, const char* path, Error* error), (there, path, error))
REFUSED(files_make_directory, (const char* path, Error* error), (path, error))
REFUSED(files_read, (char** bytes, size_t* size, const char* path, Arena* arena, Error* error),
        (bytes, size, path, arena, error))
REFUSED(files_settle, (bool* there, const char* path, Error* error), (there, path, error))
REFUSED(files_sync, (const char* path, Error* error), (path, error))
REFUSED(files_sync_parent, (const char* path, Error* error), (path, error))
REFUSED(files_write, (const char* path, const void* bytes, size_t size, Error* error), (path, bytes, size, error))
REFUSED(pack_hash, (uint64_t * hash, const char* path, Error* error), (hash, path, error))
REFUSED(pack_look, (bool* there, const char* path, Error* error), (there, path, error))

#define REFUSED_BEHIND(name)                                                                      \
  bool __real_##name(H5File* file, Error* error);                                                 \
  bool __wrap_##name(H5File* file, Error* error);                                                 \
  bool __wrap_##name(H5File* file, Error* error) {                                                \
    bool met = refused_meets(#name, true);                                                        \
    bool good = met && file->writing ? __real_h5_close(file, error) : __real_##name(file, error); \
    return met && good ? refuse(error, #name) : good;                                             \
  }

bool __real_h5_close(H5File* file, Error* error);
REFUSED_BEHIND(h5_close)
REFUSED_BEHIND(h5_seal)

// The call that is refused finds the file failed already, and does what it does then.
static void fail(H5File* file, const char* name) {
  if (refused_meets(name, true) && !file->failed) {
    file->failed = true;
    refuse(&file->error, name);
  }
}

#define FAILED(type, name, parameters, arguments) \
  type __real_##name parameters;                  \
  type __wrap_##name parameters;                  \
  type __wrap_##name parameters {                 \
    fail(file, #name);                            \
    return __real_##name arguments;               \
  }

FAILED(bool, h5_has, (H5File * file, const char* name), (file, name))
FAILED(int, h5_rows, (H5File * file, const char* name), (file, name))
FAILED(bool, h5_shape, (H5File * file, const char* name, int64_t* rows, int64_t* columns), (file, name, rows, columns))
FAILED(bool, h5_verify, (H5File * file, uint64_t* checksum), (file, checksum))
FAILED(const char*, h5_get_text, (H5File * file, const char* object, const char* name, Arena* arena),
       (file, object, name, arena))
FAILED(int64_t, h5_get_i64, (H5File * file, const char* object, const char* name), (file, object, name))
