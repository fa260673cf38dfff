// campaign.c - a run from the first message to the last: what rank 0 does besides answering.
//
// A Campaign is rank 0's state: coordinator, reporter, deadline, leases. Whoever answers workers
// (serve.c, or here for a single rank) calls campaign_tick and campaign_look in between: renew
// leases, write status, look for what others have sealed, ask for a stop when the deadline comes
// near. All of that is done in portions of milliseconds, because a worker may be waiting for an
// answer.
//
// The margin before the deadline is measured, not configured: twice what the longest checkpoint and
// the longest way to a safe point took so far. An error of whoever decides does not end the run at
// once: campaign_fail asks all ranks to save, and the error is reported when they have.
//
// A single rank calls the coordinator through the same Link that messages take otherwise.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/stopwatch.h"
#include "campaign_internal.h"
#include "cluster/stop.h"
#include "hyper/manifest.h"

// Saving begins this many times the longest checkpoint and the longest way to a safe point before
// the deadline.
#define DEADLINE_MARGIN 2.0

// How long the silent owner of the lease on status.json keeps it.
#define STATUS_TIMEOUT 60.0
#define RENEWALS 8  // of each lease within lease_timeout
#define LONGEST_RENEWAL 10.0

// Seconds between two looks at what else is to be done, while a decision is open.
#define WAIT_INTERVAL 0.2

// The earlier of run.max_wall and the end that Slurm announces.
static double find_deadline(const CampaignOptions* options) {
  double deadline = options->max_wall > 0 ? (double)time(NULL) + options->max_wall : 0;
  const char* end = getenv("SLURM_JOB_END_TIME");
  double slurm = end ? atof(end) : 0;
  return slurm > 0 && (deadline == 0 || slurm < deadline) ? slurm : deadline;
}

// Whether the run directory is there; renews the lease on its status.
static bool renew_status(Campaign* c, Error* error) {
  char path[RUN_PATH_SIZE];
  const LeaseOffice* leases = &c->coordinator.leases;
  run_file(path, c->coordinator.directory, "lease");
  if (!files_exists(path)) {
    return error_set(error,
                     "%s: the run directory has vanished, or is not mounted any more; what "
                     "it held cannot be continued without it",
                     path);
  }
  c->reporter.speaks = lease_take(leases, LEASE_STATUS, &c->status_sight, STATUS_TIMEOUT);
  lease_renew(leases, LEASE_STATUS);
  return true;
}

// Renews some leases at each call, so that each has its turn once in an interval.
static void renew_leases(Campaign* c, double now, double interval) {
  double count = (double)c->coordinator.running;
  c->renewals_due = fmin(count, c->renewals_due + count * (now - c->ticked) / interval);
  c->ticked = now;
  while (c->renewals_due >= 1 && clock_wall() - now < PORTION) {
    coordinator_renew(&c->coordinator);
    c->renewals_due--;
  }
}

bool campaign_tick(Campaign* c, Error* error) {
  double margin = DEADLINE_MARGIN * (c->save_seconds + c->longest_unit);
  if (c->deadline > 0 && (double)time(NULL) + margin >= c->deadline) {
    stop_request();
  }
  double now = clock_wall();
  double interval = fmin(LONGEST_RENEWAL, c->options->lease_timeout / RENEWALS);
  if (now - c->renewed >= interval) {
    c->renewed = now;
    if (!renew_status(c, error)) {
      return false;
    }
  }
  renew_leases(c, now, interval);
  reporter_tick(&c->reporter);
  return true;
}

bool campaign_look(Campaign* c, bool* looked, Error* error) {
  double now = clock_wall();
  *looked = false;
  if (!c->looking && now - c->looked < LOOK_INTERVAL) {
    return true;
  }
  c->looked = c->looking ? c->looked : now;
  bool ok = true;
  while (ok && !*looked && clock_wall() - now < PORTION) {
    ok = coordinator_look(&c->coordinator, looked, error);
  }
  c->looking = !*looked;
  return ok;
}

void campaign_fail(Campaign* c, const Error* error) {
  if (!c->failed) {
    c->failed = true;
    *c->error = *error;
    stop_request();
  }
}

bool campaign_decide(Campaign* c, OrderMessage* order, const ReportMessage* report, int rank) {
  bool later;
  Error error = {0};
  if (!coordinator_decide(order, &later, &c->coordinator, report, rank, &error)) {
    campaign_fail(c, &error);
    return false;
  }
  if (order->verdict == ORDER_GO && stop_requested()) {
    order->verdict = ORDER_STOP;
  }
  return !later;
}

int64_t campaign_listen(Campaign* c, double patience) {
  int64_t answered = -1;
  Error error = {0};
  if (!c->failed &&
      !scheduler_listen(&answered, &c->coordinator.scheduler, patience, &error)) {
    campaign_fail(c, &error);
  }
  return answered;
}

void campaign_note_saved(Campaign* c, const SavedMessage* saved, int rank) {
  c->save_seconds = fmax(c->save_seconds, saved->seconds);
  reporter_saved(&c->reporter, rank, saved);
}

void campaign_note_alive(Campaign* c, const AliveMessage* alive, int rank) {
  if (alive->hyper_episode >= 0) {
    c->longest_unit = fmax(c->longest_unit, alive->longest_unit);
    reporter_progress(&c->reporter, rank, alive->hyper_episode, &alive->progress);
  }
}

