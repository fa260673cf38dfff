// serve.c - rank 0 of several: assigns hyper-episodes, answers, and notices who is gone.
//
// A Server has a Peer for each rank, which runs something, is idle, has stopped or is lost, and one
// loop (turn): take the messages that have come, give orders whose answers arrived from outside,
// assign work, pass a stop on, tick. Nothing in it waits long for one rank. A question that a
// controller outside answers later is kept in `report`, and its rank goes on waiting while
// everybody else is served.
//
// A rank that is silent for too long is given up: its hyper-episode goes to another, and if it
// comes back it works on, since doing a thing twice gives the same bits. The patience grows with
// the longest unit of work that was seen, and a pause of rank 0 itself is forgiven: silence is
// measured by one who may have slept.
#include <math.h>
#include <stdio.h>

#include "base/notice.h"
#include "base/stopwatch.h"
#include "cluster/stop.h"
#include "rank0.h"

// A rank is not given up before this many times the longest way to a safe point.
#define SILENCE_MARGIN 3.0

// If rank 0 itself did nothing for longer, in seconds, nobody is blamed for it.
#define OWN_PAUSE 1.0

// Seconds for which rank 0 deals, with a few calls on files for each hyper-episode, before it looks
// for messages again.
#define PORTION 2e-3

// Messages that are answered before other work has its turn.
#define MOST_MESSAGES 64

typedef enum {
  PEER_RUNNING,
  PEER_IDLE,     // asked for work and got none yet
  PEER_STOPPED,  // with a checkpoint
  PEER_LOST,
  PEER_MODES,
} PeerMode;

typedef struct {
  PeerMode mode;
  int64_t hyper_episode;  // that it was assigned; -1 = none
  double received;        // when its last message came
  double sent;            // when the last message went to it
  bool open;              // its decision is: the order comes later
} Peer;

struct Server {
  Rank0* rank0;
  Comm* comm;
  Peer* peer;  // (ranks) by rank; 0 is not used
  int count[PEER_MODES];
  int assigned;      // the rank that was last looked at for assigning work
  double turned;     // when the loop last turned
  bool halted;       // the peers were told to stop
  bool assign;       // there may be work for those that are idle
  Arena* arena;
  ReportMessage* report;  // (ranks) of peers whose decision is open; NULL: none ever was
};

static void set_mode(Server* s, int rank, PeerMode mode) {
  s->count[s->peer[rank].mode]--;
  s->count[mode]++;
  s->peer[rank].mode = mode;
}

static void lose(Server* s, int rank) {
  Peer* peer = &s->peer[rank];
  set_mode(s, rank, PEER_LOST);
  reporter_lost(&s->rank0->reporter, rank, clock_wall() - peer->received);
  coordinator_give_back(&s->rank0->coordinator, peer->hyper_episode);
  peer->hyper_episode = -1;
  peer->open = false;
  s->assign = true;
}

static void send_message(Server* s, int rank, int tag, const void* data, size_t size) {
  s->peer[rank].sent = clock_wall();
  if (!comm_send(s->comm, rank, tag, data, size)) {
    lose(s, rank);
  }
}

static bool has_idle_peers(const Server* s) {
  return s->count[PEER_IDLE] > 0 && !stop_requested();
}

// The next rank that is idle; there is one.
static int next_idle(Server* s) {
  do {
    s->assigned = s->assigned % (s->comm->ranks - 1) + 1;
  } while (s->peer[s->assigned].mode != PEER_IDLE);
  return s->assigned;
}

// Gives work to some of those that are idle, as far as there is some.
static bool assign(Server* s, Error* error) {
  double begun = clock_wall();
  while (has_idle_peers(s) && clock_wall() - begun < PORTION) {
    BeginMessage begin;
    int rank = next_idle(s);
    NextAnswer next = coordinator_next(&s->rank0->coordinator, &begin, rank, error);
    if (next != NEXT_BEGIN) {
      s->assign = false;
      return next != NEXT_FAILED;
    }
    set_mode(s, rank, PEER_RUNNING);
    s->peer[rank].hyper_episode = begin.hyper_episode;
    send_message(s, rank, TAG_BEGIN, &begin, sizeof begin);
  }
  s->assign = has_idle_peers(s);
  return true;
}

// An order that comes later delays nobody else.
static void decide(Server* s, int rank, const ReportMessage* report) {
  OrderMessage order;
  bool answered = rank0_decide(s->rank0, &order, report, rank);
  s->peer[rank].open = !answered;
  if (answered) {
    send_message(s, rank, TAG_ORDER, &order, order_size(&order));
    return;
  }
  s->report = s->report ? s->report : ARENA_NEW(s->arena, s->comm->ranks, ReportMessage);
  s->report[rank] = *report;
}

// Gives the orders that answers from outside have made possible.
static void decide_open(Server* s) {
  for (int64_t e = rank0_listen(s->rank0, 0); e >= 0; e = rank0_listen(s->rank0, 0)) {
    for (int rank = 1; rank < s->comm->ranks; rank++) {
      if (s->peer[rank].open && s->report[rank].hyper_episode == e) {
        ReportMessage report = s->report[rank];
        decide(s, rank, &report);
      }
    }
  }
}

