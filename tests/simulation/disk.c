// disk.c - files on a disk that is slow, fails, and forgets what was not synced.
//
// Files are real ones, on a file system in memory; these wrappers stand before the calls that the
// product makes. Where power may be lost they keep a journal: each name that was made, changed or
// removed, until its directory is synced, and each file that was written, until it is. Losing power
// takes the names of a directory back to a moment of its own after its last sync, and cuts files
// that were not synced, or fills them with zeros.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyper/run_directory.h"
#include "store/pack.h"
#include "world.h"

#define MOST_DESCRIPTORS 1024
#define MOST_CHANGES 16384
#define MOST_DIRTY 4096
#define PATH (RUN_PATH_SIZE + 32)

typedef struct {
  const Actor* owner;
  char path[PATH];  // "" = closed
} Descriptor;

// A name that its directory does not yet keep for sure.
typedef struct {
  enum { MADE, REMOVED } kind;
  char path[PATH];
  int before;  // number of the file that had this name, in the attic; -1 = none
} Change;

typedef struct {
  uint64_t inode;
  int descriptor;  // of our own, so that it can be found whatever its name is
  off_t synced;    // bytes at its start that last; files are only ever appended to
} Dirty;

static Descriptor descriptors[MOST_DESCRIPTORS];
static Change changes[MOST_CHANGES];
static int change_count;
static Dirty dirty[MOST_DIRTY];
static int dirty_count;
static int attic_count;

int __real_open(const char* path, int flags, ...);
int __real_close(int descriptor);
int __real_fsync(int descriptor);
int __real_link(const char* from, const char* to);
int __real_rename(const char* from, const char* to);
int __real_unlink(const char* path);
ssize_t __real_write(int descriptor, const void* bytes, size_t size);
int __real_lstat(const char* path, struct stat* status);

static bool keeps_journal(void) { return world.running && world.weather.power > 0; }

static bool is_inside(const char* path) {
  return strncmp(path, world.directory->path, strlen(world.directory->path)) == 0;
}

static size_t parent_size(const char* path) { return (size_t)(strrchr(path, '/') - path); }

static void attic_path(char out[PATH], int number) {
  snprintf(out, PATH, "%s.attic/%d", world.directory->path, number);
}

// Keeps the file that has this name, for when the name comes back.
static int keep(const char* path) {
  char aside[PATH];
  attic_path(aside, attic_count);
  return __real_link(path, aside) == 0 ? attic_count++ : -1;
}

static void add_change(int kind, const char* path, int before) {
  CHECK(change_count < MOST_CHANGES, "too many changes of names");
  Change* c = &changes[change_count++];
  c->kind = kind;
  c->before = before;
  snprintf(c->path, sizeof c->path, "%s", path);
}

static void forget_dirty(int i) {
  __real_close(dirty[i].descriptor);
  dirty[i] = dirty[--dirty_count];
}

static int find_dirty(int descriptor) {
  struct stat status;
  fstat(descriptor, &status);
  for (int i = 0; i < dirty_count; i++) {
    if (dirty[i].inode == status.st_ino) {
      return i;
    }
  }
  return -1;
}

static void note_written(int descriptor) {
  struct stat status;
  if (find_dirty(descriptor) < 0) {
    CHECK(dirty_count < MOST_DIRTY, "too many files that are not synced");
    fstat(descriptor, &status);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int own = __real_open(path, O_RDWR | O_CLOEXEC);
    dirty[dirty_count++] = (Dirty){status.st_ino, own, status.st_size};
  }
}

// The names of a directory last.
static void note_synced(const char* path) {
  int kept = 0;
  size_t size = strlen(path);
  for (int i = 0; i < change_count; i++) {
    if (parent_size(changes[i].path) != size || memcmp(changes[i].path, path, size) != 0) {
      changes[kept++] = changes[i];
    }
  }
  change_count = kept;
}

// Whether a call fails as a disk that is full or broken lets it.
static bool fails(const char* path) {
  bool hit = world.running && is_inside(path) && world.now < world.calm &&
             world_chance(world.weather.fail);
  if (hit) {
    errno = world_chance(0.5) ? EIO : ENOSPC;
    world_log("%s: %s", path, strerror(errno));
  }
  return hit;
}

static Descriptor* descriptor_of(int descriptor) {
  return descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? &descriptors[descriptor] : NULL;
}

