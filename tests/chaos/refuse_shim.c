// refuse_shim.c - preloaded into autombpo by `refuse`: the n-th call of one kind fails.
//
// REFUSE_KIND  memory (malloc and the like, of the program), memory-LIBRARY (of that library:
//              libc, hdf5, yaml, mujoco), mmap, flock, fork, posix_spawnp, pipe2, or the name of a
//              call of MPI
// REFUSE_AT    which call fails, from 1; 0: none
// REFUSE_PLACE instead: the first call from this place fails
// REFUSE_DEPTH how many callers make up a place, each the caller of the one before
// REFUSE_RANK  of which rank; unset: of any
// REFUSE_MET   a file that gets the name of the call that failed, and of the library that made it
// REFUSE_COUNT a file that gets the number of such calls at the end, and then all places
//
// A place is a hash of addresses, which two processes have in common only where nothing is laid out at
// random (setarch -R). Whose a call is, is told by the address that it returns to. A call of MPI that
// fails does nothing, and returns MPI_ERR_OTHER; MPI_Finalize fails behind the real one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <mpi.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
  const char* kind;  // NULL: not begun
  const char* library;
  const char* met;
  const char* counts;
  long at;
  uint64_t place;
  size_t depth;
} refuse;
static atomic_long count;
static _Thread_local bool inside;  // a call of MPI or of this library, whose memory is its own

#define DEEPEST 64
#define PLACES ((size_t)1 << 16)  // several times as many as any run has
static _Atomic uint64_t places[PLACES];

// The file that an address is in, or "".
static const char* library_of(const void* address) {
  Dl_info info;
  return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

// Says whose code a crash is in, or calls that of libc that it is in; then it takes its course.
static void crash(int number) {
  void* frames[16];
  int size = backtrace(frames, 16), i = 0;
  while (i < size - 1 && (strstr(library_of(frames[i]), "refuse_shim") ||
                          strstr(library_of(frames[i]), "/libc."))) {
    i++;
  }
  fprintf(stderr, "crashed in %s\n", library_of(frames[i]));
  signal(number, SIG_DFL);
  raise(number);
}

#define CALLER __builtin_return_address(0)
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

void exit(int code) {
  if (refuse.kind && (code & 255) == 255) {  // HDF5 does
    fprintf(stderr, "crashed in %s\n", library_of(CALLER));
  }
  NEXT(exit)(code);
  __builtin_unreachable();
}

__attribute__((constructor)) static void begin(void) {
  const char* at = getenv("REFUSE_AT");
  const char* rank = getenv("REFUSE_RANK");
  const char* own = getenv("OMPI_COMM_WORLD_RANK");
  const char* kind = getenv("REFUSE_KIND");
  const char* place = getenv("REFUSE_PLACE");
  const char* depth = getenv("REFUSE_DEPTH");
  if (!kind || !strstr(program_invocation_short_name, "autombpo")) {
    return;
  }
  bool ours = !rank || strcmp(rank, own ? own : "0") == 0;
  refuse.met = getenv("REFUSE_MET");
  refuse.library = strncmp(kind, "memory-", 7) == 0 ? kind + 7 : "";
  refuse.counts = ours ? getenv("REFUSE_COUNT") : NULL;
  refuse.at = at && ours ? atol(at) : 0;
  refuse.place = place && ours ? strtoull(place, NULL, 10) : 0;
  refuse.depth = depth ? strtoul(depth, NULL, 10) : DEEPEST;
  // HDF5 calls itself without end, too, until there is no stack
  static char stack[1 << 16];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  const struct sigaction tell = {.sa_handler = crash, .sa_flags = SA_ONSTACK};
  sigaction(SIGSEGV, &tell, NULL);
  sigaction(SIGBUS, &tell, NULL);
  sigaction(SIGABRT, &tell, NULL);  // the C library does where HDF5 has freed something twice
  refuse.kind = strdup(kind);
  unsetenv("REFUSE_KIND");  // it is not for children
}

// From where a call came: of the addresses that it and its callers return to; never 0.
static uint64_t place_of(const void* caller) {
  void* frames[DEEPEST];
  uint64_t hash = 14695981039346656037u;
  inside = true;
  size_t size = (size_t)backtrace(frames, DEEPEST), i = 0;
  inside = false;
  while (i < size && frames[i] != caller) {
    i++;
  }
  size = i + refuse.depth < size ? i + refuse.depth : size;
  for (; i < size; i++) {
    hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
    hash ^= hash >> 29;
  }
  return hash | 1;
}

static void note_place(uint64_t place) {
  uint64_t there = 0;
  size_t at = (place >> 1) % PLACES;
  while (!atomic_compare_exchange_strong(&places[at], &there, place) && there != place) {
    at = (at + 1) % PLACES;
    there = 0;
  }
}

static void tell(const char* path, const char* line, int size) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644) : -1;
  if (file >= 0) {
    syscall(SYS_write, file, line, (size_t)size);
    syscall(SYS_close, file);
  }
}

