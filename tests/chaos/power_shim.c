// power_shim.c - preloaded into autombpo by `power`: records what a run does to its files, and
// repeats a command without loading the program again.
//
// POWER_DIR     only what is below this (absolute, resolved) directory is recorded
// POWER_RECORD  file outside of it that gets a record of each change that was made: a line of
//               fields between tabs, and the bytes of a write behind its line; a sync says from where in
//               the program it came (offsets that the callers return to, the innermost first)
// POWER_PAUSE   numbers between commas, ascending: where the process has made so many of these changes, it
//               stops (SIGSTOP) before the next one; a second and more has passed when it goes on
// POWER_SERVE   set: main begins only in children. For each line of standard input, the name of a
//               file, one is forked, writes what it says there, and its exit status is printed
//
// Records of several processes stand in the order of what they tell: a lock is held over both. A
// file is its inode, since it may have more than one name. What glibc calls by itself (stdio) is
// not seen; `power` compares what the record makes with what there is.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
  const char* directory;
  int file;  // of the record, or -1
  long count;         // of changes by this process
  const char* pause;  // the numbers that are left, or NULL
} record = {.file = -1};

#define PLACE_SIZE 256
#define PAUSE_SECONDS 2  // a start looks for what others have done each second

// The next definition of a function: what would be called without this file.
#define NEXT(name) ((__typeof__(&(name)))next(#name))
static void* next(const char* name) { return dlsym(RTLD_NEXT, name); }

// Returns in a child only.
static void serve(void) {
  char line[PATH_MAX];
  setvbuf(stdin, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    int status;
    line[strcspn(line, "\n")] = '\0';
    pid_t child = fork();
    if (child == 0) {
      int in = NEXT(open)("/dev/null", O_RDONLY);
      int out = NEXT(open)(line, O_WRONLY | O_CREAT | O_TRUNC, 0644);
      if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) {
        _exit(127);
      }
      close(in);
      close(out);
      return;
    }
    waitpid(child, &status, 0);
    dprintf(1, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  _exit(0);
}

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("POWER_RECORD");
  record.directory = getenv("POWER_DIR");
  record.pause = getenv("POWER_PAUSE");
  if (path && record.directory) {
    record.file = (int)syscall(SYS_openat, AT_FDCWD, path,
                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  if (getenv("POWER_SERVE")) {
    unsetenv("POWER_SERVE");  // a controller is a program too
    serve();
  }
}

// What stands behind the directory, "" for itself; NULL: it is elsewhere, or nothing is recorded.
static const char* inside(const char* path) {
  size_t size = record.file >= 0 ? strlen(record.directory) : 0;
  bool is = size > 0 && strncmp(path, record.directory, size) == 0 &&
            (path[size] == '/' || path[size] == '\0');
  return is ? path + size : NULL;
}

static const char* name_of(char path[PATH_MAX], int descriptor) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length > 0 ? length : 0] = '\0';
  return inside(path);
}

static void pause_here(void) {
  char* end;
  if (record.pause && *record.pause && strtol(record.pause, &end, 10) == record.count) {
    record.pause = end + (*end == ',');
    raise(SIGSTOP);
    nanosleep(&(struct timespec){.tv_sec = PAUSE_SECONDS}, NULL);  // walk_shim's, which takes no time
  }
}

// Between these nobody else changes anything.
static void hold(const void* inside) {
  if (inside) {
    pause_here();
    flock(record.file, LOCK_EX);
  }
}

static void tell(bool done, const char* format, ...) __attribute__((format(printf, 2, 3)));
static void tell(bool done, const char* format, ...) {
  char line[3 * PATH_MAX];
  va_list fields;
  va_start(fields, format);
  int length = vsnprintf(line, sizeof line, format, fields);
  va_end(fields);
  if (done) {
    syscall(SYS_write, record.file, line, (size_t)length);
    record.count++;
  }
  flock(record.file, LOCK_UN);
}

static unsigned long inode_of(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 ? (unsigned long)status.st_ino : 0;
}

// Names -------------------------------------------------------------------------------------------

int rename(const char* from, const char* to) {
  const char *old = inside(from), *new = inside(to);
  hold(new);
  int code = NEXT(rename)(from, to);
  if (old && new) {
    tell(code == 0, "rename\t%s\t%s\n", old, new);
  }
  return code;
}

