// hosted.h - many ranks in few processes, as a transport on top of another: rank 0 is a process of
// its own, and the others stand for many workers each. Only for bench_controller.c.
#ifndef BENCH_HOSTED_H
#define BENCH_HOSTED_H

#include "cluster/comm.h"

typedef struct {
  Comm comm;     // what the ranks see
  Comm* below;   // one rank a process
  int hosts;     // processes beside rank 0
} Hosted;

// Process p hosts ranks p, p + hosts, p + 2 hosts ... of `workers`. It sends as comm.rank, which a
// message that comes sets to the rank that it is for.
void hosted_init(Hosted* hosted, Comm* below, int workers);

#endif  // BENCH_HOSTED_H
