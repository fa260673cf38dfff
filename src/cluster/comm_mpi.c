// comm_mpi.c - MPI as this program uses it: non-blocking messages, and short sleeps in between.
//
// Each peer has an outbox of one message. A send is an MPI_Isend from there, which is waited
// for, but for seconds at most: a rank that is dead never takes it, and then the caller is told
// instead of stuck. Receiving is a probe for anything from anybody. Between probes the process
// sleeps, longer and longer until something happens: a blocking call of MPI would burn the core
// that a worker could use.
//
// When a rank was lost, MPI_Finalize may wait for it for ever; leave ends the process without it.
// Much of the rest recognises a launcher that started N copies which each believe to be alone: N
// runs in one directory would be worse than an error.
#include "cluster/comm_mpi.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

// How long a rank may take to accept a message of ours. One that lives does so at once.
#define SEND_PATIENCE 5.0

// Open MPI sees a message that has already arrived only at the second probe.
#define PROBES_PER_POLL 3

typedef struct {
  MPI_Request request;
  bool pending;
  char bytes[COMM_MAX_MESSAGE];
} Outbox;

// A call that fails is the world's doing, and may succeed when the command is given again. What it
// means can only be asked between MPI_Init and MPI_Finalize: elsewhere Open MPI aborts.
static void check(int code, const char* call) {
  if (code == MPI_SUCCESS) {
    return;
  }
  char text[MPI_MAX_ERROR_STRING] = "it failed";
  int begun = 0, ended = 0, length;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  if (begun && !ended) {
    MPI_Error_string(code, text, &length);
  }
  error_exit("%s: %s (%d)", call, text, code);
}

static void abort_all(void) {
  fflush(NULL);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static void mpi_abort(Comm* comm) {
  (void)comm;
  abort_all();
}

static void mpi_leave(Comm* comm, int code) {
  (void)comm;
  bool written = fflush(NULL) == 0;
  _exit(written || code != 0 ? code : 1);
}

static int environment_int(const char* name) {
  const char* text = getenv(name);
  return text ? atoi(text) : 0;
}

bool comm_mpi_is_launched(void) {
  return getenv("PMIX_RANK") || getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_RANK");
}

// srun without a PMI that this MPI understands starts N copies that each believe to be alone.
static bool check_launcher(Error* error) {
  if (environment_int("SLURM_STEP_NUM_TASKS") > 1 && !comm_mpi_is_launched()) {
    return error_set(error,
                     "srun started %d tasks that MPI cannot connect: each would be a run of its "
                     "own. Use `srun --mpi=pmix autombpo ...` or, in the batch script, "
                     "`mpirun autombpo ...`",
                     environment_int("SLURM_STEP_NUM_TASKS"));
  }
  return true;
}

const char* comm_mpi_description(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(text, &length);
  text[strcspn(text, ",\n")] = '\0';
  return text;
}

static bool check_size(int ranks, Error* error) {
  static const char* const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (ranks == 1 && environment_int(names[i]) > 1) {
      return error_set(error,
                       "the launcher says %s=%d, but MPI sees one rank: each process would be a "
                       "run of its own. Start with the mpirun of the MPI that this program was "
                       "built with (%s), or with `srun --mpi=pmix`",
                       names[i], environment_int(names[i]), comm_mpi_description());
    }
  }
  return true;
}

static bool sent(Outbox* box) {
  int done = 1;
  if (box->pending) {
    check(MPI_Test(&box->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    box->pending = !done;
  }
  return done;
}

static bool mpi_send(Comm* comm, int rank, int tag, const void* data, size_t size) {
  Outbox* box = (Outbox*)comm->self + rank;
  if (!sent(box)) {
    return false;
  }
  if (size > 0) {
    memcpy(box->bytes, data, size);
  }
  check(MPI_Isend(box->bytes, (int)size, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &box->request),
        "MPI_Isend");
  box->pending = true;
  for (double waited = 0; !sent(box); waited += comm->nap) {
    if (waited > SEND_PATIENCE) {
      return false;
    }
    comm_nap(comm);
  }
  return true;
}

static bool probe(MPI_Status* status) {
  int found = 0;
  for (int i = 0; i < PROBES_PER_POLL && !found; i++) {
    check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, status), "MPI_Iprobe");
  }
  return found;
}

static bool mpi_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  (void)comm;
  MPI_Status status;
  if (!probe(&status)) {
    return false;
  }
  int count;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  CHECK(count >= 0 && (size_t)count <= capacity, "message of %d bytes, expected at most %zu", count,
        capacity);
  *rank = status.MPI_SOURCE;
  *tag = status.MPI_TAG;
  *size = (size_t)count;
  check(MPI_Recv(data, count, MPI_BYTE, *rank, *tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
        "MPI_Recv");
  return true;
}

static void mpi_sleep(Comm* comm, double seconds) {
  (void)comm;
  struct timespec time = {.tv_sec = (time_t)seconds};
  time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
  nanosleep(&time, NULL);
}

static void mpi_share(Comm* comm, void* data, size_t size) {
  (void)comm;
  check(MPI_Bcast(data, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast");
}

static void mpi_gather(Comm* comm, void* all, const void* own, size_t size) {
  (void)comm;
  int count = (int)size;
  check(MPI_Gather(own, count, MPI_BYTE, all, count, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Gather");
}

// Reserved, because of a box for the longest message only what is sent takes memory; a worker has
// only that to rank 0.
static size_t outbox_bytes(const Comm* comm) {
  return (size_t)(comm->rank == 0 ? comm->ranks : 1) * sizeof(Outbox);
}

static void mpi_finalize(Comm* comm) {
  error_set_fatal_hook(NULL);
  check(MPI_Finalize(), "MPI_Finalize");
  memory_unreserve(comm->self, outbox_bytes(comm));
}

bool comm_mpi_init(Comm* comm, Error* error) {
  static const CommOps ops = {mpi_send,   mpi_poll,  mpi_sleep, mpi_share,
                              mpi_gather, mpi_abort, mpi_leave, mpi_finalize};
  if (!check_launcher(error)) {
    return false;
  }
  if (!comm_mpi_is_launched()) {
    // alone it needs no daemon of Open MPI beside it, which could outlive it, nor directories of
    // that daemon, which processes that begin and end at the same time would share
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
  }
  check(MPI_Init(NULL, NULL), "MPI_Init");
  error_set_fatal_hook(abort_all);
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  *comm = (Comm){.ops = &ops, .nap = COMM_SHORTEST_NAP};
  check(MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &comm->ranks), "MPI_Comm_size");
  comm->self = memory_reserve(outbox_bytes(comm));
  if (!check_size(comm->ranks, error)) {
    MPI_Finalize();
    return false;
  }
  return true;
}
