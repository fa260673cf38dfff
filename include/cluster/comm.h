// comm.h - messages between ranks, whatever carries them.
//
// A Comm is one rank's end of a transport: comm_mpi.h, or what a measurement or a test puts in its
// place (CommOps). Messages of one pair of ranks keep their order. No collective is used after
// the start. Waiting naps between polls, because a blocked call of MPI burns a core. Sending waits
// a few seconds at most, so that a dead peer stops nobody.
#ifndef CLUSTER_COMM_H
#define CLUSTER_COMM_H

#include <stdbool.h>
#include <stddef.h>

#define COMM_MAX_MESSAGE 9216  // bytes
#define COMM_LABEL_SIZE 800
#define COMM_WHO_SIZE 80
#define COMM_SHORTEST_NAP 10e-6  // seconds

typedef struct Comm Comm;

// What a transport implements: the functions of the same name below say what each does.
typedef struct {
  bool (*send)(Comm*, int rank, int tag, const void* data, size_t size);
  bool (*poll)(Comm*, int* rank, int* tag, void* data, size_t capacity, size_t* size);
  void (*sleep)(Comm*, double seconds);
  void (*share)(Comm*, void* data, size_t size);
  // Collects `own` (size) of all ranks in `all` (ranks, size), on rank 0.
  void (*gather)(Comm*, void* all, const void* own, size_t size);
  void (*abort)(Comm*);
  void (*leave)(Comm*, int code);
  void (*finalize)(Comm*);
} CommOps;

struct Comm {
  const CommOps* ops;
  int rank;
  int ranks;
  double nap;  // seconds of the next nap while waiting
  bool lost;   // a rank is gone: ending together would wait for it
  void* self;  // of the transport
};

// Ends the transport; every rank must come here. If a rank was lost: ends the process with `code`
// instead.
void comm_finalize(Comm* comm, int code);

// Ends this process at once, with what it has printed.
void comm_leave(Comm* comm, int code);

// Ends all ranks at once with exit code 1.
void comm_abort(Comm* comm);

// Rank 0's value on every rank: the verdict of starting up. This and the next three are the
// only collective calls.
int comm_share(Comm* comm, int value);

// Same for a text.
void comm_share_text(Comm* comm, char* text, size_t size);

// On rank 0: all (ranks, size) = what each rank has as `own` (size).
void comm_gather(Comm* comm, void* all, const void* own, size_t size);

// On rank 0: how many ranks have another label than rank 0; who ("ranks 1, 3 and 5"), and the label
// of the first of them.
int comm_compare(Comm* comm, const char* label, char who[COMM_WHO_SIZE],
                 char other[COMM_LABEL_SIZE]);

// Writes "rank 1", "ranks 1, 3 and 5", "ranks 1, 2, 3, 4, 5, 6, 7 and 12 more".
void comm_name_ranks(char who[COMM_WHO_SIZE], const int* ranks, int count);

// False: the rank does not take messages, and must be taken for dead.
bool comm_send(Comm* comm, int rank, int tag, const void* data, size_t size);

// Takes a message if one has arrived, from any rank: its sender, tag and size; data (capacity).
bool comm_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size);

// Naps; the more often since the last message, the longer, up to 5 ms.
void comm_nap(Comm* comm);

// Does nothing for so long.
void comm_sleep(Comm* comm, double seconds);

// Waits for a message from `rank`: returns its tag.
int comm_receive(Comm* comm, int rank, void* data, size_t capacity, size_t* size);

#endif  // CLUSTER_COMM_H