__attribute__((destructor)) static void end(void) {
  char line[32];
  tell(refuse.counts, line, snprintf(line, sizeof line, "%ld\n", (long)count));
  for (size_t i = 0; refuse.counts && i < PLACES; i++) {
    if (places[i]) {
      tell(refuse.counts, line, snprintf(line, sizeof line, "%lu\n", places[i]));
    }
  }
}

// Whether a call of this kind is the one to fail; says which it is.
static bool count_one(const char* call, const char* library, const void* caller) {
  static atomic_bool refused;
  char line[512];
  bool met = atomic_fetch_add(&count, 1) + 1 == refuse.at;
  if (refuse.counts) {
    note_place(place_of(caller));
  } else if (refuse.place && !refused) {
    met = place_of(caller) == refuse.place && !atomic_exchange(&refused, true);
  }
  if (met) {
    tell(refuse.met, line, snprintf(line, sizeof line, "%s of %s\n", call, library));
  }
  return met;
}

static bool meets(const char* call, const void* caller) {
  return refuse.kind && strcmp(refuse.kind, call) == 0 &&
         count_one(call, library_of(caller), caller);
}

static bool meets_memory(const char* call, const void* caller) {
  if (!refuse.kind || inside || strncmp(refuse.kind, "memory", 6) != 0) {
    return false;
  }
  const char* library = library_of(caller);
  const char* name = strrchr(library, '/') ? strrchr(library, '/') + 1 : library;
  const char* wanted = *refuse.library ? refuse.library : "autombpo";
  bool ours = strstr(name, wanted) != NULL;
  return ours && count_one(call, name, caller);
}

static void* none(void) {
  errno = ENOMEM;
  return NULL;
}

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t number, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) { return meets_memory("malloc", CALLER) ? none() : __libc_malloc(size); }

void* calloc(size_t number, size_t size) {
  return meets_memory("calloc", CALLER) ? none() : __libc_calloc(number, size);
}

void* realloc(void* old, size_t size) {
  return meets_memory("realloc", CALLER) ? none() : __libc_realloc(old, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return meets_memory("aligned_alloc", CALLER) ? none() : __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = meets_memory("posix_memalign", CALLER) ? NULL : __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

#define REFUSED(type, failed, cause, name, parameters, arguments) \
  type name parameters { \
    if (meets(#name, CALLER)) { \
      errno = cause; \
      return failed; \
    } \
    return NEXT(name) arguments; \
  }
REFUSED(int, -1, ENOLCK, flock, (int file, int operation), (file, operation))
REFUSED(pid_t, -1, EAGAIN, fork, (void), ())
REFUSED(int, -1, EMFILE, pipe2, (int ends[2], int flags), (ends, flags))
REFUSED(int, EAGAIN, EAGAIN, posix_spawnp,
        (pid_t* process, const char* file, const posix_spawn_file_actions_t* actions,
         const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]),
        (process, file, actions, attributes, arguments, environment))
REFUSED(void*, MAP_FAILED, ENOMEM, mmap,
        (void* address, size_t size, int rights, int flags, int file, off_t at),
        (address, size, rights, flags, file, at))

#define OF_MPI(name, parameters, arguments) \
  int name parameters { \
    inside = true; \
    int code = meets(#name, CALLER) ? MPI_ERR_OTHER : P##name arguments; \
    inside = false; \
    return code; \
  }
OF_MPI(MPI_Init, (int* argc, char*** argv), (argc, argv))
OF_MPI(MPI_Comm_rank, (MPI_Comm comm, int* rank), (comm, rank))
OF_MPI(MPI_Comm_size, (MPI_Comm comm, int* size), (comm, size))
OF_MPI(MPI_Isend, (const void* data, int size, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                   MPI_Request* request), (data, size, type, to, tag, comm, request))
OF_MPI(MPI_Test, (MPI_Request* request, int* done, MPI_Status* status), (request, done, status))
OF_MPI(MPI_Iprobe, (int from, int tag, MPI_Comm comm, int* found, MPI_Status* status),
       (from, tag, comm, found, status))
OF_MPI(MPI_Get_count, (const MPI_Status* status, MPI_Datatype type, int* size),
       (status, type, size))
OF_MPI(MPI_Recv, (void* data, int size, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                  MPI_Status* status), (data, size, type, from, tag, comm, status))
OF_MPI(MPI_Bcast, (void* data, int size, MPI_Datatype type, int root, MPI_Comm comm),
       (data, size, type, root, comm))
OF_MPI(MPI_Gather, (const void* own, int size, MPI_Datatype type, void* all, int each,
                    MPI_Datatype of, int root, MPI_Comm comm),
       (own, size, type, all, each, of, root, comm))

int MPI_Finalize(void) {
  inside = true;
  int code = PMPI_Finalize();
  inside = false;
  return meets("MPI_Finalize", CALLER) ? MPI_ERR_OTHER : code;
}
