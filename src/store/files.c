// files.c - what stands between the program and a file system that fails.
//
// Three layers of calls: open (only regular files, without following a link that took their place
// since the check), take and put (whole, over interrupted calls), and publish (sync, link or
// rename, sync the directory). A new file gets its name by link where nothing may be replaced: of
// two processes that write the same sealed file, one wins, and the other compares its bytes with
// the winner's. Where there are no hard links, a rename takes that place, with a small window.
//
// Whoever sees a run complete sweeps up temporary files, perhaps one that another process is about
// to publish. If the file stands by then, that is no failure (files_was_swept); files_write, which
// has no other writer to rely on, tries once more.
//
// Errors keep errno until they are reported: whether it may pass decides about giving up
// (base/error.h).
#define _GNU_SOURCE  // O_NOFOLLOW
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/fault.h"
#include "base/text.h"

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

static bool refuse_kind(const char* path, mode_t mode, Error* error) {
  const char* kind = S_ISLNK(mode)    ? "a symbolic link"
                     : S_ISDIR(mode)  ? "a directory"
                     : S_ISFIFO(mode) ? "a FIFO"
                     : S_ISSOCK(mode) ? "a socket"
                                      : "a device";
  return error_set(error, "%s: is %s, expected a regular file", path, kind);
}

bool files_check(const char* path, Error* error) {
  struct stat status;
  return lstat(path, &status) != 0 || S_ISREG(status.st_mode) ||
         refuse_kind(path, status.st_mode, error);
}

int files_open(const char* path, int flags, Error* error) {
  struct stat status;
  if (!files_check(path, error)) {
    return -1;
  }
  // it may have become another one since
  int descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  bool good = descriptor >= 0 && fstat(descriptor, &status) == 0;
  if (!good) {
    error_errno(error, path);
  } else if (!S_ISREG(status.st_mode)) {
    good = refuse_kind(path, status.st_mode, error);
  }
  if (!good && descriptor >= 0) {
    close(descriptor);
  }
  return good ? descriptor : -1;
}

const char* files_target(char out[FILES_PATH_SIZE], const char* path) {
  char target[PATH_MAX];
  struct stat status;
  bool link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
  if (!link || !realpath(path, target) || strlen(target) >= FILES_PATH_SIZE) {
    return path;
  }
  return strcpy(out, target);
}

int64_t files_take(int descriptor, void* bytes, size_t size) {
  size_t taken = 0;
  while (taken < size) {
    ssize_t got = read(descriptor, (char*)bytes + taken, size - taken);
    if (got < 0 && errno != EINTR) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    taken += got > 0 ? (size_t)got : 0;
  }
  return (int64_t)taken;
}

bool files_put(int descriptor, const void* bytes, size_t size) {
  const char* left = bytes;
  while (size > 0) {
    ssize_t wrote = write(descriptor, left, size);
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    if (wrote > 0) {
      left += wrote;
      size -= (size_t)wrote;
    }
  }
  return true;
}

