// The mark at the end of a sealed file: a checksum of all bytes before it.
//
// HDF5 1.10 may loop for ever on a damaged file (found by tests/fuzz/h5_archive_fuzz.c), so damage
// must be seen before HDF5 reads anything. HDF5 ignores bytes behind its own.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/archive.h"
#include "h5_internal.h"

#define WORD "\nautombpo-sealed "
#define MARK_SIZE 34   // WORD, 16 hexadecimal digits, newline
#define PIECE 65536    // bytes read at once; a multiple of 8, so that hashes chain

static void format_mark(char mark[MARK_SIZE + 1], uint64_t hash) {
  snprintf(mark, MARK_SIZE + 1, WORD "%016" PRIx64 "\n", hash);
}

// Hash of the first `size` bytes.
static bool hash_start(int descriptor, int64_t size, uint64_t* hash) {
  char piece[PIECE];
  *hash = HASH_START;
  if (lseek(descriptor, 0, SEEK_SET) != 0) {
    return false;
  }
  while (size > 0) {
    size_t want = size < PIECE ? (size_t)size : PIECE;
    if (files_take(descriptor, piece, want) != (int64_t)want) {
      return false;
    }
    *hash = hash_bytes(*hash, piece, want);
    size -= (int64_t)want;
  }
  return true;
}

bool h5_mark_append(H5File* file, int descriptor) {
  uint64_t hash;
  char mark[MARK_SIZE + 1];
  int64_t size = lseek(descriptor, 0, SEEK_END);
  if (size < 0 || !hash_start(descriptor, size, &hash)) {
    return h5_refuse_errno(file, "cannot be read back");
  }
  format_mark(mark, hash);
  return files_put(descriptor, mark, MARK_SIZE) || h5_refuse_errno(file, "cannot be written");
}

// Nothing but the mark tells whether every byte is as it was.
static bool has_no_mark(H5File* file) {
  return h5_refuse(file, "",
                   "has no seal at its end: cut off, damaged, or written by another program");
}

bool h5_mark_check(H5File* file, int descriptor) {
  uint64_t hash;
  char found[MARK_SIZE + 1] = "";
  char expected[MARK_SIZE + 1];
  int64_t size = lseek(descriptor, -MARK_SIZE, SEEK_END);
  if (size < 0) {  // EINVAL: it is shorter
    return errno == EINVAL ? has_no_mark(file) : h5_refuse_errno(file, "cannot be read");
  }
  int64_t got = files_take(descriptor, found, MARK_SIZE);
  if (got == MARK_SIZE && memcmp(found, WORD, strlen(WORD)) != 0) {
    return has_no_mark(file);
  }
  if (got != MARK_SIZE || !hash_start(descriptor, size, &hash)) {
    return h5_refuse_errno(file, "cannot be read");
  }
  format_mark(expected, hash);
  return memcmp(found, expected, MARK_SIZE) == 0 ||
         h5_refuse(file, "",
                   "is damaged: its bytes have checksum %016" PRIx64 ", sealed with %.16s", hash,
                   found + strlen(WORD));
}
