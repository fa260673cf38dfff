#include "cluster/campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/stop.h"
#include "cluster/worker.h"

// Checkpoints are begun this many times their own duration before the deadline.
#define DEADLINE_MARGIN 2.0

typedef union {
  BeginMessage begin;
  ReportMessage report;
  OrderMessage order;
  SealedMessage sealed;
  SavedMessage saved;
  Error failed;
} AnyMessage;

// Rank 0's state, with or without workers.
typedef struct {
  Coordinator coordinator;
  Reporter reporter;
  Comm* comm;
  double deadline;     // wall-clock seconds since the epoch; 0 = none
  double save_seconds; // longest checkpoint so far
  bool* waiting;       // (ranks) asked for work and got none yet
  int active;          // workers that were not yet told to stop
  bool failed;
  Error* error;
} Campaign;

// The earlier of run.max_wall and the end that Slurm announces.
static double find_deadline(const CampaignOptions* options) {
  double deadline = options->max_wall > 0 ? (double)time(NULL) + options->max_wall : 0;
  const char* end = getenv("SLURM_JOB_END_TIME");
  double slurm = end ? atof(end) : 0;
  return slurm > 0 && (deadline == 0 || slurm < deadline) ? slurm : deadline;
}

// What rank 0 does beside answering: status, and stopping in time.
static void tick(Campaign* c) {
  if (c->deadline > 0 &&
      (double)time(NULL) + DEADLINE_MARGIN * c->save_seconds >= c->deadline) {
    stop_request();
  }
  reporter_tick(&c->reporter);
}

static NextAnswer next(Campaign* c, BeginMessage* begin, int rank) {
  return stop_requested() ? NEXT_STOP : coordinator_next(&c->coordinator, begin, rank);
}

static void decide(Campaign* c, OrderMessage* order, const ReportMessage* report, int rank) {
  coordinator_decide(order, &c->coordinator, report, rank);
  order->stop = stop_requested();
}

static void note_saved(Campaign* c, const SavedMessage* saved, int rank) {
  c->save_seconds = saved->seconds > c->save_seconds ? saved->seconds : c->save_seconds;
  reporter_saved(&c->reporter, rank, saved);
}

// A single rank: the worker calls the coordinator ------------------------------------------------

static bool local_begin(Link* link, BeginMessage* begin) {
  Campaign* c = link->self;
  if (c->failed) {
    return false;
  }
  NextAnswer answer = next(c, begin, 0);
  CHECK(answer != NEXT_WAIT, "one rank cannot wait for itself");
  return answer == NEXT_BEGIN;
}

static void local_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  tick(link->self);
  decide(link->self, order, report, 0);
}

static void local_sealed(Link* link, const SealedMessage* sealed) {
  Campaign* c = link->self;
  c->failed = !coordinator_sealed(&c->coordinator, sealed, 0, c->error);
}

static void local_saved(Link* link, const SavedMessage* saved) { note_saved(link->self, saved, 0); }

static void local_stopped(Link* link) { (void)link; }

static bool run_alone(Campaign* c, const CampaignOptions* options, Error* error) {
  Link link = {.begin = local_begin,
               .decide = local_decide,
               .sealed = local_sealed,
               .saved = local_saved,
               .stopped = local_stopped,
               .self = c};
  c->error = error;
  WorkerEnd end = worker_run(&link, c->coordinator.experiment, c->coordinator.directory,
                             options->checkpoint_interval, error);
  return end != WORKER_FAILED && !c->failed;
}

// Rank 0 of several -------------------------------------------------------------------------------

static void answer_ready(Campaign* c, int rank) {
  BeginMessage begin;
  NextAnswer answer = next(c, &begin, rank);
  c->waiting[rank] = answer == NEXT_WAIT;
  if (answer == NEXT_BEGIN) {
    comm_send(c->comm, rank, TAG_BEGIN, &begin, sizeof begin);
  } else if (answer == NEXT_STOP) {
    comm_send(c->comm, rank, TAG_STOP, NULL, 0);
    c->active--;
  }
}

static void answer_waiting(Campaign* c) {
  for (int rank = 1; rank < c->comm->ranks; rank++) {
    if (c->waiting[rank]) {
      answer_ready(c, rank);
    }
  }
}

static bool answer(Campaign* c, int rank, int tag, const AnyMessage* message, Error* error) {
  OrderMessage order;
  switch (tag) {
    case TAG_READY:
      answer_ready(c, rank);
      return true;
    case TAG_REPORT:
      decide(c, &order, &message->report, rank);
      comm_send(c->comm, rank, TAG_ORDER, &order, sizeof order);
      return true;
    case TAG_SEALED:
      return coordinator_sealed(&c->coordinator, &message->sealed, rank, error);
    case TAG_SAVED:
      note_saved(c, &message->saved, rank);
      return true;
    case TAG_STOPPED:
      stop_request();
      c->active--;
      return true;
    case TAG_FAILED:
      return error_set(error, "rank %d: %s", rank, message->failed.text);
  }
  CHECK(false, "unknown message %d from rank %d", tag, rank);
}