bool files_sync(const char* path, Error* error) {
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

static void find_parent(char parent[FILES_PATH_SIZE], const char* path) {
  const char* slash = strrchr(path, '/');
  int size = !slash || slash == path ? 1 : (int)(slash - path);
  snprintf(parent, FILES_PATH_SIZE, "%.*s", size, slash ? path : ".");
}

bool files_sync_parent(const char* path, Error* error) {
  char parent[FILES_PATH_SIZE];
  find_parent(parent, path);
  return files_sync(parent, error);
}

bool files_check_output(const char* path, Error* error) {
  char parent[FILES_PATH_SIZE];
  find_parent(parent, path);
  return files_check(path, error) &&
         (access(parent, W_OK | X_OK) == 0 || error_errno(error, path));
}

int files_same(int first, int second) {
  char left[PIECE], right[PIECE];
  int64_t got = PIECE, other = PIECE;
  bool same = true;
  while (same && got == PIECE) {
    got = files_take(first, left, PIECE);
    other = got < 0 ? -1 : files_take(second, right, PIECE);
    same = got >= 0 && got == other && memcmp(left, right, (size_t)got) == 0;
  }
  return got < 0 || other < 0 ? -1 : same;
}

// Whether `path` holds what `temporary` does.
static bool check_same(const char* temporary, const char* path, Error* error) {
  int first = files_open(temporary, O_RDONLY, error);
  int second = first < 0 ? -1 : files_open(path, O_RDONLY, error);
  int same = second < 0 ? 0 : files_same(first, second);
  if (same < 0) {
    error_errno(error, path);
  } else if (second >= 0 && !same) {
    error_set(error, "%s: exists already with other content; it was kept", path);
  }
  if (first >= 0) {
    close(first);
  }
  if (second >= 0) {
    close(second);
  }
  return same > 0;
}

bool files_link(const char* temporary, const char* path, Error* error) {
  bool linked = link(temporary, path) == 0;
  if (!linked && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)) {
    // no hard links here: rename, and accept the small window
    if (!files_exists(path)) {
      return rename(temporary, path) == 0 || error_errno(error, path);
    }
    errno = EEXIST;
  }
  if (!linked && errno == EEXIST) {
    return check_same(temporary, path, error);
  }
  return linked || error_errno(error, path);
}

bool files_was_swept(const char* temporary, const char* path) {
  return !files_exists(temporary) && files_stands(path);
}

bool files_publish(const char* temporary, const char* path, bool replace, Error* error) {
  bool good = files_sync(temporary, error);
  fault_point("before-rename");
  if (good && replace) {
    good = rename(temporary, path) == 0 || error_errno(error, path);
  } else if (good) {
    good = files_link(temporary, path, error);
  }
  fault_point("after-rename");
  good = good || (!replace && files_was_swept(temporary, path));
  unlink(temporary);
  return good && files_sync_parent(path, error);
}

int files_create_temporary(char out[FILES_PATH_SIZE], const char* path, Error* error) {
  int descriptor = -1;
  for (int attempt = 0; descriptor < 0; attempt++) {
    if (!files_temporary(out, path, attempt, error)) {
      return -1;
    }
    descriptor = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) {
      error_errno(error, path);
      return -1;
    }
  }
  return descriptor;
}

static bool write_once(const char* path, const void* bytes, size_t size, bool replace,
                       Error* error) {
  char temporary[FILES_PATH_SIZE];
  if (!files_check(path, error)) {  // the rename would replace a device
    return false;
  }
  int descriptor = files_create_temporary(temporary, path, error);
  if (descriptor < 0) {
    return false;
  }
  bool good = files_put(descriptor, bytes, size / 2);
  fault_point("mid-write");
  good = good && files_put(descriptor, (const char*)bytes + size / 2, size - size / 2);
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
  return files_publish(temporary, path, replace, error);
}

bool files_write(const char* path, const void* bytes, size_t size, Error* error) {
  // somebody who sees the run complete sweeps up, perhaps in the middle of the first attempt
  return write_once(path, bytes, size, true, error) || write_once(path, bytes, size, true, error);
}

bool files_write_first(const char* path, const void* bytes, size_t size, Error* error) {
  return write_once(path, bytes, size, false, error) || files_stands(path);
}

// 1: the last line has no end; -1 with errno: the disk does not tell.
static int ends_inside_a_line(int descriptor, off_t* size) {
  char last;
  *size = lseek(descriptor, 0, SEEK_END);
  ssize_t got = *size > 0 ? pread(descriptor, &last, 1, *size - 1) : *size;
  return got > 0 ? last != '\n' : (int)got;
}

// The same of a line that stays so: a full disk or a kill has cut it off. One that somebody else is
// writing has grown a millisecond later.
static int is_cut_off(int descriptor) {
  const struct timespec moment = {.tv_nsec = 1000000};
  off_t size, before = -1;
  int inside;
  while ((inside = ends_inside_a_line(descriptor, &size)) > 0 && size != before) {
    before = size;
    nanosleep(&moment, NULL);
  }
  return inside;
}

