// refused.c - stands before the C library and HDF5 in a test program, and refuses their n-th call.
//
// A call counts while a scenario is under way, and if it comes from the program, or from HDF5's own reading and
// writing. All functions are one macro: a call has at most eight arguments, which are integers or pointers, and
// are handed on as they come, so no header that declares these functions may be included here. What closes or
// frees is refused behind the real call, as the kernel does it: the thing is closed, and something was lost.
#include "refused.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/archive.h"

typedef long Word;
typedef Word Function(Word, Word, Word, Word, Word, Word, Word, Word);

// What other headers declare together with functions that are refused.
int waitpid(int process, int* status, int options);
noreturn void _exit(int code);
int system(const char* command);
int dup2(int from, int to);

#define MOST_PLACES 1000

static struct {
  bool counts;
  int cause;
  long wanted, count;
  int places;
  long place[MOST_PLACES];  // the first call from each place, by each way
  uint64_t seen[MOST_PLACES];
} refused;

static Function* next(const char* name) { return (Function*)dlsym(RTLD_NEXT, name); }

// What HDF5 says of a call of its own that failed: of its disk, or nothing.
static void leave_hdf5_error(void) {
  next("H5Eclear2")(0, 0, 0, 0, 0, 0, 0, 0);
  bool disk = refused.cause == EIO;
  if (disk || refused.cause == ENOMEM) {
    const int64_t* class = dlsym(RTLD_DEFAULT, "H5E_ERR_CLS_g"),
                   *io = dlsym(RTLD_DEFAULT, disk ? "H5E_IO_g" : "H5E_RESOURCE_g"),
                   *failed = dlsym(RTLD_DEFAULT, disk ? "H5E_READERROR_g" : "H5E_NOSPACE_g");
    int (*push)(int64_t, const char*, const char*, unsigned, int64_t, int64_t, int64_t, const char*, ...) =
        (void*)next("H5Epush2");
    push(0, __FILE__, "refused", __LINE__, *class, *io, *failed, "refused");
  }
}

// Whether no call before came from the same place, by the same way.
static bool is_new_place(void) {
  void* frames[64];
  uint64_t hash = hash_bytes(HASH_START, frames, (size_t)backtrace(frames, 64) * sizeof *frames);
  for (int i = 0; i < refused.places; i++) {
    if (refused.seen[i] == hash) {
      return false;
    }
  }
  refused.seen[refused.places] = hash;
  return true;
}

static void note_place(void) {
  refused.counts = false;
  if (refused.places < MOST_PLACES && is_new_place()) {
    refused.place[refused.places++] = refused.count;
  }
  refused.counts = true;
}

bool refused_meets(const char* name, bool of_store) {
  if (!refused.counts || of_store != (refused.cause == REFUSED_STORE)) {
    return false;
  }
  refused.count++;
  if (refused.wanted == 0) {
    note_place();
  }
  if (refused.count != refused.wanted) {
    return false;
  }
  refused.counts = false;
  fprintf(stderr, "refused: %s\n", name);
  if (strncmp(name, "H5", 2) == 0) {
    leave_hdf5_error();
  }
  refused.counts = true;
  errno = refused.cause > 0 ? refused.cause : EIO;
  return true;
}

static bool meets(const char* name) { return refused_meets(name, false); }

