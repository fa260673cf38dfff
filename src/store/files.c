#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/fault.h"

#define PIECE 65536  // bytes read at once; a multiple of 8, so that hashes chain

bool files_temporary(char out[FILES_PATH_SIZE], const char* path, int attempt, Error* error) {
  char host[64] = "host";
  gethostname(host, sizeof host - 1);
  int size = snprintf(out, FILES_PATH_SIZE, "%s.%s-%ld-%d.tmp", path, host, (long)getpid(),
                      attempt);
  if (size >= FILES_PATH_SIZE) {
    return error_set(error, "%s: path is too long", path);
  }
  return true;
}

// Syncs a file or directory.
static bool sync_path(const char* path, Error* error) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return error_errno(error, path);
  }
  bool synced = fsync(descriptor) == 0;
  // some file systems cannot sync directories, and say so with EINVAL
  if (!synced && errno != EINVAL) {
    error_errno(error, path);
    close(descriptor);
    return false;
  }
  close(descriptor);
  return true;
}

static bool sync_parent(const char* path, Error* error) {
  char parent[FILES_PATH_SIZE];
  const char* slash = strrchr(path, '/');
  if (!slash) {
    return sync_path(".", error);
  }
  snprintf(parent, sizeof parent, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  return sync_path(parent, error);
}

static bool same_bytes(const char* a, const char* b) {
  char left[PIECE], right[PIECE];
  FILE* first = fopen(a, "rb");
  FILE* second = fopen(b, "rb");
  bool same = first && second;
  size_t got = PIECE;
  while (same && got == PIECE) {
    got = fread(left, 1, PIECE, first);
    same = fread(right, 1, PIECE, second) == got && memcmp(left, right, got) == 0 &&
           !ferror(first) && !ferror(second);
  }
  if (first) {
    fclose(first);
  }
  if (second) {
    fclose(second);
  }
  return same;
}

// Names `temporary` also `path` unless that exists: atomic on every file system.
static bool link_exclusively(const char* temporary, const char* path, Error* error) {
  bool linked = link(temporary, path) == 0;
  if (!linked && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)) {
    // no hard links here: rename, and accept the small window
    if (access(path, F_OK) != 0) {
      return rename(temporary, path) == 0 || error_errno(error, path);
    }
    errno = EEXIST;
  }
  if (!linked && errno == EEXIST && !same_bytes(temporary, path)) {
    return error_set(error, "%s: exists already with other content; it was kept", path);
  }
  if (!linked && errno != EEXIST) {
    return error_errno(error, path);
  }
  return true;
}

bool files_was_swept(const char* temporary, const char* path) {
  return !files_exists(temporary) && files_exists(path);
}

bool files_publish(const char* temporary, const char* path, bool replace, Error* error) {
  bool good = sync_path(temporary, error);
  fault_point("before-rename");
  if (good && replace) {
    good = rename(temporary, path) == 0 || error_errno(error, path);
  } else if (good) {
    good = link_exclusively(temporary, path, error);
  }
  fault_point("after-rename");
  good = good || (!replace && files_was_swept(temporary, path));
  unlink(temporary);
  return good && sync_parent(path, error);
}

// Writes all bytes, also when the system takes them in parts.
static bool write_all(int descriptor, const char* bytes, size_t size) {
  while (size > 0) {
    ssize_t wrote = write(descriptor, bytes, size);
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    if (wrote > 0) {
      bytes += wrote;
      size -= (size_t)wrote;
    }
  }
  return true;
}

static bool write_once(const char* path, const void* bytes, size_t size, Error* error) {
  char temporary[FILES_PATH_SIZE];
  int descriptor = -1;
  for (int attempt = 0; descriptor < 0; attempt++) {
    if (!files_temporary(temporary, path, attempt, error)) {
      return false;
    }
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) {
      return error_errno(error, path);
    }
  }
  bool good = write_all(descriptor, bytes, size / 2);
  fault_point("mid-write");
  good = good && write_all(descriptor, (const char*)bytes + size / 2, size - size / 2);
  int cause = errno;
  if (close(descriptor) != 0 && good) {
    good = false;
    cause = errno;
  }
  if (!good) {
    unlink(temporary);
    errno = cause;
    return error_errno(error, path);
  }
  return files_publish(temporary, path, true, error);
}

