// rank0.c - what rank 0 does besides answering, with or without other ranks.
//
// Whoever answers workers (serve.c, local_link.c) calls rank0_tick and rank0_look in between: renew
// leases, write status, look for what other starts have sealed, ask for a stop when the deadline
// comes near. None of it asks more of the file system the more workers there are, because they may
// be waiting for an answer.
//
// The margin before the deadline is measured, not configured: twice what the longest checkpoint and
// the longest way to a safe point took so far. An error of whoever decides does not end the run at
// once: rank0_fail asks all ranks to save, and the error is reported when they have.
#include "rank0.h"

#include <math.h>

#include "base/stopwatch.h"
#include "cluster/stop.h"

// Saving begins this many times the longest checkpoint and the longest way to a safe point before
// the deadline.
#define DEADLINE_MARGIN 2.0

// How long the silent owner of the lease on status.json keeps it.
#define STATUS_TIMEOUT 60.0
#define RENEWALS 8  // within lease_timeout
#define LONGEST_RENEWAL 10.0

// Whether the run directory is there; renews all leases, and takes that on its status.
static bool renew_leases(Rank0* r, Error* error) {
  char path[RUN_PATH_SIZE];
  const Leases* leases = &r->coordinator.leases;
  run_file(path, r->coordinator.directory, "lease");
  if (!files_exists(path)) {
    return error_set(error,
                     "%s: the run directory has vanished, or is not mounted any more; what "
                     "it held cannot be continued without it",
                     path);
  }
  leases_renew(leases);
  r->reporter.writes_status = lease_take(leases, LEASE_STATUS, &r->status_watch, STATUS_TIMEOUT);
  return true;
}

bool rank0_tick(Rank0* r, Error* error) {
  double margin = DEADLINE_MARGIN * (r->save_seconds + r->longest_unit);
  if (r->deadline > 0 && clock_date() + margin >= r->deadline) {
    stop_request();
  }
  double now = clock_wall();
  double interval = fmin(LONGEST_RENEWAL, r->options->lease_timeout / RENEWALS);
  if (now - r->renewed >= interval) {
    r->renewed = now;
    if (!renew_leases(r, error)) {
      return false;
    }
  }
  reporter_tick(&r->reporter);
  return true;
}

bool rank0_look(Rank0* r, bool* looked, Error* error) {
  double now = clock_wall();
  *looked = now >= r->look_due;
  if (!*looked) {
    return true;
  }
  bool good = coordinator_look(&r->coordinator, error);
  r->look_due = now + fmax(LOOK_INTERVAL, (clock_wall() - now) / LOOK_SHARE);
  return good;
}

void rank0_fail(Rank0* r, const Error* error) {
  if (!r->failed) {
    r->failed = true;
    *r->error = *error;
    stop_request();
  }
}

bool rank0_decide(Rank0* r, OrderMessage* order, const ReportMessage* report, int rank) {
  bool later;
  Error error = {0};
  if (!coordinator_decide(order, &later, &r->coordinator, report, rank, &error)) {
    rank0_fail(r, &error);
    return false;
  }
  if (order->verdict == ORDER_GO && stop_requested()) {
    order->verdict = ORDER_STOP;
  }
  return !later;
}

int64_t rank0_listen(Rank0* r, double patience) {
  int64_t answered = -1;
  Error error = {0};
  if (!r->failed &&
      !scheduler_listen(&answered, &r->coordinator.scheduler, patience, &error)) {
    rank0_fail(r, &error);
  }
  return answered;
}

void rank0_note_saved(Rank0* r, const SavedMessage* saved, int rank) {
  r->save_seconds = fmax(r->save_seconds, saved->seconds);
  reporter_saved(&r->reporter, rank, saved);
}

void rank0_note_alive(Rank0* r, const AliveMessage* alive, int rank) {
  if (alive->hyper_episode >= 0) {
    r->longest_unit = fmax(r->longest_unit, alive->longest_unit);
    reporter_progress(&r->reporter, rank, alive->hyper_episode, &alive->progress);
  }
}
