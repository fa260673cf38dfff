// pack.c - sealed files, many in one, and how a file is found there.
//
// A pack is an archive that `tar` unpacks: the files with their own bytes, seals and names, and as
// its last one an index with lines of one length, so that of ten thousand files one is found by
// three reads. Nothing in it depends on when, where and by whom it was made.
//
// It is written like every durable object: aside, synced, named, its directory synced. Then each
// file that stands by itself is compared with its copy, and removed. So at any moment each can be
// read, at one place or at two with the same bytes. Who looks for one looks first for the file
// itself, then in the packs: it only ever moves this way.
//
// A file in a pack is read as a copy in memory, because HDF5 reads files from their start. What its
// bytes are worth its own seal says (h5_mark.c), as that of any sealed file.
#define _GNU_SOURCE  // memfd_create
#include "store/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"

#define BLOCK 512          // bytes; all parts of a tar archive begin at a multiple
#define TAIL (2 * BLOCK)   // zeros at its end
#define INDEX_NAME "index.txt"
#define LINE 56            // bytes of a line of the index, "NNNNNN.h5 PLACE BYTES" and a newline
#define MOST_FILES 1000000
#define MOST_BYTES 077777777777LL  // that a header can say
#define PIECE 65536

static int64_t padded(int64_t size) { return (size + BLOCK - 1) / BLOCK * BLOCK; }

static int64_t count_of(PackRange range) { return range.last - range.first + 1; }

static void member_name(char out[32], int64_t e) {
  snprintf(out, 32, "%06lld.h5", (long long)e);
}

// Finding -----------------------------------------------------------------------------------------

bool pack_range(PackRange* range, const char* name) {
  char again[64];
  long long first, last;
  if (sscanf(name, "%lld-%lld.tar", &first, &last) != 2 || first < 0 || last < first ||
      last - first >= MOST_FILES) {
    return false;
  }
  *range = (PackRange){first, last};
  snprintf(again, sizeof again, "%06lld-%06lld.tar", first, last);
  return strcmp(again, name) == 0;
}

bool pack_list(PackRange** packs, int* count, const char* directory, Arena* arena, Error* error) {
  char** names;
  int all = 0;
  Error problem = {0};  // that there are none is no error
  *count = 0;
  const char* place = text_format(arena, "%s/packed", directory);
  if (!files_list(&names, &all, place, ".tar", arena, &problem)) {
    return errno == ENOENT || (*error = problem, false);
  }
  *packs = ARENA_NEW(arena, all, PackRange);
  for (int i = 0; i < all; i++) {
    *count += pack_range(&(*packs)[*count], names[i]);
  }
  return true;
}

typedef struct {
  char path[FILES_PATH_SIZE];
  PackRange range;
  int64_t member;
} Place;

static bool name_pack(Place* place, int size, const char* directory, Error* error) {
  int length = snprintf(place->path, FILES_PATH_SIZE, "%.*s/packed/%06lld-%06lld.tar", size,
                        directory, (long long)place->range.first, (long long)place->range.last);
  return length < FILES_PATH_SIZE || error_set(error, "%s: path is too long", directory);
}

// Of DIR/NNNNNN.h5 the number and the length of DIR.
static bool is_member(int64_t* e, int* directory, const char* path) {
  char name[32];
  const char* slash = strrchr(path, '/');
  if (!slash || slash[1] < '0' || slash[1] > '9') {
    return false;
  }
  *e = strtoll(slash + 1, NULL, 10);
  *directory = (int)(slash - path);
  member_name(name, *e);
  return strcmp(name, slash + 1) == 0;
}

// Finds the pack that has the file `path`.
static bool find(Place* place, bool* found, const char* path, Error* error) {
  int size;
  PackRange* packs;
  int count;
  *found = false;
  if (!is_member(&place->member, &size, path)) {
    return true;
  }
  Arena arena;
  arena_init(&arena);
  bool good = pack_list(&packs, &count, text_format(&arena, "%.*s", size, path), &arena, error);
  for (int i = 0; good && !*found && i < count; i++) {
    *found = packs[i].first <= place->member && place->member <= packs[i].last;
    place->range = packs[i];
  }
  arena_free(&arena);
  return good && (!*found || name_pack(place, size, path, error));
}

static bool is_held(Place* place, const char* path) {
  Error ignored;
  bool found;
  return !files_exists(path) && find(place, &found, path, &ignored) && found;
}

bool pack_holds(const char* path) {
  Place place;
  return is_held(&place, path);
}

bool pack_add_way_out(const char* path, Error* error) {
  Place place;
  return is_held(&place, path) &&
         error_line(error,
                    "This file is in %s; `tar -xf %s -C %.*s` takes all files out, then remove "
                    "that pack, too",
                    place.path, place.path, (int)(strrchr(path, '/') - path), path);
}

bool pack_look(bool* there, const char* path, Error* error) {
  Place place;
  return files_look(there, path, error) && (*there || find(&place, there, path, error));
}

