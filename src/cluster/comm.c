// comm.c - MPI as this program uses it: non-blocking messages, and short sleeps in between.
//
// Each partner has an outbox of one message. A send is an MPI_Isend from there, which is waited
// for, but for seconds at most: a rank that is dead never takes it, and then the caller is told
// instead of stuck. Receiving is a probe for anything from anybody. Between probes the process
// sleeps, longer and longer until something happens: a blocking call of MPI would burn the core
// that a worker could use.
//
// When a rank was lost, MPI_Finalize may wait for it for ever; comm_leave ends the process without
// it. Much of the rest recognises a launcher that started N copies which each believe to be alone:
// N runs in one directory would be worse than an error.
#include "cluster/comm.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHORTEST_NAP 10e-6
#define LONGEST_NAP 5e-3

// How long a rank may take to accept a message of ours. One that lives does so at once.
#define SEND_PATIENCE 5.0

// Ranks that a message names at most.
#define MOST_NAMED 8

struct CommOutbox {
  MPI_Request request;
  bool pending;
  char bytes[COMM_MAX_MESSAGE];
};

// The tag of a message between rank 0 and the i-th rank that a process hosts is tag + i * TAGS.
#define TAGS 128

// Open MPI sees a message that has already arrived only at the second probe.
#define PROBES_PER_POLL 3

static void check(int code, const char* call) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length;
  if (code != MPI_SUCCESS) {
    MPI_Error_string(code, text, &length);
  }
  CHECK(code == MPI_SUCCESS, "%s: %s", call, text);
}

void comm_abort(void) {
  fflush(NULL);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

void comm_leave(int code) {
  bool written = fflush(NULL) == 0;
  _exit(written || code != 0 ? code : 1);
}

static int environment_int(const char* name) {
  const char* text = getenv(name);
  return text ? atoi(text) : 0;
}

// Whether a launcher that MPI understands has started this process.
static bool is_launched(void) {
  return getenv("PMIX_RANK") || getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_RANK");
}

// srun without a PMI that this MPI understands starts N copies that each believe to be alone.
static bool check_launcher(Error* error) {
  if (environment_int("SLURM_STEP_NUM_TASKS") > 1 && !is_launched()) {
    return error_set(error,
                     "srun started %d tasks that MPI cannot connect: each would be a run of its "
                     "own. Use `srun --mpi=pmix autombpo ...` or, in the batch script, "
                     "`mpirun autombpo ...`",
                     environment_int("SLURM_STEP_NUM_TASKS"));
  }
  return true;
}

static bool check_size(int ranks, Error* error) {
  static const char* const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (ranks == 1 && environment_int(names[i]) > 1) {
      return error_set(error,
                       "the launcher says %s=%d, but MPI sees one rank: each process would be a "
                       "run of its own. Start with the mpirun of the MPI that this program was "
                       "built with (%s), or with `srun --mpi=pmix`",
                       names[i], environment_int(names[i]), comm_description());
    }
  }
  return true;
}

// Reserved, because of a box for the longest message only what is sent takes memory.
static void make_outbox(Comm* comm) {
  if (comm->outbox) {
    memory_unreserve(comm->outbox, comm->outbox_bytes);
  }
  comm->outbox_bytes = (size_t)(comm->rank == 0 ? comm->ranks : 1) * sizeof(CommOutbox);
  comm->outbox = memory_reserve(comm->outbox_bytes);
}

bool comm_init(Comm* comm, Error* error) {
  if (!check_launcher(error)) {
    return false;
  }
  if (!is_launched()) {
    // alone it needs no daemon of Open MPI beside it, which could outlive it, nor directories of
    // that daemon, which processes that begin and end at the same time would share
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
  }
  check(MPI_Init(NULL, NULL), "MPI_Init");
  error_set_fatal_hook(comm_abort);
  check(MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &comm->ranks), "MPI_Comm_size");
  comm->process = comm->rank;
  comm->hosts = comm->ranks - 1;
  comm->nap = SHORTEST_NAP;
  comm->lost = false;
  comm->outbox = NULL;
  make_outbox(comm);
  if (!check_size(comm->ranks, error)) {
    MPI_Finalize();
    return false;
  }
  return true;
}

void comm_host(Comm* comm, int workers) {
  int* largest;
  int found;
  MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &largest, &found);
  CHECK(comm->hosts > 0 && found && workers / comm->hosts < *largest / TAGS - 1,
        "%d workers in %d processes", workers, comm->hosts);
  comm->ranks = workers + 1;
  make_outbox(comm);
}

void comm_finalize(Comm* comm, int code) {
  if (comm->lost) {
    comm_leave(code);
  }
  error_set_fatal_hook(NULL);
  check(MPI_Finalize(), "MPI_Finalize");
  memory_unreserve(comm->outbox, comm->outbox_bytes);
}

