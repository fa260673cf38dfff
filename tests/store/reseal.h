// reseal.h - gives a file that was edited through HDF5, which drops its mark, a mark that fits again:
// for tests of what stands behind the seal.
#ifndef TESTS_RESEAL_H
#define TESTS_RESEAL_H

#include <inttypes.h>
#include <stdio.h>

#include "base/archive.h"
#include "store/files.h"

static inline void reseal(const char* path) {
  Arena arena;
  Error error;
  char* bytes;
  size_t size;
  arena_init(&arena);
  CHECK(files_read(&bytes, &size, path, &arena, &error), "%s", error.text);
  FILE* file = fopen(path, "ab");
  uint64_t hash = hash_bytes(HASH_START, bytes, size);
  CHECK(file && fprintf(file, "\nautombpo-sealed %016" PRIx64 "\n", hash) == 34 &&
            fclose(file) == 0,
        "%s: cannot be sealed again", path);
  arena_free(&arena);
}

#endif  // TESTS_RESEAL_H
