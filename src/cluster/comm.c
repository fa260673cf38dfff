// comm.c - what is the same for every transport.
//
// Naps grow from microseconds to milliseconds until a message comes or goes: the first answer after
// a wait is quick, and a long wait costs nothing. The collective calls of a transport are a
// broadcast and a gather; what the start needs is made of them here, so that a transport stays a
// handful of functions.
#include "cluster/comm.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

#define LONGEST_NAP 5e-3

// Ranks that a message names at most.
#define MOST_NAMED 8

void comm_finalize(Comm* comm, int code) {
  if (comm->lost) {
    comm_leave(comm, code);
  }
  comm->ops->finalize(comm);
}

void comm_leave(Comm* comm, int code) { comm->ops->leave(comm, code); }

void comm_abort(Comm* comm) { comm->ops->abort(comm); }

int comm_share(Comm* comm, int value) {
  comm->ops->share(comm, &value, sizeof value);
  return value;
}

void comm_share_text(Comm* comm, char* text, size_t size) { comm->ops->share(comm, text, size); }

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

void comm_gather(Comm* comm, void* all, const void* own, size_t size) {
  comm->ops->gather(comm, all, own, size);
}

int comm_compare(Comm* comm, const char* label, char who[COMM_WHO_SIZE],
                 char other[COMM_LABEL_SIZE]) {
  char own[COMM_LABEL_SIZE] = "";
  Arena arena;
  arena_init(&arena);
  snprintf(own, sizeof own, "%s", label);
  char* all = ARENA_NEW(&arena, (comm->rank == 0 ? comm->ranks : 0) * COMM_LABEL_SIZE, char);
  comm_gather(comm, all, own, COMM_LABEL_SIZE);
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

bool comm_send(Comm* comm, int rank, int tag, const void* data, size_t size) {
  CHECK(size <= COMM_MAX_MESSAGE, "message of %zu bytes, at most %d", size, COMM_MAX_MESSAGE);
  comm->nap = COMM_SHORTEST_NAP;
  return comm->ops->send(comm, rank, tag, data, size);
}

bool comm_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  bool found = comm->ops->poll(comm, rank, tag, data, capacity, size);
  comm->nap = found ? COMM_SHORTEST_NAP : comm->nap;
  return found;
}

void comm_sleep(Comm* comm, double seconds) { comm->ops->sleep(comm, seconds); }

void comm_nap(Comm* comm) {
  comm_sleep(comm, comm->nap);
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
