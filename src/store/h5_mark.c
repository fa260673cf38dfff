// The mark at the end of a sealed file: a checksum of all bytes before it.
//
// HDF5 1.10 may loop for ever on a damaged file (found by tests/fuzz/h5_archive_fuzz.c), so damage
// must be seen before HDF5 reads anything. HDF5 ignores bytes behind its own.

#include <errno.h>
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
static bool hash_start(FILE* stream, int64_t size, uint64_t* hash) {
  char piece[PIECE];
  *hash = HASH_START;
  rewind(stream);
  while (size > 0) {
    size_t want = size < PIECE ? (size_t)size : PIECE;
    if (fread(piece, 1, want, stream) != want) {
      return false;
    }
    *hash = hash_bytes(*hash, piece, want);
    size -= (int64_t)want;
  }
  return true;
}

bool h5_mark_append(H5File* file, const char* name) {
  uint64_t hash;
  char mark[MARK_SIZE + 1];
  FILE* stream = fopen(name, "r+b");
  bool good = stream && fseek(stream, 0, SEEK_END) == 0 && hash_start(stream, ftell(stream), &hash);
  if (good) {
    format_mark(mark, hash);
    good = fseek(stream, 0, SEEK_END) == 0 && fwrite(mark, 1, MARK_SIZE, stream) == MARK_SIZE;
  }
  int cause = errno;
  if (stream && fclose(stream) != 0 && good) {
    good = false;
    cause = errno;
  }
  return good || h5_refuse(file, "", "cannot be written: %s", strerror(cause));
}

// Compares the mark at the end of the stream, if there is one.
static bool compare_mark(H5File* file, FILE* stream) {
  uint64_t hash;
  char found[MARK_SIZE + 1] = "";
  char expected[MARK_SIZE + 1];
  if (fseek(stream, -MARK_SIZE, SEEK_END) != 0) {
    return true;
  }
  int64_t size = ftell(stream);
  if (fread(found, 1, MARK_SIZE, stream) != MARK_SIZE || memcmp(found, WORD, strlen(WORD)) != 0) {
    return true;
  }
  if (!hash_start(stream, size, &hash)) {
    return h5_refuse(file, "", "cannot be read: %s", strerror(errno));
  }
  format_mark(expected, hash);
  return memcmp(found, expected, MARK_SIZE) == 0 ||
         h5_refuse(file, "",
                   "is damaged: its bytes have checksum %016" PRIx64 ", sealed with %.16s", hash,
                   found + strlen(WORD));
}

bool h5_mark_check(H5File* file, const char* name) {
  FILE* stream = fopen(name, "rb");
  if (!stream) {
    return h5_refuse(file, "", "%s", strerror(errno));
  }
  bool good = compare_mark(file, stream);
  fclose(stream);
  return good;
}
