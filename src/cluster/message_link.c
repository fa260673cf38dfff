// message_link.c - a rank that works, and reaches rank 0 by messages.
//
// It is a Link whose calls are messages. There is one place that waits (wait_for): for work, for an
// order, or for the end. While it waits it sends heartbeats, notices a request to stop, and leaves
// if rank 0 is dead or silent for too long; a worker that waits for ever would hold a node for
// nothing.
//
// What rank 0 sends without being asked (HALT, STOP) is handled wherever a message is read, also
// between two units of work. A BEGIN that crosses with this rank's STOPPED is ignored: rank 0 has
// given that hyper-episode back by then.
#include <stdio.h>
#include <string.h>

#include "base/notice.h"
#include "base/stopwatch.h"
#include "cluster/stop.h"
#include "rank0.h"

// Seconds between two heartbeats while waiting.
#define HEARTBEAT_INTERVAL 1.0

// If this rank itself did nothing for longer, in seconds, rank 0 is not blamed for it.
#define OWN_PAUSE 1.0

typedef struct {
  Comm* comm;
  Process server;   // rank 0
  double patience;  // seconds of its silence after which this rank leaves
  bool at_rest;     // rank 0 knows that this rank has stopped
  bool ended;       // rank 0 has ended the run
  StopMessage stop;  // and how
} MessageLink;

static void leave(const MessageLink* m, const char* why) {
  notice("autombpo: rank %d: rank 0 %s: leaving; what was sealed and saved stands",
         m->comm->rank, why);
  comm_leave(m->comm, 1);
}

static void send_message(MessageLink* m, int tag, const void* data, size_t size) {
  if (!comm_send(m->comm, 0, tag, data, size)) {
    leave(m, "takes no messages");
  }
}

// A message of rank 0's, if one has come: its tag, else 0. What comes at any time is dealt with.
static int poll(MessageLink* m, AnyMessage* message) {
  int rank, tag;
  size_t size;
  if (!comm_poll(m->comm, &rank, &tag, message, sizeof *message, &size)) {
    return 0;
  }
  if (tag == TAG_HALT) {
    stop_request();
  } else if (tag == TAG_STOP) {
    m->ended = true;
    m->stop = message->stop;
  } else if (tag == TAG_BEGIN && m->at_rest) {
    return TAG_ALIVE;  // sent before rank 0 knew, and given back since
  }
  return tag;
}

// Where MPI lets a rank outlive rank 0, nothing else tells it.
static void leave_if_server_is_dead(const MessageLink* m) {
  if (process_is_dead(&m->server)) {
    leave(m, "is dead");
  }
}

// A request to stop that only this rank has got, while it has no work.
static void pass_stop_on(MessageLink* m) {
  if (stop_requested() && !m->at_rest) {
    m->at_rest = true;
    send_message(m, TAG_STOPPED, NULL, 0);
  }
}

// Waits for a message with this tag, or for the end. False: it must stop before an order comes.
static bool wait_for(MessageLink* m, int tag, AnyMessage* message) {
  double received = clock_wall(), sent = received, turned = received;
  int found = 0;
  while (found != tag && !m->ended) {
    found = poll(m, message);
    double now = clock_wall(), pause = now - turned;
    turned = now;
    received = found ? now : pause > OWN_PAUSE ? received + pause : received;
    if (now - received > m->patience) {
      leave(m, "is silent");
    }
    if (now - sent >= HEARTBEAT_INTERVAL) {
      AliveMessage alive = {.hyper_episode = -1};
      send_message(m, TAG_ALIVE, &alive, sizeof alive);
      leave_if_server_is_dead(m);
      sent = now;
    }
    if (tag != TAG_ORDER) {
      pass_stop_on(m);
    } else if (stop_requested() && found != tag) {
      return false;
    }
    if (!found) {
      comm_nap(m->comm);
    }
  }
  return true;
}

static bool message_begin(Link* link, BeginMessage* begin) {
  MessageLink* m = link->self;
  AnyMessage message;
  send_message(m, TAG_READY, NULL, 0);
  wait_for(m, TAG_BEGIN, &message);
  *begin = message.begin;
  return !m->ended;
}

static void message_alive(Link* link, const AliveMessage* alive) {
  MessageLink* m = link->self;
  AnyMessage message;
  leave_if_server_is_dead(m);
  send_message(m, TAG_ALIVE, alive, sizeof *alive);
  poll(m, &message);
  if (m->ended) {
    leave(m, "has ended without this rank");
  }
}

static void message_decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  MessageLink* m = link->self;
  AnyMessage message;
  send_message(m, TAG_REPORT, report, report_size(report));
  bool answered = wait_for(m, TAG_ORDER, &message);
  if (m->ended) {
    leave(m, "has ended without this rank");
  }
  *order = answered ? message.order
                    : (OrderMessage){.hyper_episode = report->hyper_episode,
                                     .decision = report->decision,
                                     .verdict = ORDER_NONE};
}

static void message_sealed(Link* link, const SealedMessage* sealed) {
  send_message(link->self, TAG_SEALED, sealed, sizeof *sealed);
}

static void message_saved(Link* link, const SavedMessage* saved) {
  send_message(link->self, TAG_SAVED, saved, sizeof *saved);
}

static void message_stopped(Link* link) {
  MessageLink* m = link->self;
  m->at_rest = true;
  send_message(m, TAG_STOPPED, NULL, 0);
}

ClusterEnd work_for(const Process* server, Comm* comm, const RunSpec* x,
                    const RunDirectory* directory, const ClusterOptions* options, Error* error) {
  // longer than rank 0's own patience: to lose it is to lose all
  MessageLink m = {.comm = comm, .server = *server, .patience = 10 + 2 * options->lost_after};
  Link link = {.begin = message_begin,
               .alive = message_alive,
               .decide = message_decide,
               .sealed = message_sealed,
               .saved = message_saved,
               .stopped = message_stopped,
               .self = &m};
  if (worker_run(&link, x, directory, &options->save, error) == WORKER_FAILED) {
    comm_send(comm, 0, TAG_FAILED, error, strlen(error->text) + 1);
    return CLUSTER_FAILED;
  }
  AnyMessage message;
  wait_for(&m, TAG_STOP, &message);
  comm->lost = m.stop.lost;
  return m.stop.complete ? CLUSTER_FINISHED : CLUSTER_STOPPED;
}
