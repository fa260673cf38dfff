// walk_shim.c - preloaded into autombpo by `walk`: fails the n-th call that has to do with a file of a
// run, and steps the clock, so that a run makes the same calls in the same order each time.
//
// WALK_DIR     only files below this (absolute, resolved) directory count, and those of the main thread
// WALK_FAIL    which counted call fails, from 1; 0 or unset: none
// WALK_ERRNO   with this errno; 0: a write takes half of its bytes; -1: the process is killed there
// WALK_LASTING set: so does every call behind it; a write that is the first takes half of its bytes
// WALK_LIST    file outside of WALK_DIR that gets a line for each counted call: its name and path
// WALK_COST    microseconds that each call takes that a server of metadata would have to answer (of
//              those below all but read, write, readdir, ftruncate, close, an open that makes nothing,
//              and a sync of a file). Then clocks, sleeping and syncing are as they are
//
// What glibc calls by itself (stdio) cannot be preloaded, and is not counted. Without WALK_COST sleeping
// takes no time, and a sync reaches no disk.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STEP 200000                        // nanoseconds that a look at the clock takes
#define SECOND 1000000000LL

static struct {
  const char* directory;
  long wanted;
  int cause;
  bool lasting;
  int list;   // descriptor, or -1
  long cost;  // microseconds, or 0
  long count;
} walk = {.list = -1};
static atomic_llong now = 1700000000 * SECOND;  // tests/cli/signals_test.sh knows it, too

__attribute__((constructor)) static void begin(void) {
  const char* wanted = getenv("WALK_FAIL");
  const char* cause = getenv("WALK_ERRNO");
  const char* list = getenv("WALK_LIST");
  const char* cost = getenv("WALK_COST");
  walk.directory = getenv("WALK_DIR");
  walk.wanted = wanted ? atol(wanted) : 0;
  walk.cause = cause ? atoi(cause) : EIO;
  walk.lasting = getenv("WALK_LASTING") != NULL;
  walk.cost = cost ? atol(cost) : 0;
  if (list) {
    walk.list = (int)syscall(SYS_openat, AT_FDCWD, list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                             0644);
  }
}

// The next definition of a function: what would be called without this file.
#define NEXT(name) ((__typeof__(&(name)))next(#name))
static void* next(const char* name) { return dlsym(RTLD_NEXT, name); }

// Whether this call, of a file that is named or open, is one to fail; counts it.
static bool meets(const char* call, const char* path) {
  size_t size = walk.directory ? strlen(walk.directory) : 0;
  if (size == 0 || gettid() != getpid() || strncmp(path, walk.directory, size) != 0 ||
      (path[size] != '/' && path[size] != '\0')) {
    return false;
  }
  walk.count++;
  if (walk.list >= 0) {
    char line[PATH_MAX + 32];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path + size);
    syscall(SYS_write, walk.list, line, (size_t)length);
  }
  bool met = walk.count == walk.wanted ||
             (walk.lasting && walk.wanted > 0 && walk.count > walk.wanted);
  if (met && walk.cause < 0) {
    _exit(137);
  }
  return met;
}

static void take_time(void) {
  struct timespec left = {walk.cost / 1000000, walk.cost % 1000000 * 1000};
  while (walk.cost > 0 && NEXT(nanosleep)(&left, &left) != 0) {
  }
}

// The same of a call that concerns metadata.
static bool meets_metadata(const char* call, const char* path) {
  long before = walk.count;
  bool met = meets(call, path);
  if (walk.count > before) {
    take_time();
  }
  return met;
}

static bool meets_open(const char* call, int file) {
  char name[64], path[PATH_MAX] = "";
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t length = readlink(name, path, sizeof path - 1);
  return length > 0 && meets(call, path);
}

// Sets errno; false where the fault is a short write, which befalls nothing else.
static bool refuse(bool met) {
  errno = met ? walk.cause : errno;
  return met && walk.cause != 0;
}

