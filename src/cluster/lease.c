// lease.c - files that say who works on what, on file systems without locks that could be trusted.
//
// Each owner has one file, owner-HASH, with its name in it, and renews it by touching it. A lease
// is a hard link to it: of several processes one gets it, it has its owner's name from the first
// moment, and it is renewed with all others of its owner, by one call. Where there are no (more)
// links it is a file with the same text, and lasts as long as the file of the owner that it names.
// Whoever waits remembers what it saw (LeaseWatch), and measures by its own clock how long that did
// not change: clocks of other hosts do not enter. A lease whose owner is known to be dead (on this
// host, or in an earlier start of the same job) is free at once.
//
// Taking over is renaming the old one aside, which only one can do, and looking at what was caught:
// if it was taken over by another in between, it is put back. There is a window in which two may
// work on the same thing. That is allowed: both make the same bits, and one of the two files is
// kept.
#define _GNU_SOURCE
#include "cluster/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/stopwatch.h"

#define OWNER "owner-"

void leases_init(Leases* leases, const RunDirectory* directory) {
  Process me = process_this();
  run_file(leases->directory, directory, "lease");
  process_format(leases->owner, &me);
}

void lease_of_episode(char name[LEASE_NAME_SIZE], int64_t hyper_episode) {
  snprintf(name, LEASE_NAME_SIZE, "%06lld", (long long)hyper_episode);
}

static void lease_path(char path[RUN_PATH_SIZE], const Leases* leases, const char* name) {
  int length = snprintf(path, RUN_PATH_SIZE, "%s/%s", leases->directory, name);
  CHECK(length < RUN_PATH_SIZE, "path too long: %s", path);
}

// The file of who signs like this.
static void owner_path(char path[RUN_PATH_SIZE], const Leases* leases, const char* signature) {
  char name[LEASE_NAME_SIZE];
  snprintf(name, sizeof name, OWNER "%016" PRIx64,
           hash_bytes(HASH_START, signature, strlen(signature)));
  lease_path(path, leases, name);
}

// A file that says whose it is, under a temporary name for `path`.
static bool write_aside(char aside[RUN_PATH_SIZE], const Leases* leases, const char* path) {
  Error ignored;
  *aside = '\0';
  if (!files_temporary(aside, path, 0, &ignored)) {
    return false;
  }
  int descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  // synced: one that a loss of power leaves without an owner would have to be waited for
  bool written = descriptor >= 0 && files_put(descriptor, leases->owner, strlen(leases->owner)) &&
                 fsync(descriptor) == 0;
  if (descriptor >= 0) {
    close(descriptor);
  }
  return written;
}

// True: created, with all it says at once; or it cannot be.
static bool create(const Leases* leases, const char* path) {
  char own[RUN_PATH_SIZE], aside[RUN_PATH_SIZE];
  Error error = {0};
  owner_path(own, leases, leases->owner);
  if (link(own, path) == 0) {
    return true;
  }
  if (errno == EEXIST || files_stands(path)) {
    return false;
  }
  bool taken = !write_aside(aside, leases, path) || files_link(aside, path, &error) ||
               error.transient;
  unlink(aside);
  return taken;
}

// What changes when a lease is renewed, or is another one: its content, and the times of its last
// change and of its owner's file, whatever clock they are of. 0: it is gone.
static uint64_t state_of(const char* path, const char* owner, const char* signature) {
  struct stat status[2] = {0};
  if (lstat(path, &status[0]) != 0) {
    return 0;
  }
  lstat(owner, &status[1]);  // none: the lease is of an earlier program, or its owner is gone
  uint64_t hash = hash_bytes(HASH_START, signature, strlen(signature));
  for (int i = 0; i < 2; i++) {
    int64_t time[2] = {status[i].st_mtim.tv_sec, status[i].st_mtim.tv_nsec};
    hash = hash_bytes(hash, time, sizeof time);
  }
  return hash | 1;
}

static bool is_open_to_all(const Leases* leases, const char* path, const char* signature,
                           LeaseWatch* watch, double timeout) {
  Process owner;
  char file[RUN_PATH_SIZE];
  owner_path(file, leases, signature);
  if (process_parse(&owner, signature) && process_is_dead(&owner)) {
    unlink(file);
    return true;
  }
  uint64_t state = state_of(path, file, signature);
  if (state != watch->state) {
    *watch = (LeaseWatch){.state = state, .since = clock_wall()};
  }
  return state == 0 || clock_wall() - watch->since > timeout;
}

