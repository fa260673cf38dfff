#define _GNU_SOURCE
#include "cluster/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMALL_FILE 4096

// A lease whose owner died between creating and signing it is open to all after this many seconds.
#define UNSIGNED_TIMEOUT 5.0

// Where a process lives (an id of the boot, and of the space of process ids), which it is (number
// and start), and the batch job that it belongs to.
typedef struct {
  char boot[64];
  unsigned long long space;
  long process;
  unsigned long long started;
  char job[64];
  int restart;  // how often the batch system has restarted the job
} Owner;

// Reads a small file or, if it is not there, gives an empty text.
static void read_small(const char* path, char text[SMALL_FILE]) {
  text[0] = '\0';
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) {
    ssize_t got = read(descriptor, text, SMALL_FILE - 1);
    text[got > 0 ? got : 0] = '\0';
    close(descriptor);
  }
}

// When a process of this machine started, in clock ticks after the boot; 0 = it does not live.
static unsigned long long start_of(long process) {
  char path[64], text[SMALL_FILE];
  unsigned long long ticks = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", process);
  read_small(path, text);
  // the name in brackets may hold anything; 20 fields follow before the start
  const char* at = strrchr(text, ')');
  if (at && strncmp(at, ") Z", 3) == 0) {
    return 0;  // ended, but not yet collected by its parent: in containers perhaps never
  }
  for (int field = 0; at && field < 20; field++) {
    at = strchr(at + 1, ' ');
  }
  return at && sscanf(at, " %llu", &ticks) == 1 ? ticks : 0;
}

static const char* environment(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value && *value ? value : otherwise;
}

static Owner this_process(void) {
  Owner me = {.process = getpid(), .boot = "unknown"};
  char text[SMALL_FILE];
  struct stat space;
  read_small("/proc/sys/kernel/random/boot_id", text);
  sscanf(text, "%63s", me.boot);
  me.space = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
  me.started = start_of(me.process);
  snprintf(me.job, sizeof me.job, "%s", environment("SLURM_JOB_ID", "-"));
  me.restart = atoi(environment("SLURM_RESTART_COUNT", "0"));
  return me;
}

static bool read_owner(Owner* owner, const char* text) {
  return sscanf(text, "%63s %llu %ld %llu %63s %d", owner->boot, &owner->space, &owner->process,
                &owner->started, owner->job, &owner->restart) == 6;
}

// Whether an owner cannot live any more: a process of this machine that ended, or of an earlier
// start of the same batch job. False if that cannot be known.
static bool is_dead(const Owner* owner) {
  Owner me = this_process();
  if (strcmp(owner->boot, me.boot) == 0 && owner->space == me.space) {
    return start_of(owner->process) != owner->started;
  }
  return me.job[0] != '-' && strcmp(owner->job, me.job) == 0 && owner->restart < me.restart;
}

void lease_office_init(LeaseOffice* office, const RunDirectory* directory) {
  Owner me = this_process();
  run_file(office->directory, directory, "lease");
  snprintf(office->owner, sizeof office->owner, "%s %llu %ld %llu %s %d\n", me.boot, me.space,
           me.process, me.started, me.job, me.restart);
}

void lease_of_episode(char name[LEASE_NAME_SIZE], int64_t hyper_episode) {
  snprintf(name, LEASE_NAME_SIZE, "%06lld", (long long)hyper_episode);
}

static void lease_path(char path[RUN_PATH_SIZE], const LeaseOffice* office, const char* name) {
  int length = snprintf(path, RUN_PATH_SIZE, "%s/%s", office->directory, name);
  CHECK(length < RUN_PATH_SIZE, "path too long: %s", path);
}

static double modified(const struct stat* status) {
  return (double)status->st_mtim.tv_sec + 1e-9 * (double)status->st_mtim.tv_nsec;
}

// The time of the file system, from a file that is touched there. Negative: it cannot be told.
static double file_system_now(const LeaseOffice* office) {
  char path[RUN_PATH_SIZE];
  struct stat status;
  lease_path(path, office, "now");
  int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return -1;
  }
  bool good = futimens(descriptor, NULL) == 0 && fstat(descriptor, &status) == 0;
  close(descriptor);
  return good ? modified(&status) : -1;
}

// True: created, or it cannot be (errno tells).
static bool create(const LeaseOffice* office, const char* path) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return errno != EEXIST;
  }
  size_t size = strlen(office->owner);
  if (write(descriptor, office->owner, size) != (ssize_t)size) {
    unlink(path);
  }
  close(descriptor);
  return true;
}

static bool is_open_to_all(const LeaseOffice* office, const char* path, const char* signature,
                           double timeout) {
  Owner owner;
  struct stat status;
  if (read_owner(&owner, signature) && is_dead(&owner)) {
    return true;
  }
  if (stat(path, &status) != 0) {
    return errno == ENOENT;
  }
  double limit = status.st_size == 0 ? UNSIGNED_TIMEOUT : timeout;
  return file_system_now(office) - modified(&status) > limit;
}

// Removes the lease that carries this signature. Of several processes that try, one does; if the
// lease was taken over meanwhile, it is put back.
static void remove_lease(const char* path, const char* signature) {
  char aside[RUN_PATH_SIZE], found[SMALL_FILE];
  Error ignored;
  if (!files_temporary(aside, path, 0, &ignored) || rename(path, aside) != 0) {
    return;
  }
  read_small(aside, found);
  if (strcmp(found, signature) != 0) {
    int restored = link(aside, path);
    (void)restored;  // where a newer one stands already, both may work
  }
  unlink(aside);
}

bool lease_take(const LeaseOffice* office, const char* name, double timeout) {
  char path[RUN_PATH_SIZE], signature[SMALL_FILE];
  lease_path(path, office, name);
  if (create(office, path)) {
    return true;
  }
  read_small(path, signature);
  if (strcmp(signature, office->owner) == 0) {
    return true;
  }
  if (!is_open_to_all(office, path, signature, timeout)) {
    return false;
  }
  remove_lease(path, signature);
  return create(office, path);
}

static bool is_ours(const LeaseOffice* office, const char* path) {
  char signature[SMALL_FILE];
  read_small(path, signature);
  return strcmp(signature, office->owner) == 0;
}

void lease_renew(const LeaseOffice* office, const char* name) {
  char path[RUN_PATH_SIZE];
  lease_path(path, office, name);
  if (is_ours(office, path)) {
    utimensat(AT_FDCWD, path, NULL, 0);
  }
}

void lease_release(const LeaseOffice* office, const char* name) {
  char path[RUN_PATH_SIZE];
  lease_path(path, office, name);
  if (is_ours(office, path)) {
    unlink(path);
  }
}
