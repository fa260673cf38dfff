#define _GNU_SOURCE
#include "cluster/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A lease whose owner died between creating and signing it is open to all after this many seconds.
#define UNSIGNED_TIMEOUT 5.0

void lease_office_init(LeaseOffice* office, const RunDirectory* directory) {
  Process me = process_this();
  run_file(office->directory, directory, "lease");
  process_format(office->owner, &me);
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
  Process owner;
  struct stat status;
  if (process_parse(&owner, signature) && process_is_dead(&owner)) {
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
  unlink(aside);
}

bool lease_take(const LeaseOffice* office, const char* name, double timeout) {
  char path[RUN_PATH_SIZE], signature[FILES_START_SIZE];
  lease_path(path, office, name);
  if (create(office, path)) {
    return true;
  }
  files_read_start(signature, path);
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
  char signature[FILES_START_SIZE];
  files_read_start(signature, path);
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