bool pack_exists(const char* path) {
  Error ignored;
  bool there;
  return !pack_look(&there, path, &ignored) || there;
}

bool pack_stands(const char* path) {
  Error ignored;
  bool there;
  return pack_look(&there, path, &ignored) && there;
}

// Reading -----------------------------------------------------------------------------------------

// The next `size` bytes of one file to the end of the other; errno 0: they are not there.
static bool copy(int to, int from, int64_t size) {
  char piece[PIECE];
  int64_t got = 1;
  for (; size > 0 && got > 0; size -= got) {
    got = files_take(from, piece, size < PIECE ? (size_t)size : PIECE);
    if (got > 0 && !files_put(to, piece, (size_t)got)) {
      return false;
    }
  }
  errno = got < 0 ? errno : 0;
  return size == 0;
}

static bool is_damaged(const Place* place, Error* error) {
  return error_set(error, "%s: is damaged: it does not tell where %06lld.h5 is", place->path,
                   (long long)place->member);
}

// Moves to the start of a file in an open pack.
static bool seek(int pack, int64_t* size, const Place* place, Error* error) {
  char line[LINE + 1] = "", name[32], expected[32];
  long long start = 0, bytes = 0;
  int64_t lines = count_of(place->range) * LINE;
  int64_t end = lseek(pack, 0, SEEK_END);
  int64_t at = end - TAIL - padded(lines) + (place->member - place->range.first) * LINE;
  if (end < 0 || (at >= 0 && (lseek(pack, at, SEEK_SET) < 0 || files_take(pack, line, LINE) < 0))) {
    return error_errno(error, place->path);
  }
  member_name(expected, place->member);
  bool good = sscanf(line, "%31s %lld %lld", name, &start, &bytes) == 3 &&
              strcmp(name, expected) == 0 && start >= 0 && bytes >= 0 && start <= end &&
              bytes <= end - start;
  *size = bytes;
  return good ? lseek(pack, start, SEEK_SET) >= 0 || error_errno(error, place->path)
              : is_damaged(place, error);
}

static bool copy_member(int to, int pack, const Place* place, Error* error) {
  int64_t size = 0;
  return seek(pack, &size, place, error) &&
         ((copy(to, pack, size) && lseek(to, 0, SEEK_SET) == 0) ||
          (errno == 0 ? is_damaged(place, error) : error_errno(error, place->path)));
}

static int open_member(const Place* place, Error* error) {
  int pack = files_open(place->path, O_RDONLY, error);
  if (pack < 0) {
    return -1;
  }
  int memory = memfd_create("packed", MFD_CLOEXEC);
  bool good = memory >= 0 ? copy_member(memory, pack, place, error)
                          : error_errno(error, place->path);
  close(pack);
  if (!good && memory >= 0) {
    close(memory);
  }
  return good ? memory : -1;
}

// Opens a file that stands by itself; -1 if it does not (*gone), or with an error.
static int open_single(const char* path, bool* gone, Error* error) {
  errno = 0;
  int single = files_open(path, O_RDONLY, error);
  *gone = single < 0 && errno == ENOENT;
  return single;
}

int pack_open(const char* path, bool* copied, Error* error) {
  Place place;
  Error problem = {0};  // where it is packed, that it does not stand by itself is no error
  bool gone;
  *copied = false;
  int file = open_single(path, &gone, &problem);
  if (gone && find(&place, copied, path, &problem) && *copied) {
    return open_member(&place, error);
  }
  if (file < 0) {
    *error = problem;
  }
  return file;
}

bool pack_hash(uint64_t* hash, const char* path, Error* error) {
  bool copied;
  int file = pack_open(path, &copied, error);
  if (file < 0) {
    return false;
  }
  bool good = files_hash_open(hash, file) || error_errno(error, path);
  close(file);
  return good;
}

// Writing -----------------------------------------------------------------------------------------

// Octal digits in a field of a header.
static void set_number(char* field, int digits, int64_t value) {
  for (int i = digits - 1; i >= 0; i--, value /= 8) {
    field[i] = (char)('0' + value % 8);
  }
}

// The block before a file (POSIX ustar): nobody's, of no time.
static bool put_header(int pack, const char* name, int64_t size) {
  char header[BLOCK + 1] = "";
  unsigned sum = 0;
  snprintf(header, 100, "%s", name);
  set_number(header + 100, 7, 0644);
  set_number(header + 108, 7, 0);
  set_number(header + 116, 7, 0);
  set_number(header + 124, 11, size);
  set_number(header + 136, 11, 0);
  memset(header + 148, ' ', 8);  // the place of the sum counts as spaces
  header[156] = '0';             // a regular file
  memcpy(header + 257, "ustar\00000", 8);
  for (int i = 0; i < BLOCK; i++) {
    sum += (unsigned char)header[i];
  }
  set_number(header + 148, 6, sum);
  header[154] = '\0';
  return files_put(pack, header, BLOCK);
}