// A single rank: the worker calls the coordinator ------------------------------------------------

static void local_tick(Campaign* c) {
  Error error = {0};
  if (!c->failed && !campaign_tick(c, &error)) {
    campaign_fail(c, &error);
  }
}

static void local_look(Campaign* c) {
  bool looked;
  do {
    c->failed = c->failed || !campaign_look(c, &looked, c->error);
  } while (c->looking && !c->failed);
}

// Waits while others work on all that is left.
static bool local_begin(Link* link, BeginMessage* begin) {
  Campaign* c = link->self;
  while (!c->failed && !stop_requested()) {
    switch (coordinator_next(&c->coordinator, begin, 0, c->error)) {
      case NEXT_BEGIN:
        return true;
      case NEXT_FAILED:
        c->failed = true;
        return false;
      case NEXT_STOP:
        return false;
      case NEXT_WAIT:
        break;
    }
    comm_sleep(c->comm, LOOK_INTERVAL);
    local_tick(c);
    local_look(c);
  }
  return false;
}

static void local_alive(Link* link, const AliveMessage* alive) {
  campaign_note_alive(link->self, alive, 0);
  campaign_listen(link->self, 0);
  local_tick(link->self);
}

// Waits for an order that comes later; a request to stop is heard meanwhile.
static void local_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  Campaign* c = link->self;
  local_tick(c);
  bool answered = campaign_decide(c, order, report, 0);
  while (!answered && !stop_requested()) {
    if (campaign_listen(c, WAIT_INTERVAL) == report->hyper_episode) {
      answered = campaign_decide(c, order, report, 0);
    }
    local_tick(c);
  }
  order->verdict = answered ? order->verdict : ORDER_NONE;
}

static void local_sealed(Link* link, const SealedMessage* sealed) {
  Campaign* c = link->self;
  c->failed = c->failed || !coordinator_sealed(&c->coordinator, sealed, 0, c->error);
}

static void local_saved(Link* link, const SavedMessage* saved) {
  campaign_note_saved(link->self, saved, 0);
}

static void local_stopped(Link* link) { (void)link; }

static bool run_alone(Campaign* c, Error* error) {
  Link link = {.begin = local_begin,
               .alive = local_alive,
               .decide = local_decide,
               .sealed = local_sealed,
               .saved = local_saved,
               .stopped = local_stopped,
               .self = c};
  Error own = {0};
  WorkerEnd end = worker_run(&link, c->coordinator.spec, c->coordinator.directory,
                             &c->options->save, &own);
  if (end == WORKER_FAILED && !c->failed) {
    *error = own;
  }
  return end != WORKER_FAILED && !c->failed;
}

// -------------------------------------------------------------------------------------------------

static CampaignEnd finish(Campaign* c, bool ok, Error* error) {
  const RunDirectory* directory = c->coordinator.directory;
  bool complete = ok && coordinator_complete(&c->coordinator);
  if (complete) {
    ok = manifest_write(directory, error);
    run_directory_sweep(directory, true);
  }
  reporter_end(&c->reporter, !ok ? "failed" : complete ? "finished"
                                                       : "checkpointed");
  scheduler_close(&c->coordinator.scheduler);
  coordinator_release(&c->coordinator);
  lease_release(&c->coordinator.leases, LEASE_STATUS);
  return !ok ? CAMPAIGN_FAILED : complete ? CAMPAIGN_FINISHED
                                          : CAMPAIGN_STOPPED;
}

static CampaignEnd coordinate(int64_t* diverged, Comm* comm, const RunSpec* x,
                              const RunDirectory* directory, const CampaignOptions* options,
                              Arena* arena, Error* error) {
  Campaign* c = ARENA_NEW(arena, 1, Campaign);
  c->comm = comm;
  c->options = options;
  c->error = error;
  c->deadline = find_deadline(options);
  reporter_init(&c->reporter, x, directory, comm->ranks, options->progress_interval, options->quiet,
                arena);
  c->reporter.deadline = c->deadline;
  if (!coordinator_init(&c->coordinator, x, directory, options->lease_timeout, &c->reporter, arena,
                        error)) {
    return CAMPAIGN_FAILED;
  }
  campaign_listen(c, 0);
  bool ok = !c->failed && campaign_tick(c, error) &&
            (comm->ranks == 1 ? run_alone(c, error) : serve(c, arena, error));
  *diverged = c->reporter.diverged;
  return finish(c, ok, error);
}

CampaignEnd campaign_run(int64_t* diverged, Comm* comm, const RunSpec* x,
                         const RunDirectory* directory, const CampaignOptions* options,
                         Error* error) {
  char text[PROCESS_TEXT_SIZE];
  Process dealer = process_this();
  process_format(text, &dealer);
  comm_share_text(comm, text, sizeof text);
  stop_guard(0, 0);  // all ranks are there; from here on each looks after the others
  if (comm->rank > 0) {
    CHECK(process_parse(&dealer, text), "rank 0 is '%s'", text);
    return work(comm, &dealer, x, directory, options, error);
  }
  Arena arena;
  arena_init(&arena);
  CampaignEnd end = coordinate(diverged, comm, x, directory, options, &arena, error);
  arena_free(&arena);
  return end;
}
