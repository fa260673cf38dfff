// comm.h - MPI, and nothing else knows it: start and end, point-to-point messages, waiting.
//
// No collective is used after the start. Waiting naps between probes, because a blocked MPI call
// burns a core. An MPI error is fatal.
#ifndef CLUSTER_COMM_H
#define CLUSTER_COMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct {
  int rank;
  int ranks;
  double nap;  // seconds of the next nap while waiting
} Comm;

// Starts MPI. Refuses a launcher that started several processes which MPI cannot connect.
bool comm_init(Comm* comm, Error* error);

// Ends MPI; every rank must come here.
void comm_finalize(Comm* comm);

// Rank 0's value on every rank: the verdict of starting up. The only collective call.
int comm_share(int value);

// Ends all ranks at once with exit code 1.
void comm_abort(void);

// Name and version of the MPI library.
const char* comm_description(void);

void comm_send(const Comm* comm, int rank, int tag, const void* data, size_t size);

// Takes a message if one has arrived, from any rank: its sender, tag and size; data (capacity).
bool comm_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size);

// Naps; the more often since the last message, the longer, up to 5 ms.
void comm_nap(Comm* comm);

// Waits for a message from `rank`: returns its tag.
int comm_receive(Comm* comm, int rank, void* data, size_t capacity, size_t* size);

#endif  // CLUSTER_COMM_H