// Removes the lease that carries this signature. Of several processes that try, one does; if the
// lease was taken over meanwhile, it is put back.
static void remove_lease(const char* path, const char* signature) {
  char aside[RUN_PATH_SIZE], found[FILES_START_SIZE];
  Error ignored;
  if (!files_temporary(aside, path, 0, &ignored) || rename(path, aside) != 0) {
    return;
  }
  files_read_start(found, aside);
  if (strcmp(found, signature) != 0) {
    int restored = link(aside, path);
    (void)restored;  // where a newer one stands already, both may work
  }
  remove(aside);  // it may be a directory
}

bool lease_take(const Leases* leases, const char* name, LeaseWatch* watch, double timeout) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  lease_path(path, leases, name);
  if (create(leases, path)) {
    return true;
  }
  files_read_start(signature, path);
  if (strcmp(signature, leases->owner) == 0) {
    return true;
  }
  if (!is_open_to_all(leases, path, signature, watch, timeout)) {
    return false;
  }
  remove_lease(path, signature);
  return create(leases, path);
}

void leases_renew(const Leases* leases) {
  char own[RUN_PATH_SIZE], aside[RUN_PATH_SIZE];
  owner_path(own, leases, leases->owner);
  if (utimensat(AT_FDCWD, own, NULL, 0) != 0 && errno == ENOENT &&
      (!write_aside(aside, leases, own) || rename(aside, own) != 0)) {
    unlink(aside);
  }
}

void leases_end(const Leases* leases) {
  char own[RUN_PATH_SIZE];
  owner_path(own, leases, leases->owner);
  unlink(own);
}

void lease_release(const Leases* leases, const char* name) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  lease_path(path, leases, name);
  files_read_start(signature, path);
  if (strcmp(signature, leases->owner) == 0) {
    unlink(path);
  }
}

// Whether the owner of this file lives: it is not known to be dead, and has renewed its leases at
// most `timeout` seconds before `now`, as the file system dates both.
static bool lives(const char* path, const struct stat* now, double timeout) {
  Process owner;
  struct stat renewed;
  char signature[FILES_START_SIZE];
  files_read_start(signature, path);
  if ((process_parse(&owner, signature) && process_is_dead(&owner)) || lstat(path, &renewed) != 0) {
    return false;
  }
  return difftime(now->st_mtime, renewed.st_mtime) <= timeout;
}

bool leases_are_last(const Leases* leases, double timeout) {
  char own[RUN_PATH_SIZE], path[RUN_PATH_SIZE];
  char** names;
  int count = 0;
  struct stat now;
  Arena arena;
  Error ignored;
  arena_init(&arena);
  owner_path(own, leases, leases->owner);
  bool last = write_aside(path, leases, own) && lstat(path, &now) == 0 &&
              files_list(&names, &count, leases->directory, "", &arena, &ignored);
  unlink(path);
  for (int i = 0; last && i < count; i++) {
    lease_path(path, leases, names[i]);
    last = strncmp(names[i], OWNER, strlen(OWNER)) != 0 || strstr(names[i], ".tmp") ||
           strcmp(path, own) == 0 || !lives(path, &now, timeout);
  }
  arena_free(&arena);
  return last;
}

bool lease_holder(Process* owner, const Leases* leases, const char* name) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  lease_path(path, leases, name);
  files_read_start(signature, path);
  return process_parse(owner, signature);
}

bool lease_describe(char out[LEASE_TEXT_SIZE], const Leases* leases, const char* name,
                    const LeaseWatch* watch) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  Process owner;
  double age = watch->state ? clock_wall() - watch->since : 0;
  lease_path(path, leases, name);
  if (!files_exists(path)) {
    return false;
  }
  files_read_start(signature, path);
  if (process_parse(&owner, signature)) {
    snprintf(out, LEASE_TEXT_SIZE, "process %ld on %s%s%s, which has not renewed it for %.0f s",
             owner.number, owner.host, *owner.job == '-' ? "" : ", job ",
             *owner.job == '-' ? "" : owner.job, age);
  } else {
    snprintf(out, LEASE_TEXT_SIZE, "somebody unknown (it names no process), unchanged for %.0f s",
             age);
  }
  return true;
}