#define PARAMETERS Word a, Word b, Word c, Word d, Word e, Word f, Word g, Word h
#define ARGUMENTS a, b, c, d, e, f, g, h
#define REFUSED(name, failed) \
  Word name(PARAMETERS) { return meets(#name) ? (Word)(failed) : next(#name)(ARGUMENTS); }
#define REFUSED_BEHIND(name)              \
  Word name(PARAMETERS) {                 \
    Word result = next(#name)(ARGUMENTS); \
    return meets(#name) ? -1 : result;    \
  }

REFUSED(access, -1)
REFUSED(connect, -1)
REFUSED(dup3, -1)
REFUSED(fcntl, -1)
REFUSED(flock, -1)
REFUSED(fstat, -1)
REFUSED(ftruncate, -1)
REFUSED(link, -1)
REFUSED(lseek, -1)
REFUSED(lstat, -1)
REFUSED(memfd_create, -1)
REFUSED(mkdir, -1)
REFUSED(mmap, -1)
REFUSED(open, -1)
REFUSED(opendir, 0)
REFUSED(pipe2, -1)
REFUSED(pread, -1)
REFUSED(pwrite, -1)
REFUSED(read, -1)
REFUSED(readdir, 0)
REFUSED(realpath, 0)
REFUSED(rmdir, -1)
REFUSED(socket, -1)
REFUSED(socketpair, -1)
REFUSED(stat, -1)
REFUSED(unlink, -1)
REFUSED(utimensat, -1)
REFUSED(write, -1)
REFUSED_BEHIND(close)

Word fsync(PARAMETERS) {  // reaches no disk, which would take most of the time
  const Word unused[] = {ARGUMENTS};
  (void)unused;
  return meets("fsync") ? -1 : 0;
}

FILE* fopen(const char* path, const char* mode) {
  return meets("fopen") ? NULL : (FILE*)next("fopen")((Word)path, (Word)mode, 0, 0, 0, 0, 0, 0);
}

int fork(void) { return meets("fork") ? -1 : (int)next("fork")(0, 0, 0, 0, 0, 0, 0, 0); }

char* mkdtemp(char* pattern) {
  return meets("mkdtemp") ? NULL : (char*)next("mkdtemp")((Word)pattern, 0, 0, 0, 0, 0, 0, 0);
}

Word pthread_create(PARAMETERS) { return meets("pthread_create") ? EAGAIN : next("pthread_create")(ARGUMENTS); }

int rename(const char* from, const char* to) {
  return meets("rename") ? -1 : (int)next("rename")((Word)from, (Word)to, 0, 0, 0, 0, 0, 0);
}

REFUSED(H5Acreate_by_name, -1)
REFUSED(H5Aexists_by_name, -1)
REFUSED(H5Aget_space, -1)
REFUSED(H5Aget_type, -1)
REFUSED(H5Aopen_by_name, -1)
REFUSED(H5Aread, -1)
REFUSED(H5Awrite, -1)
REFUSED(H5Dcreate2, -1)
REFUSED(H5Dflush, -1)
REFUSED(H5Dget_create_plist, -1)
REFUSED(H5Dget_space, -1)
REFUSED(H5Dget_storage_size, 0)
REFUSED(H5Dget_type, -1)
REFUSED(H5Dopen2, -1)
REFUSED(H5Dread, -1)
REFUSED(H5Dwrite, -1)
REFUSED(H5Fcreate, -1)
REFUSED(H5Fflush, -1)
REFUSED(H5Fget_vfd_handle, -1)
REFUSED(H5Fopen, -1)
REFUSED(H5Gcreate2, -1)
REFUSED(H5Lexists, -1)
REFUSED(H5Lvisit, -1)
REFUSED(H5Ovisit2, -1)
REFUSED(H5Pcreate, -1)
REFUSED(H5Pset_chunk, -1)
REFUSED(H5Pset_deflate, -1)
REFUSED(H5Pset_fclose_degree, -1)
REFUSED(H5Pset_file_locking, -1)
REFUSED(H5Pset_fill_time, -1)
REFUSED(H5Pset_fletcher32, -1)
REFUSED(H5Pset_obj_track_times, -1)
REFUSED(H5Pset_shuffle, -1)
REFUSED(H5Screate_simple, -1)
REFUSED(H5Sget_simple_extent_dims, -1)
REFUSED(H5Sget_simple_extent_ndims, -1)
REFUSED(H5Sget_simple_extent_npoints, -1)
REFUSED(H5Sselect_hyperslab, -1)
REFUSED(H5Tcopy, -1)
REFUSED(H5Tenum_create, -1)
REFUSED(H5Tenum_insert, -1)
REFUSED(H5Tget_class, -1)
REFUSED(H5Tset_cset, -1)
REFUSED(H5Tset_size, -1)
REFUSED_BEHIND(H5Dclose)
REFUSED_BEHIND(H5Gclose)

// Memory that the program itself asks for; HDF5 1.10 does not bear to be refused any.
extern const char __executable_start, etext;

#ifndef __SANITIZE_ADDRESS__  // it replaces them
void* __libc_malloc(size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

static bool meets_memory(const char* name, const void* caller) {
  const char* from = caller;
  return from >= &__executable_start && from < &etext && meets(name);
}

#define CALLER __builtin_return_address(0)
void* malloc(size_t size) { return meets_memory("malloc", CALLER) ? NULL : __libc_malloc(size); }

void* realloc(void* old, size_t size) {
  return meets_memory("realloc", CALLER) ? NULL : __libc_realloc(old, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return meets_memory("aligned_alloc", CALLER) ? NULL : __libc_memalign(alignment, size);
}
#endif

// In a child, whose stderr is `said`: with the n-th call refused, and n = 0 with none, to count them.
static void run_refused(Scenario* run, const char* directory, long n, FILE* said) {
  Error error = {.text = ""};
  dup2(fileno(said), 2);
  refused.wanted = n;
  refused.counts = true;
  bool good = run(directory, &error);
  refused.counts = false;
  if (n == 0) {
    fwrite(refused.place, sizeof *refused.place, (size_t)refused.places, stderr);
  } else if (!good && *error.text) {
    fprintf(stderr, "failed: %s\n", error.text);
  }
  _exit(!good);
}

// What is wrong with the n-th call refused, or NULL; `text` is what was said, `size` bytes.
static const char* problem_of(Scenario* before, Scenario* run, const char* place, long n, char* text,
                              size_t room, size_t* size) {
  char directory[64];
  Error error = {.text = ""};
  int status = -1;
  FILE* said = tmpfile();
  snprintf(directory, sizeof directory, "%s/%ld", place, n);
  assert_true(said && mkdir((Word)directory, 0777, 0, 0, 0, 0, 0, 0) == 0);
  if (before && !before(directory, &error)) {
    fail_msg("it cannot be prepared: %s", error.text);
  }
  int child = fork();
  if (child == 0) {
    run_refused(run, directory, n, said);
  }
  waitpid(child, &status, 0);
  rewind(said);
  *size = fread(text, 1, room - 1, said);
  text[*size] = '\0';
  fclose(said);
  bool told = strstr(text, "failed: ") || strstr(text, "autombpo: ");
  const char* problem = (status & 0x7f) != 0                       ? "a signal"
                        : status == 0 || (status == 0x100 && told) ? NULL
                                                                   : "it does not say why";
  if (!problem && !run(directory, &error)) {
    problem = "the same, repeated, fails";
    snprintf(text + *size, room - *size, "%s", error.text);
  }
  return problem;
}

void each_call_refused(Scenario* before, Scenario* run, int cause) {
  char directory[] = "/tmp/refused_XXXXXX", command[64], text[8192];
  long places[MOST_PLACES];
  size_t count, size;
  int wrong = 0;
  refused.cause = cause;
  assert_non_null(mkdtemp(directory));
  const char* problem = problem_of(before, run, directory, 0, (char*)places, sizeof places, &count);
  count /= sizeof *places;
#ifdef __SANITIZE_ADDRESS__
  if (!problem && count == 0) {
    remove(directory);
    skip();  // AddressSanitizer gives memory itself
  }
#endif
  if (problem || count == 0) {
    fail_msg("undisturbed: %s", problem ? problem : "no calls");
  }
  for (size_t i = 0; i < count; i++) {
    problem = problem_of(before, run, directory, places[i], text, sizeof text, &size);
    if (problem) {
      print_error("call %ld: %s:\n%s\n", places[i], problem, text);
      wrong++;
    }
  }
  snprintf(command, sizeof command, "rm -r %s", directory);
  assert_int_equal(system(command), 0);
  print_message("%zu places: %s\n", count, cause == REFUSED_STORE ? "store/" : strerror(cause));
  assert_int_equal(wrong, 0);
}
