// cores.h - whether the threads of all ranks have cores of their own.
#ifndef CLUSTER_CORES_H
#define CLUSTER_CORES_H

#include "base/text.h"
#include "cluster/comm.h"

// What a rank may use.
typedef struct {
  char machine[64];       // one word, the same for all ranks of a machine
  char host[64];          // its name, for people
  int threads;            // of the rank
  unsigned char may[128];  // bit i of these: core i
} Cores;

// Of this process.
Cores cores_of_this(int threads);

// How many there are.
int cores_count(const Cores* cores);

// Appends a line for what is wrong with the cores of `ranks` ranks, of which rank 0 computes only
// if it is alone; nothing where all ranks have one thread.
void cores_judge(Text* out, const Cores* of, int ranks);

// The same of all ranks, on rank 0; every rank must come here at the start.
void cores_check(Text* out, Comm* comm, int threads);

#endif  // CLUSTER_CORES_H
