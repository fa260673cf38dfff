// lease.h - who works on what, when several processes share a run directory: lease/NAME.
//
// A lease says that its owner works on something. It lasts while the owner renews it; one that is
// not renewed for a while, or whose owner is known to be dead, may be taken over. Leases save work,
// they protect nothing: doing something twice gives the same bits. "Now" is the time that the file
// system gives to a file, so that the clocks of hosts do not matter.
#ifndef CLUSTER_LEASE_H
#define CLUSTER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/process.h"
#include "hyper/run_directory.h"

#define LEASE_NAME_SIZE 32

typedef struct {
  char directory[RUN_PATH_SIZE];  // DIR/lease
  char owner[PROCESS_TEXT_SIZE];  // this process, as written into its leases
} LeaseOffice;

void lease_office_init(LeaseOffice* office, const RunDirectory* directory);

// The name of hyper-episode e's lease.
void lease_of_episode(char name[LEASE_NAME_SIZE], int64_t hyper_episode);

// Takes a lease that nobody holds, or that was not renewed for `timeout` seconds. True: it is ours,
// now or already. Also true if no lease can be written: the work may then be done twice.
bool lease_take(const LeaseOffice* office, const char* name, double timeout);

// Renews a lease of ours.
void lease_renew(const LeaseOffice* office, const char* name);

// Gives a lease of ours back.
void lease_release(const LeaseOffice* office, const char* name);

#endif  // CLUSTER_LEASE_H
