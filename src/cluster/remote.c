// remote.c - a rank that works, and reaches rank 0 by MPI.
//
// It is a Link whose calls are messages. There is one place that waits (wait_for): for work, for an
// order, or for the end. While it waits it sends heartbeats, notices a request to stop, and
// leaves if rank 0 is dead or silent for too long; a worker that waits for ever would hold a node
// for nothing.
//
// What rank 0 sends without being asked (HALT, STOP) is handled wherever a message is read, also
// between two units of work. A BEGIN that crosses with this rank's STOPPED is ignored: rank 0 has
// given that hyper-episode back by then.
#include <stdio.h>
#include <string.h>

#include "base/stopwatch.h"
#include "campaign_internal.h"
#include "cluster/stop.h"

// Seconds between two heartbeats while waiting.
#define HEARTBEAT_INTERVAL 1.0

typedef struct {
  Comm* comm;
  Process dealer;   // rank 0
  double patience;  // seconds of its silence after which this rank leaves
  bool rests;       // rank 0 knows that this rank has stopped
  bool dismissed;
  StopMessage stop;  // once dismissed
} Remote;

static void leave(const Remote* r, const char* why) {
  fprintf(stderr, "autombpo: rank %d: rank 0 %s: leaving; what was sealed and saved stands\n",
          r->comm->rank, why);
  comm_leave(r->comm, 1);
}

static void send_message(Remote* r, int tag, const void* data, size_t size) {
  if (!comm_send(r->comm, 0, tag, data, size)) {
    leave(r, "takes no messages");
  }
}

// A message of rank 0's, if one has come: its tag, else 0. What comes at any time is dealt with.
static int poll(Remote* r, AnyMessage* message) {
  int rank, tag;
  size_t size;
  if (!comm_poll(r->comm, &rank, &tag, message, sizeof *message, &size)) {
    return 0;
  }
  if (tag == TAG_HALT) {
    stop_request();
  } else if (tag == TAG_STOP) {
    r->dismissed = true;
    r->stop = message->stop;
  } else if (tag == TAG_BEGIN && r->rests) {
    return TAG_ALIVE;  // dealt before rank 0 knew, and given back since
  }
  return tag;
}

// Where MPI lets a rank outlive rank 0, nothing else tells it.
static void leave_the_dead(const Remote* r) {
  if (process_is_dead(&r->dealer)) {
    leave(r, "is dead");
  }
}

// A request to stop that only this rank has got, while it has no work.
static void pass_stop_on(Remote* r) {
  if (stop_requested() && !r->rests) {
    r->rests = true;
    send_message(r, TAG_STOPPED, NULL, 0);
  }
}

// Waits for a message with this tag, or to be dismissed. False: it must stop before an order comes.
static bool wait_for(Remote* r, int tag, AnyMessage* message) {
  double received = clock_wall(), sent = received;
  int found = 0;
  while (found != tag && !r->dismissed) {
    found = poll(r, message);
    double now = clock_wall();
    received = found ? now : received;
    if (now - received > r->patience) {
      leave(r, "is silent");
    }
    if (now - sent >= HEARTBEAT_INTERVAL) {
      AliveMessage alive = {.hyper_episode = -1};
      send_message(r, TAG_ALIVE, &alive, sizeof alive);
      leave_the_dead(r);
      sent = now;
    }
    if (tag != TAG_ORDER) {
      pass_stop_on(r);
    } else if (stop_requested() && found != tag) {
      return false;
    }
    if (!found) {
      comm_nap(r->comm);
    }
  }
  return true;
}

static bool remote_begin(Link* link, BeginMessage* begin) {
  Remote* r = link->self;
  AnyMessage message;
  send_message(r, TAG_READY, NULL, 0);
  wait_for(r, TAG_BEGIN, &message);
  *begin = message.begin;
  return !r->dismissed;
}

static void remote_alive(Link* link, const AliveMessage* alive) {
  Remote* r = link->self;
  AnyMessage message;
  leave_the_dead(r);
  send_message(r, TAG_ALIVE, alive, sizeof *alive);
  poll(r, &message);
  if (r->dismissed) {
    leave(r, "has ended without this rank");
  }
}

static void remote_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  Remote* r = link->self;
  AnyMessage message;
  send_message(r, TAG_REPORT, report, report_size(report));
  bool answered = wait_for(r, TAG_ORDER, &message);
  if (r->dismissed) {
    leave(r, "has ended without this rank");
  }
  *order = answered ? message.order
                    : (OrderMessage){.hyper_episode = report->hyper_episode,
                                     .decision = report->decision,
                                     .verdict = ORDER_NONE};
}

static void remote_sealed(Link* link, const SealedMessage* sealed) {
  send_message(link->self, TAG_SEALED, sealed, sizeof *sealed);
}

static void remote_saved(Link* link, const SavedMessage* saved) {
  send_message(link->self, TAG_SAVED, saved, sizeof *saved);
}

static void remote_stopped(Link* link) {
  Remote* r = link->self;
  r->rests = true;
  send_message(r, TAG_STOPPED, NULL, 0);
}

CampaignEnd work(Comm* comm, const Process* dealer, const RunSpec* x,
                 const RunDirectory* directory, const CampaignOptions* options, Error* error) {
  // longer than rank 0's own patience: to lose it is to lose all
  Remote r = {.comm = comm, .dealer = *dealer, .patience = 10 + 2 * options->lost_after};
  Link link = {.begin = remote_begin,
               .alive = remote_alive,
               .decide = remote_decide,
               .sealed = remote_sealed,
               .saved = remote_saved,
               .stopped = remote_stopped,
               .self = &r};
  if (worker_run(&link, x, directory, &options->save, error) == WORKER_FAILED) {
    comm_send(comm, 0, TAG_FAILED, error, strlen(error->text) + 1);
    return CAMPAIGN_FAILED;
  }
  AnyMessage message;
  wait_for(&r, TAG_STOP, &message);
  comm->lost = r.stop.lost;
  return r.stop.complete ? CAMPAIGN_FINISHED : CAMPAIGN_STOPPED;
}
