// serve.c - rank 0 of several: deals hyper-episodes, answers, and notices who is gone.
//
// A Service has a Partner for each rank, which works, waits, rests or is lost, and one loop (turn):
// take the messages that have come, give orders whose answers arrived from outside, deal, pass a
// stop on, tick. Nothing in it waits long for one rank. A question that a controller outside
// answers later is kept in `open`, and its rank goes on waiting while everybody else is served.
//
// A rank that is silent for too long is given up: its hyper-episode goes to another, and if it
// comes back it works on, since doing a thing twice gives the same bits. The patience grows with
// the longest unit of work that was seen, and a pause of rank 0 itself is forgiven: silence is
// measured by one who may have slept.
#include <math.h>
#include <stdio.h>

#include "base/stopwatch.h"
#include "campaign_internal.h"
#include "cluster/stop.h"

// A rank is not given up before this many times the longest way to a safe point.
#define SILENCE_MARGIN 3.0

// If rank 0 itself did nothing for longer, in seconds, nobody is blamed for it.
#define OWN_PAUSE 1.0

// Messages that are answered before other work has its turn.
#define MOST_MESSAGES 64

typedef enum {
  PARTNER_WORKS,
  PARTNER_WAITS,  // asked for work and got none yet
  PARTNER_RESTS,  // stopped, with a checkpoint
  PARTNER_LOST,
  PARTNER_MODES,
} PartnerMode;

typedef struct {
  PartnerMode mode;
  int64_t hyper_episode;  // that it was dealt; -1 = none
  double received;        // when its last message came
  double sent;            // when the last message went to it
  bool asks;              // it waits for an order that comes later
} Partner;

typedef struct {
  Campaign* campaign;
  Comm* comm;
  Partner* partner;  // (ranks) by rank; 0 is not used
  int count[PARTNER_MODES];
  int dealt;         // the rank that was last looked at for dealing
  double turned;     // when the loop last turned
  bool halted;       // the partners were told to stop
  bool deal;         // there may be work for those that wait
  Arena* arena;
  ReportMessage* open;  // (ranks) of partners that ask; NULL: none ever had to wait
} Service;

static void set_mode(Service* s, int rank, PartnerMode mode) {
  s->count[s->partner[rank].mode]--;
  s->count[mode]++;
  s->partner[rank].mode = mode;
}

static void give_up(Service* s, int rank) {
  Partner* partner = &s->partner[rank];
  set_mode(s, rank, PARTNER_LOST);
  reporter_lost(&s->campaign->reporter, rank, clock_wall() - partner->received);
  coordinator_give_back(&s->campaign->coordinator, partner->hyper_episode);
  partner->hyper_episode = -1;
  partner->asks = false;
  s->deal = true;
}

static void send_message(Service* s, int rank, int tag, const void* data, size_t size) {
  s->partner[rank].sent = clock_wall();
  if (!comm_send(s->comm, rank, tag, data, size)) {
    give_up(s, rank);
  }
}

static bool has_takers(const Service* s) {
  return s->count[PARTNER_WAITS] > 0 && !stop_requested();
}

// The next rank that waits; there is one.
static int next_waiting(Service* s) {
  do {
    s->dealt = s->dealt % (s->comm->ranks - 1) + 1;
  } while (s->partner[s->dealt].mode != PARTNER_WAITS);
  return s->dealt;
}

// Gives work to some of those that wait, as far as there is some.
static bool deal(Service* s, Error* error) {
  double begun = clock_wall();
  while (has_takers(s) && clock_wall() - begun < PORTION) {
    BeginMessage begin;
    int rank = next_waiting(s);
    NextAnswer next = coordinator_next(&s->campaign->coordinator, &begin, rank, error);
    if (next != NEXT_BEGIN) {
      s->deal = false;
      return next != NEXT_FAILED;
    }
    set_mode(s, rank, PARTNER_WORKS);
    s->partner[rank].hyper_episode = begin.hyper_episode;
    send_message(s, rank, TAG_BEGIN, &begin, sizeof begin);
  }
  s->deal = has_takers(s);
  return true;
}

// An order that comes later delays nobody else.
static void decide(Service* s, int rank, const ReportMessage* report) {
  OrderMessage order;
  bool answered = campaign_decide(s->campaign, &order, report, rank);
  s->partner[rank].asks = !answered;
  if (answered) {
    send_message(s, rank, TAG_ORDER, &order, order_size(&order));
    return;
  }
  s->open = s->open ? s->open : ARENA_NEW(s->arena, s->comm->ranks, ReportMessage);
  s->open[rank] = *report;
}

// Gives the orders that answers from outside have made possible.
static void decide_open(Service* s) {
  for (int64_t e = campaign_listen(s->campaign, 0); e >= 0; e = campaign_listen(s->campaign, 0)) {
    for (int rank = 1; rank < s->comm->ranks; rank++) {
      if (s->partner[rank].asks && s->open[rank].hyper_episode == e) {
        ReportMessage report = s->open[rank];
        decide(s, rank, &report);
      }
    }
  }
}

