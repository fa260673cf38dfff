// scratch.h - what an input of a fuzz harness needs, made once and used for all inputs: an arena, and
// a file. Files are in TMPDIR, which tests/fuzz/run makes and removes.
#ifndef FUZZ_SCRATCH_H
#define FUZZ_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"

#define SCRATCH_PATH_SIZE 256

static inline const char* scratch_parent(void) {
  const char* parent = getenv("TMPDIR");
  return parent ? parent : "/tmp";
}

// The arena, empty.
static inline Arena* scratch_arena(void) {
  static Arena arena;
  arena_release(&arena, (ArenaMark){0});
  return &arena;
}

// The bytes with a zero behind them, in memory of just that size; the caller frees it.
static inline char* scratch_text(const void* bytes, size_t size) {
  char* text = malloc(size + 1);
  CHECK(text, "no memory");
  if (size > 0) {
    memcpy(text, bytes, size);
  }
  text[size] = '\0';
  return text;
}

// The path of the file, which holds these bytes now.
static inline const char* scratch_file(const void* bytes, size_t size) {
  static char path[SCRATCH_PATH_SIZE];
  static int descriptor = -1;
  if (descriptor < 0) {
    snprintf(path, sizeof path, "%s/input_%ld", scratch_parent(), (long)getpid());
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  }
  CHECK(pwrite(descriptor, bytes, size, 0) == (ssize_t)size && ftruncate(descriptor, (off_t)size) == 0,
        "cannot write %s", path);
  return path;
}

#endif  // FUZZ_SCRATCH_H
