// comm.h - MPI, and nothing else knows it: start and end, point-to-point messages, waiting.
//
// No collective is used after the start. Waiting naps between probes, because a blocked MPI call
// burns a core. Sending waits a few seconds at most, so that a dead partner stops nobody. An MPI
// error is fatal.
#ifndef CLUSTER_COMM_H
#define CLUSTER_COMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

#define COMM_MAX_MESSAGE 9216  // bytes
#define COMM_LABEL_SIZE 800
#define COMM_WHO_SIZE 80

typedef struct CommOutbox CommOutbox;

typedef struct {
  int rank;
  int ranks;
  int process;         // of MPI; the rank, unless processes host several (comm_host)
  int hosts;           // processes beside rank 0
  double nap;          // seconds of the next nap while waiting
  bool lost;           // a rank is gone: MPI_Finalize would wait for it
  CommOutbox* outbox;  // messages on their way, one a rank; a worker has only that to rank 0
  size_t outbox_bytes;
} Comm;

// Starts MPI. Refuses a launcher that started several processes which MPI cannot connect.
bool comm_init(Comm* comm, Error* error);

// For measurements: the processes beside rank 0 stand for `workers` ranks, which it tells apart.
// Process p hosts ranks p, p + hosts, p + 2 hosts ... and sends as comm->rank, which a message that
// comes sets to the rank that it is for.
void comm_host(Comm* comm, int workers);

// Ends MPI; every rank must come here. If a rank was lost: ends the process with `code` instead.
void comm_finalize(Comm* comm, int code);

// Ends this process at once, with what it has printed.
void comm_leave(int code);

// Rank 0's value on every rank: the verdict of starting up. This and the next two are the
// only collective calls.
int comm_share(int value);

// Same for a text.
void comm_share_text(char* text, size_t size);

// On rank 0: how many ranks have another label than rank 0; who ("ranks 1, 3 and 5"), and the label
// of the first of them.
int comm_compare(const Comm* comm, const char* label, char who[COMM_WHO_SIZE],
                 char other[COMM_LABEL_SIZE]);

// Writes "rank 1", "ranks 1, 3 and 5", "ranks 1, 2, 3, 4, 5, 6, 7 and 12 more".
void comm_name_ranks(char who[COMM_WHO_SIZE], const int* ranks, int count);

// Ends all ranks at once with exit code 1.
void comm_abort(void);

// Name and version of the MPI library.
const char* comm_description(void);

// False: the rank does not take messages, and must be taken for dead.
bool comm_send(Comm* comm, int rank, int tag, const void* data, size_t size);

// Takes a message if one has arrived, from any rank: its sender, tag and size; data (capacity).
bool comm_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size);

// Naps; the more often since the last message, the longer, up to 5 ms.
void comm_nap(Comm* comm);

// Waits for a message from `rank`: returns its tag.
int comm_receive(Comm* comm, int rank, void* data, size_t capacity, size_t* size);

#endif  // CLUSTER_COMM_H
