// lease.h - who works on what, when several processes share a run directory: lease/NAME.
//
// A lease says that its owner works on something. It lasts while the owner renews all that it has,
// by one call; one that does not change for a while, or whose owner is known to be dead, may be
// taken over. Leases save work, they protect nothing: doing something twice gives the same bits.
// Who waits measures with its own clock how long it has seen no change: what time a lease carries,
// in whose clock, does not matter.
#ifndef CLUSTER_LEASE_H
#define CLUSTER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/process.h"
#include "hyper/run_directory.h"

#define LEASE_NAME_SIZE 32
#define LEASE_TEXT_SIZE 256

typedef struct {
  char directory[RUN_PATH_SIZE];  // DIR/lease
  char owner[PROCESS_TEXT_SIZE];  // this process, as written into its leases
} Leases;

// What was last seen of somebody else's lease, and since when; zero to begin with.
typedef struct {
  uint64_t state;
  double since;
} LeaseWatch;

void leases_init(Leases* leases, const RunDirectory* directory);

// The lease of who writes status.json.
#define LEASE_STATUS "status"

// The name of hyper-episode e's lease.
void lease_of_episode(char name[LEASE_NAME_SIZE], int64_t hyper_episode);

// Takes a lease that nobody holds, or that was not seen to change for `timeout` seconds. True: it
// is ours, now or already. Also true if none can be written: the work may then be done twice.
bool lease_take(const Leases* leases, const char* name, LeaseWatch* watch, double timeout);

// "process 4711 on HOST, which has not renewed it for 5 s": who holds a lease, for people. False:
// nobody does.
bool lease_describe(char out[LEASE_TEXT_SIZE], const Leases* leases, const char* name,
                    const LeaseWatch* watch);

// Who holds a lease. False: nobody, or nobody knows.
bool lease_holder(Process* owner, const Leases* leases, const char* name);

// Renews all leases of ours; to be called before the first is taken, too.
void leases_renew(const Leases* leases);

// When all are given back.
void leases_end(const Leases* leases);

// Whether no other process that has leases here lives: each that is left is known to be dead, or
// has not renewed them for `timeout` seconds. Here the times that files carry matter: where clocks
// differ, one that lives may be missed. Also false if the disk does not tell.
bool leases_are_last(const Leases* leases, double timeout);

// Gives a lease of ours back.
void lease_release(const Leases* leases, const char* name);

#endif  // CLUSTER_LEASE_H
