// files.h - small files, written so that a reader never sees half of one.
//
// A file is written under another name in its directory, synced, renamed, and the directory synced.
// Every failure names the path and its cause. Only regular files are opened: a FIFO would block, a
// device may do anything, and a symbolic link leads out of the directory of the run.
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define FILES_PATH_SIZE 1024
#define FILES_MAX_BYTES ((size_t)1 << 30)  // that files_read reads

// Opens the regular file `path` (flags as of open(2)); whatever else has that name is refused. -1:
// failed.
int files_open(const char* path, int flags, Error* error);

// Refuses what is no regular file; nothing at all is fine.
bool files_check(const char* path, Error* error);

// What a path that somebody named leads to: symbolic links are theirs to use.
const char* files_target(char out[FILES_PATH_SIZE], const char* path);

// Reads `size` bytes, or those up to the end; returns how many, -1 with errno on failure.
int64_t files_take(int descriptor, void* bytes, size_t size);

// Writes all bytes, also when the system takes them in parts; false with errno on failure.
bool files_put(int descriptor, const void* bytes, size_t size);

// Names that no other process uses: PATH.HOST-PID-N.tmp, N = attempt.
bool files_temporary(char out[FILES_PATH_SIZE], const char* path, int attempt, Error* error);

// Makes such a file, empty, and opens it for writing. -1: failed.
int files_create_temporary(char out[FILES_PATH_SIZE], const char* path, Error* error);

// Names `temporary` also `path`, atomically, unless another file has that name: an error, or fine
// if it has the same bytes.
bool files_link(const char* temporary, const char* path, Error* error);

// Syncs `temporary`, gives it the name `path` and syncs the directory; on failure removes it.
// replace = false: an existing `path` is kept; that is a success if both have the same bytes (the
// work was done twice) or if `temporary` was swept away (files_was_swept), else an error.
bool files_publish(const char* temporary, const char* path, bool replace, Error* error);

// Makes the bytes of a file, or the names in a directory, last.
bool files_sync(const char* path, Error* error);

// Makes the name of a file last.
bool files_sync_parent(const char* path, Error* error);

// Whether somebody who took this process for dead has done its work: `path` stands, and `temporary`
// was removed as its remainder.
bool files_was_swept(const char* temporary, const char* path);

// Replaces `path` by `size` bytes, at once.
bool files_write(const char* path, const void* bytes, size_t size, Error* error);

// Makes `path` of `size` bytes, at once; one that stands by then is kept, whatever it holds.
bool files_write_first(const char* path, const void* bytes, size_t size, Error* error);

// Whether files_write could write this file, to be asked before work that would be lost.
bool files_check_output(const char* path, Error* error);

// Appends one line (a newline is added) in one write, so that lines never mix, nor with one that
// was cut off.
bool files_append_line(const char* path, const char* line, Error* error);

// Makes a directory and its parents, and their names last; one that exists is fine.
bool files_make_directory(const char* path, Error* error);

// Whether there is anything of this name; false where the disk does not tell.
bool files_look(bool* there, const char* path, Error* error);

// The same, and that what is there will be after a loss of power: who gave it its name may have
// died before that was synced. To be asked before what could make it again is removed.
bool files_settle(bool* there, const char* path, Error* error);

// Whether there is anything of this name. Where the disk does not tell, there may be: who opens it
// hears why.
bool files_exists(const char* path);

// Whether it is there for sure, so that it need not be made.
bool files_stands(const char* path);

// Reads a whole file, terminated by an extra zero byte.
bool files_read(char** bytes, size_t* size, const char* path, Arena* arena, Error* error);

// The start of a small file, as text; of one that cannot be read nothing.
#define FILES_START_SIZE 4096
void files_read_start(char text[FILES_START_SIZE], const char* path);

// Names in a directory in ascending byte order, without . and ..; those that end in `suffix`.
bool files_list(char*** names, int* count, const char* path, const char* suffix, Arena* arena,
                Error* error);

// Hash of a file's bytes (HASH_START, hash_bytes).
bool files_hash(uint64_t* hash, const char* path, Error* error);

// The same of what is left of an open file; false with errno on failure.
bool files_hash_open(uint64_t* hash, int descriptor);

// Whether what is left of two open files is the same; -1 with errno on failure.
int files_same(int first, int second);

#endif  // STORE_FILES_H