static bool put_padding(int pack, int64_t size) {
  static const char zeros[TAIL];
  return files_put(pack, zeros, (size_t)(padded(size) - size));
}

// A file with its header, at *place; a line for the index.
static bool add_member(int pack, int64_t* place, Text* index, const char* directory, int64_t e,
                       Error* error) {
  char name[32];
  struct stat status;
  bool copied;
  member_name(name, e);
  const char* path = text_format(index->arena, "%s/%s", directory, name);
  int file = pack_open(path, &copied, error);
  if (file < 0) {
    return false;
  }
  errno = EFBIG;
  bool good = fstat(file, &status) == 0 && status.st_size <= MOST_BYTES &&
              put_header(pack, name, status.st_size) && copy(pack, file, status.st_size) &&
              put_padding(pack, status.st_size);
  good = good || (errno ? error_errno(error, path) : error_set(error, "%s: was cut off", path));
  text_add(index, "%-*s%22lld%22lld\n", LINE - 45, name, (long long)*place + BLOCK,
           (long long)status.st_size);
  *place += BLOCK + padded(status.st_size);
  close(file);
  return good;
}

static bool put_members(int pack, const char* directory, const Place* place, Arena* arena,
                        Error* error) {
  Text index;
  int64_t at = 0;
  text_init(&index, arena);
  for (int64_t e = place->range.first; e <= place->range.last; e++) {
    if (!add_member(pack, &at, &index, directory, e, error)) {
      return false;
    }
  }
  CHECK((int64_t)index.size == count_of(place->range) * LINE, "%s: lines of the index",
        place->path);
  fault_point("mid-write");
  static const char tail[TAIL];
  return (put_header(pack, INDEX_NAME, (int64_t)index.size) &&
          files_put(pack, index.bytes, index.size) && put_padding(pack, (int64_t)index.size) &&
          files_put(pack, tail, TAIL)) ||
         error_errno(error, place->path);
}

static bool write_new(const char* directory, const Place* place, Arena* arena, Error* error) {
  char temporary[FILES_PATH_SIZE];
  int pack = files_create_temporary(temporary, place->path, error);
  if (pack < 0) {
    return false;
  }
  bool good = put_members(pack, directory, place, arena, error);
  if (close(pack) != 0 && good) {
    good = error_errno(error, place->path);
  }
  if (!good) {
    unlink(temporary);
    return false;
  }
  return files_publish(temporary, place->path, false, error);
}

// Removes a file that stands by itself, and as well in the pack.
static bool remove_single(const char* path, const Place* place, Error* error) {
  Error problem = {0};
  bool gone;  // another start has removed it
  int single = open_single(path, &gone, &problem);
  if (single < 0) {
    return gone || (*error = problem, false);
  }
  int packed = open_member(place, error);
  int same = packed < 0 ? 0 : files_same(single, packed);
  if (same < 0) {
    error_errno(error, path);
  } else if (packed >= 0 && !same) {
    error_set(error, "%s: %s holds other bytes of this name; both were kept", path, place->path);
  }
  close(single);
  if (packed >= 0) {
    close(packed);
  }
  if (same > 0) {
    unlink(path);
  }
  return same > 0;
}

// The files of the pack that stand by themselves.
static bool list_singles(int64_t** singles, int* count, const char* directory, PackRange range,
                         Arena* arena, Error* error) {
  char** names;
  int all = 0;
  *count = 0;
  if (!files_list(&names, &all, directory, ".h5", arena, error)) {
    return false;
  }
  *singles = ARENA_NEW(arena, all, int64_t);
  for (int i = 0; i < all; i++) {
    int64_t e;
    int size;
    if (is_member(&e, &size, text_format(arena, "/%s", names[i])) && e >= range.first &&
        e <= range.last) {
      (*singles)[(*count)++] = e;
    }
  }
  return true;
}

static bool make_pack(const char* directory, const Place* place, Arena* arena, Error* error) {
  bool there;
  return files_make_directory(text_format(arena, "%s/packed", directory), error) &&
         files_settle(&there, place->path, error) &&
         (there || write_new(directory, place, arena, error));
}

bool pack_write(const char* directory, PackRange range, Error* error) {
  Place place = {.range = range};
  int64_t* singles;
  int count;
  Arena arena;
  arena_init(&arena);
  bool good = name_pack(&place, (int)strlen(directory), directory, error) &&
              list_singles(&singles, &count, directory, range, &arena, error) &&
              (count == 0 || make_pack(directory, &place, &arena, error));
  for (int i = 0; good && i < count; i++) {
    fault_point("before-remove");
    place.member = singles[i];
    good = remove_single(text_format(&arena, "%s/%06lld.h5", directory, (long long)singles[i]),
                         &place, error);
  }
  arena_free(&arena);
  return good;
}
