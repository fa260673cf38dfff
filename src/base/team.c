// team.c - fork and join in about a microsecond.
//
// A task is announced by its ticket: a number that no other task has, and how many of its parts are
// still to be had. Who takes a part counts the ticket down by one, in one instruction, so that a
// thread that is late takes nothing of a task that is over: its ticket is not the one any more.
// What a thread has read about a task is valid if its ticket was.
//
// The caller takes parts like the others, and so does without those that come late (others compute
// on their cores); it waits only for parts that somebody has begun. It gives its core away in
// between, as whoever holds one up may need it.
//
// A thread without work looks for a new ticket some thousand times, which bridges what lies between
// two matrix products, and then sleeps: a rank that waits for a decision costs nothing.
#include "base/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define LOOKS 8192  // about 0.2 ms

struct Team {
  int threads;
  pthread_t* helpers;  // (threads - 1)
  // of the running task; written before its ticket
  _Atomic(TeamTask*) task;
  _Atomic(void*) self;
  atomic_int unfinished;    // parts
  _Atomic uint64_t ticket;  // number of the task; in the lower half, parts that nobody has taken
  // for those who sleep
  atomic_int asleep;
  atomic_bool closing;
  pthread_mutex_t mutex;
  pthread_cond_t announced;
};

static void look_again(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static uint32_t parts_left(uint64_t ticket) { return (uint32_t)ticket; }

static uint64_t number(uint64_t ticket) { return ticket >> 32; }

// Takes parts of the running task as long as there are any.
static void take_parts(Team* team) {
  uint64_t ticket = atomic_load(&team->ticket);
  while (parts_left(ticket) > 0) {
    TeamTask* task = atomic_load(&team->task);
    void* self = atomic_load(&team->self);
    if (atomic_compare_exchange_weak(&team->ticket, &ticket, ticket - 1)) {
      task(self, (int)parts_left(ticket) - 1);
      atomic_fetch_sub(&team->unfinished, 1);
      ticket = atomic_load(&team->ticket);
    }
  }
}

// Waits for a task after number `seen`; returns its number.
static uint64_t await_task(Team* team, uint64_t seen) {
  for (int i = 0; i < LOOKS && number(atomic_load(&team->ticket)) == seen; i++) {
    look_again();
  }
  if (number(atomic_load(&team->ticket)) == seen) {
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->asleep, 1);
    while (number(atomic_load(&team->ticket)) == seen) {
      pthread_cond_wait(&team->announced, &team->mutex);
    }
    atomic_fetch_sub(&team->asleep, 1);
    pthread_mutex_unlock(&team->mutex);
  }
  return number(atomic_load(&team->ticket));
}

static void* help(void* self) {
  Team* team = self;
  uint64_t seen = 0;
  while (!atomic_load(&team->closing)) {
    take_parts(team);
    seen = await_task(team, seen);
  }
  return NULL;
}

static void announce(Team* team, uint32_t parts) {
  uint64_t next = number(atomic_load(&team->ticket)) + 1;
  atomic_store(&team->ticket, next << 32 | parts);
  if (atomic_load(&team->asleep) > 0) {
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->announced);
    pthread_mutex_unlock(&team->mutex);
  }
}

bool team_open(Team** opened, int threads, Arena* arena, Error* error) {
  CHECK(threads <= TEAM_MOST, "team_open: %d threads", threads);
  *opened = NULL;
  if (threads < 2) {
    return true;
  }
  Team* team = ARENA_NEW(arena, 1, Team);
  team->helpers = ARENA_NEW(arena, threads - 1, pthread_t);
  pthread_mutex_init(&team->mutex, NULL);
  pthread_cond_init(&team->announced, NULL);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the first thread's
  int failed = 0;
  for (team->threads = 1; !failed && team->threads < threads; team->threads += !failed) {
    failed = pthread_create(&team->helpers[team->threads - 1], NULL, help, team);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) {
    int had = team->threads;
    team_close(team);
    return error_set(error, "only %d of %d threads begin (%s): expected a smaller run.threads, or "
                     "a larger limit of processes (ulimit -u)", had, threads, strerror(failed));
  }
  *opened = team;
  return true;
}

void team_close(Team* team) {
  if (!team) {
    return;
  }
  atomic_store(&team->closing, true);
  announce(team, 0);
  for (int i = 0; i < team->threads - 1; i++) {
    pthread_join(team->helpers[i], NULL);
  }
  pthread_cond_destroy(&team->announced);
  pthread_mutex_destroy(&team->mutex);
}

int team_threads(const Team* team) { return team ? team->threads : 1; }

void team_run(Team* team, TeamTask* task, void* self, int parts) {
  if (!team || parts < 2) {
    for (int part = 0; part < parts; part++) {
      task(self, part);
    }
    return;
  }
  CHECK(atomic_load(&team->unfinished) == 0, "team_run within a task");
  atomic_store(&team->task, task);
  atomic_store(&team->self, self);
  atomic_store(&team->unfinished, parts);
  announce(team, (uint32_t)parts);
  take_parts(team);
  for (int looks = 0; atomic_load(&team->unfinished) > 0; looks++) {
    look_again();
    if (looks >= LOOKS) {
      sched_yield();
    }
  }
}
