// local_link.c - a single rank: the worker calls rank 0's functions through the same Link that
// messages take otherwise.
//
// Nobody else turns a loop here. So each call of the worker also does what rank 0 does besides
// answering, and whatever waits (for work that other starts have, for an order from outside) does
// it between two looks.
#include "base/stopwatch.h"
#include "cluster/stop.h"
#include "rank0.h"

// Seconds between two looks at what else is to be done, while a decision is open.
#define WAIT_INTERVAL 0.2

static void local_tick(Rank0* r) {
  Error error = {0};
  bool looked;
  if (!r->failed && (!rank0_tick(r, &error) || !rank0_look(r, &looked, &error))) {
    rank0_fail(r, &error);
  }
}

// Waits while others work on all that is left.
static bool local_begin(Link* link, BeginMessage* begin) {
  Rank0* r = link->self;
  while (!r->failed && !stop_requested()) {
    switch (coordinator_next(&r->coordinator, begin, 0, r->error)) {
      case NEXT_BEGIN:
        return true;
      case NEXT_FAILED:
        r->failed = true;
        return false;
      case NEXT_STOP:
        return false;
      case NEXT_WAIT:
        break;
    }
    comm_sleep(r->comm, LOOK_INTERVAL);
    local_tick(r);
  }
  return false;
}

static void local_alive(Link* link, const AliveMessage* alive) {
  rank0_note_alive(link->self, alive, 0);
  rank0_listen(link->self, 0);
  local_tick(link->self);
}

// Waits for an order that comes later; a request to stop is heard meanwhile.
static void local_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  Rank0* r = link->self;
  local_tick(r);
  bool answered = rank0_decide(r, order, report, 0);
  while (!answered && !stop_requested()) {
    if (rank0_listen(r, WAIT_INTERVAL) == report->hyper_episode) {
      answered = rank0_decide(r, order, report, 0);
    }
    local_tick(r);
  }
  order->verdict = answered ? order->verdict : ORDER_NONE;
}

static void local_sealed(Link* link, const SealedMessage* sealed) {
  Rank0* r = link->self;
  r->failed = r->failed || !coordinator_sealed(&r->coordinator, sealed, 0, r->error);
}

static void local_saved(Link* link, const SavedMessage* saved) {
  rank0_note_saved(link->self, saved, 0);
}

static void local_stopped(Link* link) { (void)link; }

bool work_alone(Rank0* r, Error* error) {
  Link link = {.begin = local_begin,
               .alive = local_alive,
               .decide = local_decide,
               .sealed = local_sealed,
               .saved = local_saved,
               .stopped = local_stopped,
               .self = r};
  Error own = {0};
  WorkerEnd end = worker_run(&link, r->coordinator.spec, r->coordinator.directory,
                             &r->options->save, &own);
  if (end == WORKER_FAILED && !r->failed) {
    *error = own;
  }
  return end != WORKER_FAILED && !r->failed;
}