int __wrap_open(const char* path, int flags, ...) {
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
  va_end(args);
  world_point("open");
  if (fails(path)) {
    return -1;
  }
  struct stat status;
  bool made = keeps_journal() && (flags & O_CREAT) && __real_lstat(path, &status) != 0;
  int descriptor = __real_open(path, flags, mode);
  Descriptor* d = descriptor_of(descriptor);
  if (d && world.running) {
    d->owner = world.running;
    snprintf(d->path, sizeof d->path, "%s", path);
  }
  if (descriptor >= 0 && made) {
    add_change(MADE, path, -1);
  }
  return descriptor;
}

int __wrap_close(int descriptor) {
  Descriptor* d = descriptor_of(descriptor);
  if (d) {
    d->path[0] = '\0';
  }
  return __real_close(descriptor);
}

// The time of a file is that of the disk, which is nobody's clock.
static struct timespec disk_time(void) {
  time_t seconds = (time_t)world.now;
  return (struct timespec){seconds, (long)((world.now - (double)seconds) * 1e9)};
}

ssize_t __wrap_write(int descriptor, const void* bytes, size_t size) {
  const Descriptor* d = descriptor_of(descriptor);
  if (!d || !world.running || !d->path[0]) {
    return __real_write(descriptor, bytes, size);
  }
  world_point("write");
  if (fails(d->path)) {
    return -1;
  }
  if (keeps_journal()) {
    note_written(descriptor);
  }
  ssize_t written = __real_write(descriptor, bytes, size);
  futimens(descriptor, (struct timespec[]){disk_time(), disk_time()});
  return written;
}

int __wrap_fsync(int descriptor) {
  const Descriptor* d = descriptor_of(descriptor);
  if (!d || !world.running || !d->path[0]) {
    return __real_fsync(descriptor);
  }
  world_point("fsync");
  if (fails(d->path)) {
    return -1;
  }
  struct stat status;
  fstat(descriptor, &status);
  bool directory = S_ISDIR(status.st_mode);
  if (keeps_journal() && directory && plant != PLANT_NO_DIRECTORY_SYNC) {
    note_synced(d->path);
  } else if (keeps_journal() && !directory && plant != PLANT_NO_FILE_SYNC) {
    int i = find_dirty(descriptor);
    if (i >= 0) {
      forget_dirty(i);
    }
  }
  return 0;
}

int __wrap_link(const char* from, const char* to) {
  world_point("link");
  if (fails(to)) {
    return -1;
  }
  int result = __real_link(from, to);
  if (result == 0 && keeps_journal()) {
    add_change(MADE, to, -1);
  }
  return result;
}

int __wrap_rename(const char* from, const char* to) {
  world_point("rename");
  if (fails(to)) {
    return -1;
  }
  int gone = keeps_journal() ? keep(from) : -1, replaced = keeps_journal() ? keep(to) : -1;
  int result = __real_rename(from, to);
  if (result == 0 && keeps_journal()) {
    add_change(REMOVED, from, gone);
    add_change(MADE, to, replaced);
  }
  return result;
}

// Whether a path is a sealed file: episodes/NNNNNN.h5, policy/vNNNNNN.h5.
static bool is_sealed_name(const char* path) {
  const char* name = path + strlen(world.directory->path);
  return (strncmp(name, "/episodes/", 10) == 0 && strlen(name) == 19) ||
         (strncmp(name, "/policy/", 8) == 0 && strlen(name) == 18);
}

// The number of checkpoints beside this one; -1: it is none.
static int checkpoints_beside(const char* path, long* hyper_episode) {
  const char* inside = path + strlen(world.directory->path);
  if (sscanf(inside, "/checkpoint/episode-%ld/gen-%*d.h5", hyper_episode) != 1 ||
      strcmp(path + strlen(path) - 3, ".h5") != 0) {
    return -1;
  }
  char parent[PATH];
  char** names;
  int count = 0;
  Arena arena;
  Error ignored;
  Actor* actor = world.running;
  world.running = NULL;  // this is not of the product
  arena_init(&arena);
  snprintf(parent, sizeof parent, "%.*s", (int)parent_size(path), path);
  files_list(&names, &count, parent, ".h5", &arena, &ignored);
  arena_free(&arena);
  world.running = actor;
  return count - 1;
}

static bool is_there(const char* sealed) {
  Actor* actor = world.running;
  world.running = NULL;  // this is not of the product
  bool there = pack_stands(sealed);
  world.running = actor;
  return there;
}

static void check_removal(const char* path) {
  long e;
  if (checkpoints_beside(path, &e) == 0) {
    char sealed[RUN_PATH_SIZE];
    run_episode_path(sealed, world.directory, e);
    if (!is_there(sealed)) {
      world_fail("%s is the last of hyper-episode %ld, which is not sealed, and is removed", path,
                 e);
    }
  }
}

