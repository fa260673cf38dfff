#include "base/fault.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// AUTOMBPO_FAULT, read at the first passing of any point.
typedef struct {
  bool read;
  long left;           // passings until the end; 0 = never
  const char* colon;   // behind the name of the point
  const char* point;
} Fault;

static Fault fault = {0};

static void read_environment(void) {
  fault.read = true;
  fault.point = getenv("AUTOMBPO_FAULT");
  fault.colon = fault.point ? strchr(fault.point, ':') : NULL;
  fault.left = fault.colon ? strtol(fault.colon + 1, NULL, 10) : 0;
}

static bool is_named(const char* point) {
  size_t size = strlen(point);
  return (size_t)(fault.colon - fault.point) == size && memcmp(fault.point, point, size) == 0;
}

void fault_point(const char* point) {
  if (!fault.read) {
    read_environment();
  }
  if (fault.left > 0 && is_named(point) && --fault.left == 0) {
    _exit(137);
  }
}