static bool answer(Service* s, int rank, int tag, const AnyMessage* message, Error* error) {
  Campaign* c = s->campaign;
  Partner* partner = &s->partner[rank];
  switch (tag) {
    case TAG_READY:
      set_mode(s, rank, PARTNER_WAITS);
      partner->hyper_episode = -1;
      s->deal = true;
      return true;
    case TAG_REPORT:
      decide(s, rank, &message->report);
      return true;
    case TAG_SEALED:
      s->deal = true;
      return coordinator_sealed(&c->coordinator, &message->sealed, rank, error);
    case TAG_SAVED:
      campaign_note_saved(c, &message->saved, rank);
      return true;
    case TAG_ALIVE:
      campaign_note_alive(c, &message->alive, rank);
      return true;
    case TAG_STOPPED:
      stop_request();
      set_mode(s, rank, PARTNER_RESTS);
      partner->asks = false;
      coordinator_give_back(&c->coordinator, partner->hyper_episode);
      return true;
    case TAG_FAILED:
      return error_set(error, "rank %d: %s", rank, message->failed.text);
  }
  CHECK(false, "unknown message %d from rank %d", tag, rank);
}

// A rank that was given up and speaks again goes on; what it does twice is the same.
static void note_heartbeat(Service* s, int rank) {
  Partner* partner = &s->partner[rank];
  partner->received = clock_wall();
  if (partner->mode == PARTNER_LOST) {
    fprintf(stderr, "warning: rank %d is back\n", rank);
    set_mode(s, rank, PARTNER_WORKS);
  }
}

// A pause of rank 0 (an update, a frozen host) is nobody's silence.
static void discount_own_pause(Service* s) {
  double now = clock_wall();
  double pause = now - s->turned;
  s->turned = now;
  for (int rank = 1; pause > OWN_PAUSE && rank < s->comm->ranks; rank++) {
    s->partner[rank].received += pause;
  }
}

static void look_after_partners(Service* s) {
  double now = clock_wall();
  double limit = fmax(s->campaign->options->lost_after,
                      SILENCE_MARGIN * s->campaign->longest_unit);
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    Partner* partner = &s->partner[rank];
    bool idle = partner->mode == PARTNER_WAITS || partner->mode == PARTNER_RESTS || partner->asks;
    if (partner->mode != PARTNER_LOST && now - partner->received > limit) {
      give_up(s, rank);
    } else if (idle && now - partner->sent > IDLE_HEARTBEAT_INTERVAL) {
      send_message(s, rank, TAG_ALIVE, NULL, 0);
    }
  }
}

// Passes a request to stop on to those that do not know of it.
static void pass_stop_on(Service* s) {
  if (!stop_requested() || s->halted) {
    return;
  }
  s->halted = true;
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    if (s->partner[rank].mode == PARTNER_WORKS) {
      send_message(s, rank, TAG_HALT, NULL, 0);
    }
  }
}

static bool at_rest(const Service* s) {
  bool over = stop_requested() || coordinator_complete(&s->campaign->coordinator);
  return s->count[PARTNER_WORKS] == 0 && (over || s->count[PARTNER_WAITS] == 0);
}

// Answers messages that have come; *any tells whether there was one.
static bool take_messages(Service* s, AnyMessage* message, bool* any, Error* error) {
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

static bool turn(Service* s, AnyMessage* message, Error* error) {
  bool any, looked;
  discount_own_pause(s);
  if (!take_messages(s, message, &any, error)) {
    return false;
  }
  decide_open(s);
  if (!any) {
    look_after_partners(s);
  }
  if (!any && !s->deal) {
    comm_nap(s->comm);
  }
  pass_stop_on(s);
  if (!campaign_tick(s->campaign, error) || !campaign_look(s->campaign, &looked, error)) {
    return false;
  }
  return (!s->deal && !looked) || deal(s, error);
}

static void dismiss(Service* s) {
  s->comm->lost = s->count[PARTNER_LOST] > 0;
  StopMessage stop = {.lost = s->comm->lost,
                      .complete = coordinator_complete(&s->campaign->coordinator)};
  for (int rank = 1; rank < s->comm->ranks; rank++) {
    if (s->partner[rank].mode != PARTNER_LOST) {
      comm_send(s->comm, rank, TAG_STOP, &stop, sizeof stop);
    }
  }
}

bool serve(Campaign* c, Arena* arena, Error* error) {
  Service s = {.campaign = c, .comm = c->comm, .turned = clock_wall(), .arena = arena};
  s.partner = ARENA_NEW(arena, c->comm->ranks, Partner);
  s.count[PARTNER_WORKS] = c->comm->ranks - 1;
  for (int rank = 1; rank < c->comm->ranks; rank++) {
    s.partner[rank] = (Partner){.hyper_episode = -1, .received = s.turned, .sent = s.turned};
  }
  AnyMessage* message = ARENA_NEW(arena, 1, AnyMessage);
  while (!at_rest(&s)) {
    if (!turn(&s, message, error)) {
      return false;
    }
  }
  bool alone = s.count[PARTNER_LOST] == c->comm->ranks - 1;
  if (!c->failed && alone && !coordinator_complete(&c->coordinator)) {
    return error_set(error,
                     "every worker is lost; repeat the command: what was sealed and saved "
                     "stands");
  }
  dismiss(&s);
  return !c->failed;
}