#define OF_PATH(type, failed, name, parameters, arguments, path) \
  type name parameters { return refuse(meets_metadata(#name, path)) ? failed : NEXT(name) arguments; }
OF_PATH(int, -1, rename, (const char* from, const char* to), (from, to), to)
OF_PATH(int, -1, link, (const char* from, const char* to), (from, to), to)
OF_PATH(int, -1, unlink, (const char* path), (path), path)
OF_PATH(int, -1, remove, (const char* path), (path), path)
OF_PATH(int, -1, rmdir, (const char* path), (path), path)
OF_PATH(int, -1, mkdir, (const char* path, mode_t mode), (path, mode), path)
OF_PATH(DIR*, NULL, opendir, (const char* path), (path), path)
OF_PATH(int, -1, stat, (const char* path, struct stat* status), (path, status), path)
OF_PATH(int, -1, lstat, (const char* path, struct stat* status), (path, status), path)
OF_PATH(int, -1, utimensat, (int at, const char* path, const struct timespec times[2], int flags),
        (at, path, times, flags), path)

#define OPEN(name) \
  int name(const char* path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    bool met = flags & O_CREAT ? meets_metadata("create", path) : meets("open", path); \
    return refuse(met) ? -1 : NEXT(name)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

// How many bytes of a transfer go through: all, half of them, or -1 with errno.
static ssize_t part(const char* call, int file, size_t size) {
  bool met = meets_open(call, file);
  bool first = walk.count == walk.wanted;
  if (met && *call == 'w' && size > 1 && (walk.cause == 0 || (walk.lasting && first))) {
    return (ssize_t)size / 2;
  }
  return refuse(met) ? -1 : (ssize_t)size;
}

#define TRANSFER(call, name, type) \
  ssize_t name(int file, type bytes, size_t size) { \
    ssize_t some = part(call, file, size); \
    return some < 0 ? -1 : NEXT(name)(file, bytes, (size_t)some); \
  }
#define TRANSFER_AT(call, name, type) \
  ssize_t name(int file, type bytes, size_t size, off_t at) { \
    ssize_t some = part(call, file, size); \
    return some < 0 ? -1 : NEXT(name)(file, bytes, (size_t)some, at); \
  }
TRANSFER("read", read, void*)
TRANSFER("write", write, const void*)
TRANSFER_AT("read", pread, void*)
TRANSFER_AT("read", pread64, void*)
TRANSFER_AT("write", pwrite, const void*)
TRANSFER_AT("write", pwrite64, const void*)

struct dirent* readdir(DIR* directory) {
  return refuse(meets_open("readdir", dirfd(directory))) ? NULL : NEXT(readdir)(directory);
}

int ftruncate(int file, off_t size) {
  return refuse(meets_open("ftruncate", file)) ? -1 : NEXT(ftruncate)(file, size);
}

int ftruncate64(int file, off_t size) {
  return refuse(meets_open("ftruncate", file)) ? -1 : NEXT(ftruncate64)(file, size);
}

int fsync(int file) {
  struct stat status;
  bool met = meets_open("fsync", file);
  if (walk.cost == 0) {
    return refuse(met) ? -1 : 0;
  }
  if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    take_time();
  }
  return refuse(met) ? -1 : NEXT(fsync)(file);
}

// One that fails has closed, as on Linux.
int close(int file) {
  bool met = meets_open("close", file);
  int code = NEXT(close)(file);
  return refuse(met) ? -1 : code;
}

// Of all clocks. Other threads (MPI's) look at it at times of their own, and do not step it.
static long long step(void) { return atomic_fetch_add(&now, gettid() == getpid() ? STEP : 0); }

static int pass(long long ns) {
  atomic_fetch_add(&now, ns);
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  static __typeof__(&clock_gettime) real;
  if (walk.cost > 0) {
    real = real ? real : NEXT(clock_gettime);
    return real(clock, time);
  }
  long long t = step();
  *time = (struct timespec){.tv_sec = t / SECOND, .tv_nsec = t % SECOND};
  return 0;
}

time_t time(time_t* time) {
  struct timespec now_is;
  clock_gettime(CLOCK_REALTIME, &now_is);
  if (time) {
    *time = now_is.tv_sec;
  }
  return now_is.tv_sec;
}

int nanosleep(const struct timespec* time, struct timespec* left) {
  return walk.cost > 0 ? NEXT(nanosleep)(time, left)
                       : pass(time->tv_sec * SECOND + time->tv_nsec);
}

unsigned sleep(unsigned s) { return walk.cost > 0 ? NEXT(sleep)(s) : (unsigned)pass(s * SECOND); }