static bool answer(Server* s, int rank, int tag, const AnyMessage* message, Error* error) {
  Rank0* r = s->rank0;
  Peer* peer = &s->peer[rank];
  switch (tag) {
    case TAG_READY:
      set_mode(s, rank, PEER_IDLE);
      peer->hyper_episode = -1;
      s->assign = true;
      return true;
    case TAG_REPORT:
      decide(s, rank, &message->report);
      return true;
    case TAG_SEALED:
      s->assign = true;
      return coordinator_sealed(&r->coordinator, &message->sealed, rank, error);
    case TAG_SAVED:
      rank0_note_saved(r, &message->saved, rank);
      return true;
    case TAG_ALIVE:
      rank0_note_alive(r, &message->alive, rank);
      return true;
    case TAG_STOPPED:
      stop_request();
      set_mode(s, rank, PEER_STOPPED);
      peer->open = false;
      coordinator_give_back(&r->coordinator, peer->hyper_episode);
      return true;
    case TAG_FAILED:
      return error_set(error, "rank %d: %s", rank, message->failed.text);
  }
  CHECK(false, "unknown message %d from rank %d", tag, rank);
}

// A rank that was given up and speaks again goes on; what it does twice is the same.
static void note_heartbeat(Server* s, int rank) {
  Peer* peer = &s->peer[rank];
  peer->received = clock_wall();
  if (peer->mode == PEER_LOST) {
    notice("warning: rank %d is back", rank);
    set_mode(s, rank, PEER_RUNNING);
  }
}

// A pause of rank 0 (an update, a frozen host) is nobody's silence.
static void discount_own_pause(Server* s) {
  double now = clock_wall();
  double pause = now - s->turned;
  s->turned = now;
  for (int rank = 1; pause > OWN_PAUSE && rank < s->comm->ranks; rank++) {
    s->peer[rank].received += pause;
  }
}

static void look_after_peers(Server* s) {
  double now = clock_wall();
  double limit = fmax(s->rank0->options->lost_after,
                      SILENCE_MARGIN * s->rank0->longest_unit);
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    Peer* peer = &s->peer[rank];
    bool idle = peer->mode == PEER_IDLE || peer->mode == PEER_STOPPED || peer->open;
    if (peer->mode != PEER_LOST && now - peer->received > limit) {
      lose(s, rank);
    } else if (idle && now - peer->sent > IDLE_HEARTBEAT_INTERVAL) {
      send_message(s, rank, TAG_ALIVE, NULL, 0);
    }
  }
}

// Passes a request to stop on to those that do not know of it.
static void pass_stop_on(Server* s) {
  if (!stop_requested() || s->halted) {
    return;
  }
  s->halted = true;
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    if (s->peer[rank].mode == PEER_RUNNING) {
      send_message(s, rank, TAG_HALT, NULL, 0);
    }
  }
}

static bool at_rest(const Server* s) {
  bool over = stop_requested() || coordinator_complete(&s->rank0->coordinator);
  return s->count[PEER_RUNNING] == 0 && (over || s->count[PEER_IDLE] == 0);
}

// Answers messages that have come; *any tells whether there was one.
static bool take_messages(Server* s, AnyMessage* message, bool* any, Error* error) {
  int rank, tag, taken = 0;
  size_t size;
  while (taken < MOST_MESSAGES &&
         comm_poll(s->comm, &rank, &tag, message, sizeof *message, &size)) {
    note_heartbeat(s, rank);
    if (!answer(s, rank, tag, message, error)) {
      return false;
    }
    taken++;
  }
  *any = taken > 0;
  return true;
}

static bool turn(Server* s, AnyMessage* message, Error* error) {
  bool any, looked;
  discount_own_pause(s);
  if (!take_messages(s, message, &any, error)) {
    return false;
  }
  decide_open(s);
  if (!any) {
    look_after_peers(s);
  }
  if (!any && !s->assign) {
    comm_nap(s->comm);
  }
  pass_stop_on(s);
  if (!rank0_tick(s->rank0, error) || !rank0_look(s->rank0, &looked, error)) {
    return false;
  }
  return (!s->assign && !looked) || assign(s, error);
}

Server* server_open(Rank0* r, Arena* arena) {
  Server* s = ARENA_NEW(arena, 1, Server);
  *s = (Server){.rank0 = r, .comm = r->comm, .turned = clock_wall(), .arena = arena};
  s->peer = ARENA_NEW(arena, r->comm->ranks, Peer);
  s->count[PEER_RUNNING] = r->comm->ranks - 1;
  for (int rank = 1; rank < r->comm->ranks; rank++) {
    s->peer[rank] = (Peer){.hyper_episode = -1, .received = s->turned, .sent = s->turned};
  }
  return s;
}

bool serve(Server* s, Error* error) {
  const Rank0* r = s->rank0;
  AnyMessage* message = ARENA_NEW(s->arena, 1, AnyMessage);
  while (!at_rest(s)) {
    if (!turn(s, message, error)) {
      return false;
    }
  }
  bool alone = s->count[PEER_LOST] == r->comm->ranks - 1;
  if (!r->failed && alone && !coordinator_complete(&r->coordinator)) {
    return error_set(error,
                     "every worker is lost; repeat the command: what was sealed and saved "
                     "stands");
  }
  return !r->failed;
}

void server_let_go(Server* s, ClusterEnd end) {
  s->comm->lost = s->count[PEER_LOST] > 0;
  StopMessage stop = {.lost = s->comm->lost, .complete = end == CLUSTER_FINISHED};
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    if (s->peer[rank].mode == PEER_IDLE || s->peer[rank].mode == PEER_STOPPED) {
      comm_send(s->comm, rank, TAG_STOP, &stop, sizeof stop);
    }
  }
}