int comm_share(int value) {
  check(MPI_Bcast(&value, 1, MPI_INT, 0, MPI_COMM_WORLD), "MPI_Bcast");
  return value;
}

void comm_share_text(char* text, size_t size) {
  check(MPI_Bcast(text, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast");
}

void comm_name_ranks(char who[COMM_WHO_SIZE], const int* ranks, int count) {
  int named = count > MOST_NAMED ? MOST_NAMED - 1 : count;
  size_t used = (size_t)snprintf(who, COMM_WHO_SIZE, count == 1 ? "rank" : "ranks");
  for (int i = 0; i < named; i++) {
    const char* mark = i == 0 ? "" : i + 1 < count ? "," : " and";
    used += (size_t)snprintf(who + used, COMM_WHO_SIZE - used, "%s %d", mark, ranks[i]);
  }
  if (named < count) {
    snprintf(who + used, COMM_WHO_SIZE - used, " and %d more", count - named);
  }
}

int comm_compare(const Comm* comm, const char* label, char who[COMM_WHO_SIZE],
                 char other[COMM_LABEL_SIZE]) {
  char own[COMM_LABEL_SIZE] = "";
  Arena arena;
  arena_init(&arena);
  snprintf(own, sizeof own, "%s", label);
  char* all = ARENA_NEW(&arena, (comm->rank == 0 ? comm->ranks : 0) * COMM_LABEL_SIZE, char);
  check(MPI_Gather(own, COMM_LABEL_SIZE, MPI_BYTE, all, COMM_LABEL_SIZE, MPI_BYTE, 0,
                   MPI_COMM_WORLD),
        "MPI_Gather");
  int* ranks = ARENA_NEW(&arena, comm->ranks, int);
  int count = 0;
  for (int r = 1; comm->rank == 0 && r < comm->ranks; r++) {
    if (memcmp(own, all + r * COMM_LABEL_SIZE, COMM_LABEL_SIZE) != 0) {
      ranks[count++] = r;
    }
  }
  if (count > 0) {
    memcpy(other, all + ranks[0] * COMM_LABEL_SIZE, COMM_LABEL_SIZE);
    comm_name_ranks(who, ranks, count);
  }
  arena_free(&arena);
  return count;
}

const char* comm_description(void) {
  static char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(text, &length);
  text[strcspn(text, ",\n")] = '\0';
  return text;
}

static bool sent(CommOutbox* box) {
  int done = 1;
  if (box->pending) {
    check(MPI_Test(&box->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    box->pending = !done;
  }
  return done;
}

bool comm_send(Comm* comm, int rank, int tag, const void* data, size_t size) {
  CommOutbox* box = &comm->outbox[rank];
  int worker = rank > 0 ? rank - 1 : comm->rank - 1;
  int process = rank > 0 ? 1 + worker % comm->hosts : 0;
  CHECK(size <= COMM_MAX_MESSAGE, "message of %zu bytes, at most %d", size, COMM_MAX_MESSAGE);
  if (!sent(box)) {
    return false;
  }
  if (size > 0) {
    memcpy(box->bytes, data, size);
  }
  check(MPI_Isend(box->bytes, (int)size, MPI_BYTE, process, tag + worker / comm->hosts * TAGS,
                  MPI_COMM_WORLD, &box->request),
        "MPI_Isend");
  box->pending = true;
  comm->nap = SHORTEST_NAP;
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

bool comm_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  MPI_Status status;
  if (!probe(&status)) {
    return false;
  }
  int count;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  CHECK(count >= 0 && (size_t)count <= capacity, "message of %d bytes, expected at most %zu", count,
        capacity);
  check(MPI_Recv(data, count, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE),
        "MPI_Recv");
  int hosted = status.MPI_TAG / TAGS * comm->hosts;
  *rank = comm->process == 0 ? status.MPI_SOURCE + hosted : 0;
  *tag = status.MPI_TAG % TAGS;
  comm->rank = comm->process == 0 ? 0 : comm->process + hosted;
  *size = (size_t)count;
  comm->nap = SHORTEST_NAP;
  return true;
}

void comm_nap(Comm* comm) {
  struct timespec nap = {0, (long)(comm->nap * 1e9)};
  nanosleep(&nap, NULL);
  comm->nap = comm->nap * 1.5 < LONGEST_NAP ? comm->nap * 1.5 : LONGEST_NAP;
}

int comm_receive(Comm* comm, int rank, void* data, size_t capacity, size_t* size) {
  int from, tag;
  while (!comm_poll(comm, &from, &tag, data, capacity, size)) {
    comm_nap(comm);
  }
  CHECK(from == rank, "message from rank %d, expected one from %d", from, rank);
  return tag;
}