bool files_append_line(const char* path, const char* line, Error* error) {
  int descriptor = files_open(path, O_RDWR | O_CREAT | O_APPEND, error);
  if (descriptor < 0) {
    return false;
  }
  Arena arena;
  arena_init(&arena);
  int cut_off = is_cut_off(descriptor);
  const char* bytes = text_format(&arena, "%s%s\n", cut_off > 0 ? "\n" : "", line);
  bool good = (cut_off >= 0 && files_put(descriptor, bytes, strlen(bytes))) ||
              error_errno(error, path);
  arena_free(&arena);
  if (close(descriptor) != 0 && good) {
    good = error_errno(error, path);
  }
  return good;
}

static bool make_one(const char* path, bool* made, Error* error) {
  struct stat status;
  *made = mkdir(path, 0777) == 0;
  if (*made || errno == EISDIR) {
    return true;
  }
  int cause = errno;
  bool found = stat(path, &status) == 0;
  if (found && S_ISDIR(status.st_mode)) {
    return true;
  }
  if (cause == EEXIST) {
    cause = found ? ENOTDIR : errno;
  }
  errno = cause;
  return error_errno(error, path);
}

// A parent that may not be read cannot be synced.
static bool make_name_last(const char* path, Error* error) {
  return files_sync_parent(path, error) || errno == EACCES;
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
      bool made;
      // who made the last one may have died before its name was synced
      if (!make_one(part, &made, error) ||
          ((made || i == size) && !make_name_last(part, error))) {
        return false;
      }
    }
  }
  return true;
}

bool files_look(bool* there, const char* path, Error* error) {
  *there = files_stands(path);
  return *there || !error_is_transient(errno) || error_errno(error, path);
}

bool files_settle(bool* there, const char* path, Error* error) {
  return files_look(there, path, error) && (!*there || files_sync_parent(path, error));
}

bool files_exists(const char* path) {
  struct stat status;
  return lstat(path, &status) == 0 || error_is_transient(errno);
}

bool files_stands(const char* path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

bool files_read(char** bytes, size_t* size, const char* path, Arena* arena, Error* error) {
  int descriptor = files_open(path, O_RDONLY, error);
  if (descriptor < 0) {
    return false;
  }
  size_t capacity = PIECE;
  int64_t got = PIECE;
  *bytes = arena_alloc(arena, capacity + 1);
  *size = 0;
  while (got > 0 && *size < FILES_MAX_BYTES) {
    if (*size == capacity) {
      char* larger = arena_alloc(arena, 2 * capacity + 1);
      *bytes = memcpy(larger, *bytes, *size);
      capacity *= 2;
    }
    got = files_take(descriptor, *bytes + *size, capacity - *size);
    *size += got > 0 ? (size_t)got : 0;
  }
  errno = got < 0 ? errno : EFBIG;
  bool good = (got >= 0 && *size < FILES_MAX_BYTES) || error_errno(error, path);
  close(descriptor);
  (*bytes)[*size] = '\0';
  return good;
}

void files_read_start(char text[FILES_START_SIZE], const char* path) {
  Error ignored;
  int descriptor = files_open(path, O_RDONLY, &ignored);
  text[0] = '\0';
  if (descriptor >= 0) {
    int64_t got = files_take(descriptor, text, FILES_START_SIZE - 1);
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
  struct dirent* entry;
  while (errno = 0, (entry = readdir(directory))) {
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
  bool whole = errno == 0 || error_errno(error, path);
  closedir(directory);
  qsort(*names, (size_t)*count, sizeof(char*), compare_names);
  return whole;
}

bool files_hash_open(uint64_t* hash, int descriptor) {
  char piece[PIECE];
  *hash = HASH_START;
  int64_t got = PIECE;
  while (got == PIECE) {
    got = files_take(descriptor, piece, PIECE);
    *hash = hash_bytes(*hash, piece, got > 0 ? (size_t)got : 0);
  }
  return got >= 0;
}

bool files_hash(uint64_t* hash, const char* path, Error* error) {
  int descriptor = files_open(path, O_RDONLY, error);
  if (descriptor < 0) {
    return false;
  }
  bool good = files_hash_open(hash, descriptor) || error_errno(error, path);
  close(descriptor);
  return good;
}
