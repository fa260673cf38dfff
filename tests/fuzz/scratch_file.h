// scratch_file.h - files of the fuzz harnesses, in the directory that tests/fuzz/run makes and removes.
#ifndef FUZZ_SCRATCH_FILE_H
#define FUZZ_SCRATCH_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

#define SCRATCH_PATH_SIZE 256

static inline const char* scratch_parent(void) {
  const char* parent = getenv("TMPDIR");
  return parent ? parent : "/tmp";
}

// A new file with these bytes; the caller unlinks it.
static inline void scratch_file(char path[SCRATCH_PATH_SIZE], const void* bytes, size_t size) {
  snprintf(path, SCRATCH_PATH_SIZE, "%s/autombpo_fuzz_XXXXXX", scratch_parent());
  int descriptor = mkstemp(path);
  CHECK(descriptor >= 0 && write(descriptor, bytes, size) == (ssize_t)size, "cannot write %s",
        path);
  close(descriptor);
}

#endif  // FUZZ_SCRATCH_FILE_H