static int take_away(const char* path, int (*call)(const char*)) {
  if (!world.running || !is_inside(path)) {
    return call(path);
  }
  world_point("unlink");
  check_removal(path);
  int gone = keeps_journal() ? keep(path) : -1;
  int result = call(path);
  if (result == 0 && gone >= 0) {
    add_change(REMOVED, path, gone);
  }
  if (result == 0 && is_sealed_name(path) && !is_there(path)) {
    world_fail("%s is sealed, and is removed", path);
  }
  return result;
}

int __wrap_unlink(const char* path) { return take_away(path, __real_unlink); }

int __real_remove(const char* path);
int __wrap_remove(const char* path) { return take_away(path, __real_remove); }

int __wrap_lstat(const char* path, struct stat* status) {
  world_point("lstat");
  return fails(path) ? -1 : __real_lstat(path, status);
}

int __real_utimensat(int directory, const char* path, const struct timespec times[2], int flags);
int __wrap_utimensat(int directory, const char* path, const struct timespec times[2], int flags) {
  world_point("utimensat");
  struct timespec now[2] = {disk_time(), disk_time()};
  return __real_utimensat(directory, path, times ? times : now, flags);
}

void disk_release(Actor* actor) {
  for (int i = 0; i < MOST_DESCRIPTORS; i++) {
    if (descriptors[i].path[0] && descriptors[i].owner == actor) {
      descriptors[i].path[0] = '\0';
      __real_close(i);
    }
  }
}

static void undo(const Change* c) {
  char aside[PATH];
  world_log("power: '%s' is as it was before it was %s", c->path + strlen(world.directory->path),
            c->kind == MADE ? "made" : "removed");
  if (c->kind == MADE) {
    __real_unlink(c->path);
  }
  if (c->before >= 0) {
    attic_path(aside, c->before);
    __real_link(aside, c->path);
  }
}

// Names of a directory survive up to a change of its own choice, in their order.
static void lose_names(void) {
  bool lost[MOST_CHANGES] = {false};
  for (int i = 0; i < change_count; i++) {
    bool earlier = false;
    for (int j = 0; j < i && !earlier; j++) {
      size_t size = parent_size(changes[j].path);
      earlier = lost[j] && parent_size(changes[i].path) == size &&
                memcmp(changes[i].path, changes[j].path, size) == 0;
    }
    lost[i] = earlier || world_chance(0.2);
  }
  for (int i = change_count - 1; i >= 0; i--) {
    if (lost[i]) {
      undo(&changes[i]);
    }
  }
  change_count = 0;
}

static void lose_bytes(void) {
  while (dirty_count > 0) {
    int descriptor = dirty[0].descriptor;
    struct stat status;
    fstat(descriptor, &status);
    if (world_chance(0.7)) {
      off_t synced = dirty[0].synced < status.st_size ? dirty[0].synced : status.st_size;
      off_t left = synced + (off_t)(world_uniform() * (double)(status.st_size - synced));
      world_log("power: a file of %lld bytes keeps %lld", (long long)status.st_size,
                (long long)left);
      bool zeros = world_chance(0.3);
      if (ftruncate(descriptor, left) == 0 && zeros) {
        zeros = ftruncate(descriptor, status.st_size) == 0;
      }
    }
    forget_dirty(0);
  }
}

void disk_lose_power(void) {
  world_log("power is lost: %d names and %d files were not synced", change_count, dirty_count);
  lose_names();
  lose_bytes();
}

static void remove_tree(const char* path) {
  char** names;
  int count = 0;
  Arena arena;
  Error ignored;
  arena_init(&arena);
  if (files_list(&names, &count, path, "", &arena, &ignored)) {
    for (int i = 0; i < count; i++) {
      char name[2 * PATH];
      snprintf(name, sizeof name, "%s/%s", path, names[i]);
      if (__real_unlink(name) != 0) {
        remove_tree(name);
      }
    }
    rmdir(path);
  }
  arena_free(&arena);
}

void disk_begin(void) {
  char attic[PATH];
  Error error;
  disk_end();
  snprintf(attic, sizeof attic, "%s.attic", world.directory->path);
  CHECK(run_directory_make(world.directory, &error) && files_make_directory(attic, &error), "%s",
        error.text);
}

void disk_end(void) {
  char attic[PATH];
  snprintf(attic, sizeof attic, "%s.attic", world.directory->path);
  while (dirty_count > 0) {
    forget_dirty(0);
  }
  change_count = attic_count = 0;
  remove_tree(world.directory->path);
  remove_tree(attic);
}
