#define _GNU_SOURCE
#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOOK_INTERVAL 10000000  // nanoseconds between two looks of a process that is held

// AUTOMBPO_FAULT, read at the first passing of any point.
typedef struct {
  bool read;
  long left;           // passings until the end; 0 = never
  const char* colon;   // behind the name of the point
  const char* point;
  const char* file;    // that holds the process instead; NULL = none does
  volatile sig_atomic_t released;
} Fault;

static Fault fault = {0};

static void read_environment(void) {
  char* end = NULL;
  fault.read = true;
  fault.point = getenv("AUTOMBPO_FAULT");
  fault.colon = fault.point ? strchr(fault.point, ':') : NULL;
  fault.left = fault.colon ? strtol(fault.colon + 1, &end, 10) : 0;
  fault.file = end && *end == ':' ? end + 1 : NULL;
}

static bool is_named(const char* point) {
  size_t size = strlen(point);
  return (size_t)(fault.colon - fault.point) == size && memcmp(fault.point, point, size) == 0;
}

// The lock on the file says that somebody is held, and ends with its process.
static void hold(const char* path) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0) {
    struct timespec interval = {.tv_nsec = LOOK_INTERVAL};
    fault.released = 0;
    bool told = ftruncate(file, 0) == 0 && dprintf(file, "%ld\n", (long)getpid()) > 0;
    while (told && !fault.released && access(path, F_OK) == 0) {
      nanosleep(&interval, NULL);
    }
  }
  if (file >= 0) {
    close(file);
  }
}

void fault_point(const char* point) {
  if (!fault.read) {
    read_environment();
  }
  if (fault.left > 0 && is_named(point) && --fault.left == 0) {
    if (!fault.file) {
      _exit(137);
    }
    hold(fault.file);
  }
}

void fault_release(void) { fault.released = 1; }
