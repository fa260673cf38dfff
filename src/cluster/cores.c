// cores.c - cores beside threads, at the start.
//
// Threads that have to share a core are no faster than one, and wait for each other. It comes about
// in two ways: a launcher binds each rank to one core, or there are more threads on a machine than
// cores. Each rank says what it may use (sched_getaffinity), and rank 0 adds up by machine. A run
// with one thread a rank is told nothing: there more ranks than cores is a matter of taste.
#define _GNU_SOURCE
#include "cluster/cores.h"

#include <sched.h>
#include <string.h>

#include "base/arena.h"
#include "cluster/process.h"

Cores cores_of_this(int threads) {
  Cores cores = {.threads = threads};
  Process me = process_this();
  strcpy(cores.machine, me.boot);
  strcpy(cores.host, me.host);
  cpu_set_t set;
  _Static_assert(sizeof set == sizeof cores.may, "a set of cores");
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  memcpy(cores.may, &set, sizeof set);
  return cores;
}

int cores_count(const Cores* cores) {
  int count = 0;
  for (size_t i = 0; i < sizeof cores->may; i++) {
    count += __builtin_popcount(cores->may[i]);
  }
  return count;
}

static int computes(int rank, int ranks) { return rank > 0 || ranks == 1; }

static const char* plural(int count) { return count > 1 ? "s" : ""; }

// Of ranks with fewer cores than threads the first is named.
static bool judge_binding(Text* out, const Cores* of, int ranks) {
  int first = -1, others = -1;
  for (int r = 0; r < ranks; r++) {
    if (computes(r, ranks) && cores_count(&of[r]) > 0 && cores_count(&of[r]) < of[r].threads) {
      first = first < 0 ? r : first;
      others++;
    }
  }
  if (first < 0) {
    return true;
  }
  int threads = of[first].threads, cores = cores_count(&of[first]);
  text_add(out, "autombpo: warning: run.threads=%d, but rank %d", threads, first);
  if (others > 0) {
    text_add(out, " (and %d more)", others);
  }
  text_add(out, " may use %d core%s of %s: ", cores, plural(cores), of[first].host);
  text_add(out, ranks > 1 ? "give each rank more (mpirun --bind-to none, or --map-by slot:PE=%d)\n"
                          : "expected at most as many threads\n", threads);
  return false;
}

// The ranks of one machine, of which rank `first` is the first.
static void judge_machine(Text* out, const Cores* of, int ranks, int first) {
  Cores all = {0};
  int threads = 0, most = 0, here = 0;
  for (int r = 0; r < ranks; r++) {
    bool counts = computes(r, ranks) && strcmp(of[r].machine, of[first].machine) == 0;
    for (size_t i = 0; counts && i < sizeof all.may; i++) {
      all.may[i] |= of[r].may[i];
    }
    here += counts;
    threads += counts ? of[r].threads : 0;
    most = counts && of[r].threads > most ? of[r].threads : most;
  }
  int cores = cores_count(&all);
  if (most > 1 && cores > 0 && threads > cores) {
    text_add(out,
             "autombpo: warning: run.threads=%d: %d rank%s on %s have %d threads for %d core%s: "
             "expected fewer ranks or threads\n",
             most, here, plural(here), of[first].host, threads, cores, plural(cores));
  }
}

void cores_judge(Text* out, const Cores* of, int ranks) {
  if (!judge_binding(out, of, ranks)) {
    return;
  }
  for (int r = 0; r < ranks; r++) {
    bool first = computes(r, ranks);
    for (int other = 0; first && other < r; other++) {
      first = !computes(other, ranks) || strcmp(of[other].machine, of[r].machine) != 0;
    }
    if (first) {
      judge_machine(out, of, ranks, r);
    }
  }
}

void cores_check(Text* out, Comm* comm, int threads) {
  Arena arena;
  arena_init(&arena);
  Cores own = cores_of_this(threads);
  Cores* all = ARENA_NEW(&arena, comm->rank == 0 ? comm->ranks : 0, Cores);
  comm_gather(comm, all, &own, sizeof own);
  if (comm->rank == 0) {
    cores_judge(out, all, comm->ranks);
  }
  arena_free(&arena);
}