int link(const char* from, const char* to) {
  const char *old = inside(from), *new = inside(to);
  hold(new);
  int code = NEXT(link)(from, to);
  if (old && new) {
    tell(code == 0, "link\t%s\t%s\n", old, new);
  }
  return code;
}

#define OF_NAME(call, kind, parameters, arguments) \
  int call parameters { \
    const char* name = inside(path); \
    hold(name); \
    int code = NEXT(call) arguments; \
    if (name) { \
      tell(code == 0, kind "\t%s\n", name); \
    } \
    return code; \
  }
OF_NAME(unlink, "remove", (const char* path), (path))
OF_NAME(remove, "remove", (const char* path), (path))
OF_NAME(rmdir, "remove", (const char* path), (path))
OF_NAME(mkdir, "directory", (const char* path, mode_t mode), (path, mode))

// Files -------------------------------------------------------------------------------------------

#define OPEN(call) \
  int call(const char* path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    const char* name = flags & (O_CREAT | O_TRUNC) ? inside(path) : NULL; \
    hold(name); \
    bool there = name && access(path, F_OK) == 0; \
    int file = NEXT(call)(path, flags, mode); \
    if (name) { \
      tell(file >= 0 && (!there || flags & O_TRUNC), there ? "cut\t%lu\t0\n" : "make\t%lu\t%s\n", \
           inode_of(file), name); \
    } \
    return file; \
  }
OPEN(open)
OPEN(open64)

static void tell_write(int file, off_t at, const void* bytes, ssize_t size) {
  if (size > 0) {
    char line[128];
    int length = snprintf(line, sizeof line, "write\t%lu\t%lld\t%zd\n", inode_of(file),
                          (long long)at, size);
    syscall(SYS_write, record.file, line, (size_t)length);
    syscall(SYS_write, record.file, bytes, (size_t)size);
    record.count++;
  }
  flock(record.file, LOCK_UN);
}

ssize_t write(int file, const void* bytes, size_t size) {
  char path[PATH_MAX];
  const char* name = record.file >= 0 ? name_of(path, file) : NULL;
  hold(name);
  ssize_t wrote = NEXT(write)(file, bytes, size);
  if (name) {
    tell_write(file, lseek(file, 0, SEEK_CUR) - wrote, bytes, wrote);
  }
  return wrote;
}

#define WRITE_AT(call) \
  ssize_t call(int file, const void* bytes, size_t size, off_t at) { \
    char path[PATH_MAX]; \
    const char* name = record.file >= 0 ? name_of(path, file) : NULL; \
    hold(name); \
    ssize_t wrote = NEXT(call)(file, bytes, size, at); \
    if (name) { \
      tell_write(file, at, bytes, wrote); \
    } \
    return wrote; \
  }
WRITE_AT(pwrite)
WRITE_AT(pwrite64)

#define OF_FILE(call, parameters, arguments, ...) \
  int call parameters { \
    char path[PATH_MAX]; \
    const char* name = record.file >= 0 ? name_of(path, file) : NULL; \
    hold(name); \
    int code = NEXT(call) arguments; \
    if (name) { \
      tell(code == 0, __VA_ARGS__); \
    } \
    return code; \
  }
OF_FILE(ftruncate, (int file, off_t size), (file, size), "cut\t%lu\t%lld\n", inode_of(file),
        (long long)size)
OF_FILE(ftruncate64, (int file, off_t size), (file, size), "cut\t%lu\t%lld\n", inode_of(file),
        (long long)size)

// Of the callers those that are in the program.
static const char* find_place(char place[PLACE_SIZE]) {
  void* frames[32];
  Dl_info program = {0}, info;
  int count = backtrace(frames, 32), length = 0;
  dladdr((void*)getauxval(AT_ENTRY), &program);
  *place = '\0';
  for (int i = 0; i < count && length < PLACE_SIZE - 20; i++) {
    if (dladdr(frames[i], &info) && info.dli_fbase == program.dli_fbase) {
      length += sprintf(place + length, "%s%lx", length ? "," : "",
                        (unsigned long)((char*)frames[i] - (char*)info.dli_fbase));
    }
  }
  return place;
}

int fsync(int file) {
  char path[PATH_MAX], place[PLACE_SIZE];
  const char* name = record.file >= 0 ? name_of(path, file) : NULL;
  hold(name);
  int code = NEXT(fsync)(file);
  if (name) {
    tell(code == 0, "sync\t%lu\t%s\t%s\n", inode_of(file), name, find_place(place));
  }
  return code;
}
