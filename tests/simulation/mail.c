// mail.c - the transport: messages that take their time, in order between two ranks.
#include <stdlib.h>
#include <string.h>

#include "cluster/protocol.h"
#include "world.h"

struct Mail {
  Mail* next;
  double arrival;
  int from, tag;
  size_t size;
  char data[];
};

void __real_free(void* memory);
void* __real_malloc(size_t size);

static const char* tag_name(int tag) {
  static const char* const names[] = {"-",     "READY",   "BEGIN",  "STOP",  "REPORT", "ORDER",
                                      "SEALED", "SAVED", "STOPPED", "FAILED", "ALIVE", "HALT"};
  return names[tag];
}

static Actor* peer_of(const Comm* comm, int rank) {
  const Actor* me = comm->self;
  return world.start[me->start].rank[rank];
}

// Behind all that arrives earlier, and behind all from the same rank.
static void deliver(Actor* to, Mail* mail) {
  Mail** at = &to->mail;
  for (Mail** m = at; *m; m = &(*m)->next) {
    if ((*m)->from == mail->from && (*m)->arrival > mail->arrival) {
      mail->arrival = (*m)->arrival;
    }
  }
  while (*at && (*at)->arrival <= mail->arrival) {
    at = &(*at)->next;
  }
  mail->next = *at;
  *at = mail;
  if (to->naps && mail->arrival < to->wake) {
    to->wake = mail->arrival > world.now ? mail->arrival : world.now;
  }
}

static bool is_lost(const Actor* to, int tag) {
  return plant == PLANT_LOST_MESSAGE && to->rank == 0 && tag == TAG_SEALED && world_chance(0.1);
}

static bool mail_send(Comm* comm, int rank, int tag, const void* data, size_t size) {
  Actor* me = comm->self;
  Actor* to = peer_of(comm, rank);
  world_point("send");
  if (!to->alive) {
    world_log("sends %s to rank %d, which is dead", tag_name(tag), rank);
    if (world_chance(0.5)) {
      return true;  // it had room for that message
    }
    world_sleep(5, false);
    return false;
  }
  if (is_lost(to, tag)) {
    return true;
  }
  Mail* mail = __real_malloc(sizeof *mail + size);
  bool late = world.now < world.calm && world_chance(0.2);
  double delay = late ? world.weather.delay * world_uniform() : 1e-3 * world_uniform();
  *mail = (Mail){.arrival = world.now + delay, .from = me->rank, .tag = tag, .size = size};
  if (size > 0) {
    memcpy(mail->data, data, size);
  }
  deliver(to, mail);
  world_log("sends %s to rank %d, there at %.4f", tag_name(tag), rank, mail->arrival);
  return true;
}

static bool mail_poll(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  Actor* me = comm->self;
  Mail* mail = me->mail;
  if (!mail || mail->arrival > world.now) {
    return false;
  }
  CHECK(mail->size <= capacity, "message of %zu bytes, expected at most %zu", mail->size, capacity);
  *rank = mail->from;
  *tag = mail->tag;
  *size = mail->size;
  if (mail->size > 0) {
    memcpy(data, mail->data, mail->size);
  }
  me->mail = mail->next;
  __real_free(mail);
  return true;
}

void mail_drop(Actor* actor) {
  while (actor->mail) {
    Mail* next = actor->mail->next;
    __real_free(actor->mail);
    actor->mail = next;
  }
}

// A nap may last longer than was asked for, but not beyond the next message: so a rank that waits
// for hours costs a few turns a second.
static void mail_sleep(Comm* comm, double seconds) {
  const Actor* me = comm->self;
  if (seconds > 5e-3) {
    world_sleep(seconds, false);
    return;
  }
  double longest = 0.1 + 0.4 * world_uniform();
  double next = me->mail ? me->mail->arrival - world.now : longest;
  world_sleep(next < 0 ? 0 : next < longest ? next : longest, true);
}

static void mail_share(Comm* comm, void* data, size_t size) {
  Actor* me = comm->self;
  Start* start = &world.start[me->start];
  CHECK(size <= sizeof start->said, "%zu bytes are shared", size);
  if (comm->rank == 0) {
    memcpy(start->said, data, size);
    start->shared = true;
    return;
  }
  while (!start->shared) {
    world_sleep(0.05, false);
    if (!start->rank[0]->alive) {
      world_log("has no rank 0");
      world_exit(true);
    }
  }
  memcpy(data, start->said, size);
}

static void mail_gather(Comm* comm, void* all, const void* own, size_t size) {
  (void)comm;
  (void)all;
  (void)own;
  CHECK(size == 0, "nothing is gathered here");
}

static void mail_abort(Comm* comm) {
  Actor* me = comm->self;
  const Start* start = &world.start[me->start];
  for (int r = 0; r < start->ranks; r++) {
    if (start->rank[r] != me) {
      world_kill(start->rank[r], "aborted by another rank");
    }
  }
}

static void mail_leave(Comm* comm, int code) {
  (void)comm;
  world_log("leaves with code %d", code);
  const Actor* a = world.running;
  if (code != 0 && world.weather.quiet && world.start[a->start].rank[0]->alive) {
    world_fail("start %d rank %d leaves, but its rank 0 works", a->start, a->rank);
  }
  world_exit(code != 0);
}

static void mail_finalize(Comm* comm) { (void)comm; }

const CommOps world_comm = {mail_send,   mail_poll,  mail_sleep, mail_share,
                            mail_gather, mail_abort, mail_leave, mail_finalize};