static bool serve(Campaign* c, Arena* arena, Error* error) {
  c->active = c->comm->ranks - 1;
  c->waiting = ARENA_NEW(arena, c->comm->ranks, bool);
  AnyMessage* message = ARENA_NEW(arena, 1, AnyMessage);
  while (c->active > 0) {
    int rank, tag;
    size_t size;
    if (!comm_poll(c->comm, &rank, &tag, message, sizeof *message, &size)) {
      tick(c);
      comm_nap(c->comm);
    } else if (!answer(c, rank, tag, message, error)) {
      return false;
    }
    answer_waiting(c);
  }
  return true;
}

// A worker rank -----------------------------------------------------------------------------------

static bool remote_begin(Link* link, BeginMessage* begin) {
  Comm* comm = link->self;
  size_t size;
  comm_send(comm, 0, TAG_READY, NULL, 0);
  return comm_receive(comm, 0, begin, sizeof *begin, &size) == TAG_BEGIN;
}

static void remote_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  Comm* comm = link->self;
  size_t size;
  comm_send(comm, 0, TAG_REPORT, report, sizeof *report);
  int tag = comm_receive(comm, 0, order, sizeof *order, &size);
  CHECK(tag == TAG_ORDER && size == sizeof *order, "expected an order, got message %d", tag);
}

static void remote_sealed(Link* link, const SealedMessage* sealed) {
  comm_send(link->self, 0, TAG_SEALED, sealed, sizeof *sealed);
}

static void remote_saved(Link* link, const SavedMessage* saved) {
  comm_send(link->self, 0, TAG_SAVED, saved, sizeof *saved);
}

static void remote_stopped(Link* link) { comm_send(link->self, 0, TAG_STOPPED, NULL, 0); }

static CampaignEnd work(Comm* comm, const Experiment* x, const RunDirectory* directory,
                        const CampaignOptions* options, Error* error) {
  Link link = {.begin = remote_begin,
               .decide = remote_decide,
               .sealed = remote_sealed,
               .saved = remote_saved,
               .stopped = remote_stopped,
               .self = comm};
  switch (worker_run(&link, x, directory, options->checkpoint_interval, error)) {
    case WORKER_FINISHED:
      return CAMPAIGN_FINISHED;
    case WORKER_STOPPED:
      return CAMPAIGN_STOPPED;
    case WORKER_FAILED:
      break;
  }
  comm_send(comm, 0, TAG_FAILED, error, strlen(error->text) + 1);
  return CAMPAIGN_FAILED;
}

// -------------------------------------------------------------------------------------------------

static CampaignEnd finish(Campaign* c, const RunDirectory* directory, bool ok, Error* error) {
  bool complete = ok && coordinator_complete(&c->coordinator);
  if (complete) {
    char path[RUN_PATH_SIZE];
    run_file(path, directory, "COMPLETE");
    ok = files_write(path, "", 0, error);
  }
  reporter_end(&c->reporter, !ok ? "failed" : complete ? "finished" : "checkpointed");
  return !ok ? CAMPAIGN_FAILED : complete ? CAMPAIGN_FINISHED : CAMPAIGN_STOPPED;
}

static CampaignEnd coordinate(Comm* comm, const Experiment* x, const RunDirectory* directory,
                              const CampaignOptions* options, Arena* arena, Error* error) {
  Campaign* c = ARENA_NEW(arena, 1, Campaign);
  c->comm = comm;
  c->deadline = find_deadline(options);
  reporter_init(&c->reporter, x, directory, comm->ranks, options->progress_interval, options->quiet,
                arena);
  if (!coordinator_init(&c->coordinator, x, directory, &c->reporter, arena, error)) {
    return CAMPAIGN_FAILED;
  }
  bool ok = comm->ranks == 1 ? run_alone(c, options, error) : serve(c, arena, error);
  return finish(c, directory, ok, error);
}

CampaignEnd campaign_run(Comm* comm, const Experiment* x, const RunDirectory* directory,
                         const CampaignOptions* options, Error* error) {
  stop_install();
  if (comm->rank > 0) {
    return work(comm, x, directory, options, error);
  }
  Arena arena;
  arena_init(&arena);
  CampaignEnd end = coordinate(comm, x, directory, options, &arena, error);
  arena_free(&arena);
  return end;
}