bool files_write(const char* path, const void* bytes, size_t size, Error* error) {
  // somebody who sees the run complete sweeps up, perhaps in the middle of the first attempt
  return write_once(path, bytes, size, error) || write_once(path, bytes, size, error);
}

bool files_append_line(const char* path, const char* line, Error* error) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return error_errno(error, path);
  }
  Arena arena;
  arena_init(&arena);
  size_t size = strlen(line);
  char* bytes = arena_alloc(&arena, size + 1);
  memcpy(bytes, line, size);
  bytes[size] = '\n';
  bool good = write_all(descriptor, bytes, size + 1) || error_errno(error, path);
  arena_free(&arena);
  if (close(descriptor) != 0 && good) {
    good = error_errno(error, path);
  }
  return good;
}

static bool make_one(const char* path, Error* error) {
  struct stat status;
  if (mkdir(path, 0777) == 0 || errno == EISDIR) {
    return true;
  }
  int cause = errno;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
    return true;
  }
  errno = cause;
  return error_errno(error, path);
}

bool files_make_directory(const char* path, Error* error) {
  char part[FILES_PATH_SIZE];
  size_t size = strlen(path);
  if (size >= sizeof part) {
    return error_set(error, "%s: path is too long", path);
  }
  for (size_t i = 1; i <= size; i++) {
    if (path[i] == '/' || path[i] == '\0') {
      memcpy(part, path, i);
      part[i] = '\0';
      if (!make_one(part, error)) {
        return false;
      }
    }
  }
  return true;
}

bool files_exists(const char* path) { return access(path, F_OK) == 0; }

bool files_read(char** bytes, size_t* size, const char* path, Arena* arena, Error* error) {
  FILE* file = fopen(path, "rb");
  if (!file) {
    return error_errno(error, path);
  }
  size_t capacity = PIECE;
  size_t got = 1;
  *bytes = arena_alloc(arena, capacity + 1);
  *size = 0;
  while (got > 0 && *size < FILES_MAX_BYTES) {
    if (*size == capacity) {
      char* larger = arena_alloc(arena, 2 * capacity + 1);
      *bytes = memcpy(larger, *bytes, *size);
      capacity *= 2;
    }
    got = fread(*bytes + *size, 1, capacity - *size, file);
    *size += got;
  }
  bool failed = ferror(file) != 0;
  int cause = errno;
  fclose(file);
  errno = failed ? cause : EFBIG;
  (*bytes)[*size] = '\0';
  return (!failed && *size < FILES_MAX_BYTES) || error_errno(error, path);
}

void files_read_start(char text[FILES_START_SIZE], const char* path) {
  text[0] = '\0';
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) {
    ssize_t got = read(descriptor, text, FILES_START_SIZE - 1);
    text[got > 0 ? got : 0] = '\0';
    close(descriptor);
  }
}

static int compare_names(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static bool ends_in(const char* name, const char* suffix) {
  size_t size = strlen(name);
  size_t tail = strlen(suffix);
  return size >= tail && strcmp(name + size - tail, suffix) == 0;
}

bool files_list(char*** names, int* count, const char* path, const char* suffix, Arena* arena,
                Error* error) {
  DIR* directory = opendir(path);
  if (!directory) {
    return error_errno(error, path);
  }
  int capacity = 64;
  *names = ARENA_NEW(arena, capacity, char*);
  *count = 0;
  for (struct dirent* entry = readdir(directory); entry; entry = readdir(directory)) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !ends_in(name, suffix)) {
      continue;
    }
    if (*count == capacity) {
      char** larger = ARENA_NEW(arena, 2 * capacity, char*);
      *names = memcpy(larger, *names, (size_t)capacity * sizeof(char*));
      capacity *= 2;
    }
    (*names)[(*count)++] = arena_string(arena, name);
  }
  closedir(directory);
  qsort(*names, (size_t)*count, sizeof(char*), compare_names);
  return true;
}

bool files_hash(uint64_t* hash, const char* path, Error* error) {
  char piece[PIECE];
  FILE* file = fopen(path, "rb");
  if (!file) {
    return error_errno(error, path);
  }
  *hash = HASH_START;
  size_t got = PIECE;
  while (got == PIECE) {
    got = fread(piece, 1, PIECE, file);
    *hash = hash_bytes(*hash, piece, got);
  }
  bool failed = ferror(file) != 0;
  fclose(file);
  return !failed || error_set(error, "%s: cannot be read", path);
}
