#include "cluster/campaign.h"

#include <stdio.h>
#include <string.h>

#include "cluster/worker.h"

typedef union {
  BeginMessage begin;
  ReportMessage report;
  OrderMessage order;
  SealedMessage sealed;
  Error failed;
} AnyMessage;

// A single rank: the worker calls the coordinator ------------------------------------------------

typedef struct {
  Coordinator* coordinator;
  Error* error;
  bool failed;
} LocalLink;

static bool local_begin(Link* link, BeginMessage* begin) {
  LocalLink* local = link->self;
  if (local->failed) {
    return false;
  }
  NextAnswer answer = coordinator_next(local->coordinator, begin, 0);
  CHECK(answer != NEXT_WAIT, "one rank cannot wait for itself");
  return answer == NEXT_BEGIN;
}

static void local_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  LocalLink* local = link->self;
  coordinator_decide(order, local->coordinator, report, 0);
  reporter_tick(local->coordinator->reporter);
}

static void local_sealed(Link* link, const SealedMessage* sealed) {
  LocalLink* local = link->self;
  local->failed = !coordinator_sealed(local->coordinator, sealed, 0, local->error);
}

static bool run_alone(Coordinator* coordinator, const Experiment* x, const RunDirectory* directory,
                      Error* error) {
  LocalLink local = {.coordinator = coordinator, .error = error};
  Link link = {local_begin, local_decide, local_sealed, &local};
  return worker_run(&link, x, directory, error) && !local.failed;
}

// Rank 0 of several ---------------------------------------------------------------------------------

typedef struct {
  Coordinator* coordinator;
  Comm* comm;
  bool* waiting;   // (ranks) asked for work and got none yet
  int active;      // workers that were not yet told to stop
} Server;

static void answer_ready(Server* s, int rank) {
  BeginMessage begin;
  NextAnswer answer = coordinator_next(s->coordinator, &begin, rank);
  s->waiting[rank] = answer == NEXT_WAIT;
  if (answer == NEXT_BEGIN) {
    comm_send(s->comm, rank, TAG_BEGIN, &begin, sizeof begin);
  } else if (answer == NEXT_STOP) {
    comm_send(s->comm, rank, TAG_STOP, NULL, 0);
    s->active--;
  }
}

static void answer_waiting(Server* s) {
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    if (s->waiting[rank]) {
      answer_ready(s, rank);
    }
  }
}

static bool answer(Server* s, int rank, int tag, const AnyMessage* message, Error* error) {
  OrderMessage order;
  switch (tag) {
    case TAG_READY:
      answer_ready(s, rank);
      return true;
    case TAG_REPORT:
      coordinator_decide(&order, s->coordinator, &message->report, rank);
      comm_send(s->comm, rank, TAG_ORDER, &order, sizeof order);
      return true;
    case TAG_SEALED:
      if (!coordinator_sealed(s->coordinator, &message->sealed, rank, error)) {
        return false;
      }
      answer_waiting(s);
      return true;
    case TAG_FAILED:
      return error_set(error, "rank %d: %s", rank, message->failed.text);
  }
  CHECK(false, "unknown message %d from rank %d", tag, rank);
}

static bool serve(Coordinator* coordinator, Comm* comm, Arena* arena, Error* error) {
  Server server = {.coordinator = coordinator, .comm = comm, .active = comm->ranks - 1};
  server.waiting = ARENA_NEW(arena, comm->ranks, bool);
  AnyMessage* message = ARENA_NEW(arena, 1, AnyMessage);
  while (server.active > 0) {
    int rank, tag;
    size_t size;
    if (!comm_poll(comm, &rank, &tag, message, sizeof *message, &size)) {
      reporter_tick(coordinator->reporter);
      comm_nap(comm);
    } else if (!answer(&server, rank, tag, message, error)) {
      return false;
    }
  }
  return true;
}

// A worker rank -------------------------------------------------------------------------------------

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

static bool work(Comm* comm, const Experiment* x, const RunDirectory* directory, Error* error) {
  Link link = {remote_begin, remote_decide, remote_sealed, comm};
  if (!worker_run(&link, x, directory, error)) {
    comm_send(comm, 0, TAG_FAILED, error, strlen(error->text) + 1);
    return false;
  }
  return true;
}

// -----------------------------------------------------------------------------------------------

static bool coordinate(Comm* comm, const Experiment* x, const RunDirectory* directory,
                       const CampaignOptions* options, Arena* arena, Error* error) {
  Reporter reporter;
  Coordinator coordinator;
  reporter_init(&reporter, x, directory, comm->ranks, options->progress_interval, options->quiet,
                arena);
  if (!coordinator_init(&coordinator, x, directory, &reporter, arena, error)) {
    return false;
  }
  bool ok = comm->ranks == 1 ? run_alone(&coordinator, x, directory, error)
                             : serve(&coordinator, comm, arena, error);
  ok = ok && coordinator_complete(&coordinator);
  if (ok) {
    char path[RUN_PATH_SIZE];
    run_file(path, directory, "COMPLETE");
    ok = files_write(path, "", 0, error);
  }
  reporter_end(&reporter, ok ? "finished" : "failed");
  return ok;
}

bool campaign_run(Comm* comm, const Experiment* x, const RunDirectory* directory,
                  const CampaignOptions* options, Error* error) {
  if (comm->rank > 0) {
    return work(comm, x, directory, error);
  }
  Arena arena;
  arena_init(&arena);
  bool ok = coordinate(comm, x, directory, options, &arena, error);
  arena_free(&arena);
  return ok;
}
