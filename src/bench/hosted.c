#include "hosted.h"

#include "base/error.h"

// The tag of a message between rank 0 and the i-th rank that a process hosts is tag + i * TAGS.
#define TAGS 128

static bool hosted_send(Comm* comm, int rank, int tag, const void* data, size_t size) {
  const Hosted* h = comm->self;
  int worker = rank > 0 ? rank - 1 : comm->rank - 1;
  int process = rank > 0 ? 1 + worker % h->hosts : 0;
  return comm_send(h->below, process, tag + worker / h->hosts * TAGS, data, size);
}

static bool hosted_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity,
                        size_t* size) {
  const Hosted* h = comm->self;
  if (!comm_poll(h->below, rank, tag, data, capacity, size)) {
    return false;
  }
  int place = *tag / TAGS * h->hosts;
  *tag %= TAGS;
  if (h->below->rank == 0) {
    *rank += place;
  } else {
    comm->rank = h->below->rank + place;
  }
  return true;
}

static void hosted_sleep(Comm* comm, double seconds) {
  const Hosted* h = comm->self;
  comm_sleep(h->below, seconds);
}

// The workers are only simulated: they need nothing that rank 0 shares.
static void hosted_share(Comm* comm, void* data, size_t size) {
  (void)comm;
  (void)data;
  (void)size;
}

static void hosted_gather(Comm* comm, void* all, const void* own, size_t size) {
  (void)comm;
  (void)all;
  (void)own;
  CHECK(size == 0, "hosted ranks are not gathered");
}

static void hosted_abort(Comm* comm) {
  const Hosted* h = comm->self;
  comm_abort(h->below);
}

static void hosted_leave(Comm* comm, int code) {
  const Hosted* h = comm->self;
  comm_leave(h->below, code);
}

// The transport below ends by itself.
static void hosted_finalize(Comm* comm) { (void)comm; }

void hosted_init(Hosted* h, Comm* below, int workers) {
  static const CommOps ops = {hosted_send,   hosted_poll,  hosted_sleep, hosted_share,
                              hosted_gather, hosted_abort, hosted_leave, hosted_finalize};
  *h = (Hosted){.below = below, .hosts = below->ranks - 1};
  CHECK(h->hosts > 0, "%d workers, and no process that hosts them", workers);
  h->comm = (Comm){.ops = &ops,
                   .rank = below->rank,
                   .ranks = workers + 1,
                   .nap = COMM_SHORTEST_NAP,
                   .self = h};
}
