// lease.c - files that say who works on what, on file systems without locks that could be trusted.
//
// A lease is made by hard link, with its owner's name in it from the first moment, so that of
// several processes one gets it. It is renewed by touching it. Whoever waits remembers what it saw
// (LeaseWatch), and measures by its own clock how long that did not change: clocks of other hosts
// do not enter. A lease whose owner is known to be dead (on this host, or in an earlier start of
// the same job) is free at once.
//
// Taking over is renaming the old one aside, which only one can do, and looking at what was caught:
// if it was taken over by another in between, it is put back. There is a window in which two may
// work on the same thing. That is allowed: both make the same bits, and one of the two files is
// kept.
#define _GNU_SOURCE
#include "cluster/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/stopwatch.h"

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

// True: created, with all it says at once; or it cannot be.
static bool create(const Leases* leases, const char* path) {
  char aside[RUN_PATH_SIZE];
  Error error = {0};
  if (files_stands(path) || !files_temporary(aside, path, 0, &error)) {
    return false;
  }
  int descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  // synced: one that a loss of power leaves without an owner would have to be waited for
  bool written = descriptor >= 0 && files_put(descriptor, leases->owner, strlen(leases->owner)) &&
                 fsync(descriptor) == 0;
  if (descriptor >= 0) {
    close(descriptor);
  }
  bool taken = !written || files_link(aside, path, &error) || error.transient;
  unlink(aside);
  return taken;
}

// What changes when a lease is renewed, or is another one: its content, and the time of its last
// change, whatever clock that is of. 0: it is gone.
static uint64_t state_of(const char* path, const char* signature) {
  struct stat status;
  if (lstat(path, &status) != 0) {
    return 0;
  }
  int64_t time[2] = {status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  uint64_t hash = hash_bytes(HASH_START, time, sizeof time);
  return hash_bytes(hash, signature, strlen(signature)) | 1;
}

static bool is_open_to_all(const char* path, const char* signature, LeaseWatch* watch,
                           double timeout) {
  Process owner;
  if (process_parse(&owner, signature) && process_is_dead(&owner)) {
    return true;
  }
  uint64_t state = state_of(path, signature);
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
  if (!is_open_to_all(path, signature, watch, timeout)) {
    return false;
  }
  remove_lease(path, signature);
  return create(leases, path);
}

static bool is_ours(const Leases* leases, const char* path) {
  char signature[FILES_START_SIZE];
  files_read_start(signature, path);
  return strcmp(signature, leases->owner) == 0;
}

void lease_renew(const Leases* leases, const char* name) {
  char path[RUN_PATH_SIZE];
  lease_path(path, leases, name);
  if (is_ours(leases, path)) {
    utimensat(AT_FDCWD, path, NULL, 0);
  }
}

void lease_release(const Leases* leases, const char* name) {
  char path[RUN_PATH_SIZE];
  lease_path(path, leases, name);
  if (is_ours(leases, path)) {
    unlink(path);
  }
}

bool lease_holder(Process* owner, const Leases* leases, const char* name) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  lease_path(path, leases, name);
  files_read_start(signature, path);
  return process_parse(owner, signature);
}

void lease_describe(char out[LEASE_TEXT_SIZE], const Leases* leases, const char* name,
                    const LeaseWatch* watch) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  Process owner;
  double age = watch->state ? clock_wall() - watch->since : 0;
  lease_path(path, leases, name);
  files_read_start(signature, path);
  if (process_parse(&owner, signature)) {
    snprintf(out, LEASE_TEXT_SIZE, "process %ld on %s%s%s, which has not renewed it for %.0f s",
             owner.number, owner.host, *owner.job == '-' ? "" : ", job ",
             *owner.job == '-' ? "" : owner.job, age);
  } else {
    snprintf(out, LEASE_TEXT_SIZE, "somebody unknown (it names no process), unchanged for %.0f s",
             age);
  }
}
