// world.c - turns, time and death.
#define _GNU_SOURCE
#include "world.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "cluster/stop.h"

#define STACK (1u << 19)

// What the weather did may end a start so much later: a pause of rank 0, the patience of its
// workers, and that of rank 0 with them.
#define LAST_EFFECT 300.0

World world;

static ucontext_t scheduler;
static void* stacks[MOST_PROCESSES];
static int free_stacks;

// SplitMix64: one state, so that a seed is a campaign.
uint64_t world_random(void) {
  uint64_t z = world.state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

double world_uniform(void) { return (double)(world_random() >> 11) * 0x1p-53; }

bool world_chance(double p) { return p > 0 && world_uniform() < p; }

void world_log(const char* format, ...) {
  if (!world.trace) {
    return;
  }
  va_list args;
  va_start(args, format);
  printf("%10.4f  ", world.now);
  if (world.running) {
    printf("start %d rank %d  ", world.running->start, world.running->rank);
  }
  vprintf(format, args);
  putchar('\n');
  va_end(args);
}

void world_fail(const char* format, ...) {
  char text[sizeof world.failure];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  world_log("BROKEN: %s", text);
  if (!*world.failure) {
    snprintf(world.failure, sizeof world.failure, "%.2000s", text);
  }
}

// Memory -----------------------------------------------------------------------------------------

void* __real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void* memory);

struct Owned {
  Owned *next, *before;
  size_t size;
  char pad[40];  // memory behind it is aligned as an arena wants it
};
_Static_assert(sizeof(Owned) == 64, "alignment");

void* world_alloc(size_t size) {
  Owned* owned = __real_aligned_alloc(64, (sizeof *owned + size + 63) / 64 * 64);
  *owned = (Owned){.size = size};
  Actor* a = world.running;
  if (a) {
    owned->next = a->owned;
    if (a->owned) {
      a->owned->before = owned;
    }
    a->owned = owned;
  }
  return owned + 1;
}

void world_free(void* memory) {
  if (!memory) {
    return;
  }
  Owned* owned = (Owned*)memory - 1;
  Actor* a = world.running;
  if (owned->before) {
    owned->before->next = owned->next;
  } else if (a && a->owned == owned) {
    a->owned = owned->next;
  }
  if (owned->next) {
    owned->next->before = owned->before;
  }
  __real_free(owned);
}

// The product's own calls (base/arena.c, base/archive.c).
void* __wrap_aligned_alloc(size_t alignment, size_t size) {
  (void)alignment;
  return world_alloc(size);
}
void* __wrap_malloc(size_t size) { return world_alloc(size); }
void __wrap_free(void* memory) { world_free(memory); }
void* __wrap_realloc(void* memory, size_t size) {
  void* larger = world_alloc(size);
  if (memory) {
    size_t old = ((Owned*)memory - 1)->size;
    memcpy(larger, memory, old < size ? old : size);
    world_free(memory);
  }
  return larger;
}

static void release(Actor* a) {
  disk_release(a);
  mail_drop(a);
  while (a->owned) {
    Owned* next = a->owned->next;
    __real_free(a->owned);
    a->owned = next;
  }
  if (a->stack) {
    stacks[free_stacks++] = a->stack;
  }
  __real_free(a->context);
  a->stack = a->context = NULL;
}

void world_forget(void) {
  for (int i = 0; i < world.actors; i++) {
    release(&world.actor[i]);
  }
}

// Processes --------------------------------------------------------------------------------------

int world_pid(const Actor* actor) { return 1000 + (int)(actor - world.actor); }

Actor* world_actor(int pid) {
  int i = pid - 1000;
  return i >= 0 && i < world.actors ? &world.actor[i] : NULL;
}

// One of its ranks has ended without MPI_Finalize: mpirun ends the others.
static void doom(Start* s) {
  if (!s->recovers && s->doomed == 0) {
    s->doomed = world.now + 3 * world_uniform();
  }
}

static void die(Actor* a) {
  a->alive = false;
  world.holder[a - world.actor] = -1;
  world.weather.quiet = world.weather.tidy = false;
  doom(&world.start[a->start]);
}

void world_kill(Actor* a, const char* why) {
  if (a->alive) {
    world_log("start %d rank %d is killed: %s", a->start, a->rank, why);
    die(a);
  }
}

void world_kill_start(int start, const char* why) {
  for (int r = 0; r < world.start[start].ranks; r++) {
    world_kill(world.start[start].rank[r], why);
  }
}

_Noreturn void world_exit(bool dead) {
  Actor* a = world.running;
  if (dead) {
    die(a);
  }
  a->alive = false;
  world.holder[a - world.actor] = -1;
  swapcontext(a->context, &scheduler);
  abort();
}

void world_sleep(double seconds, bool naps) {
  Actor* a = world.running;
  int kept = errno;
  a->wake = world.now + seconds;
  a->naps = naps;
  swapcontext(a->context, &scheduler);
  errno = kept;
}

void world_point(const char* what) {
  Actor* a = world.running;
  if (!a) {
    return;
  }
  const Weather* w = &world.weather;
  if (world.now < world.calm && world_chance(w->point_kill)) {
    world_log("dies at %s", what);
    world_exit(true);
  }
  if (world.now < world.calm && world_chance(w->slow)) {
    bool long_one = world_chance(0.02);
    world.weather.quiet = world.weather.quiet && !long_one;  // as good as a pause
    world_sleep((long_one ? 8 : 1e-3) * world_uniform(), false);
  }
}

static void rank_main(void) {
  Actor* a = world.running;
  Start* start = &world.start[a->start];
  a->end = cluster_run(&a->comm, world.spec, world.directory, world.options, &a->error);
  world_log("ends: %s%s%s", a->end == CLUSTER_FINISHED  ? "finished"
                            : a->end == CLUSTER_STOPPED ? "stopped"
                                                        : "failed",
            a->end == CLUSTER_FAILED ? ": " : "", a->end == CLUSTER_FAILED ? a->error.text : "");
  if (a->end == CLUSTER_FAILED) {
    bool storm = world.now < world.calm + LAST_EFFECT;
    bool excused = (world.weather.fail > 0 && a->error.transient) ||
                   strstr(a->error.text, "every worker is lost") ||
                   strstr(a->error.text, "the controller 'controller': has ended");
    if (!storm || !excused) {
      world_fail("start %d rank %d fails: %s", a->start, a->rank, a->error.text);
    }
    comm_abort(&a->comm);
  }
  if (a->end == CLUSTER_FINISHED && !start->complete) {
    world_fail("start %d rank %d ends before rank 0 has completed the run", a->start, a->rank);
  }
  if (a->end == CLUSTER_STOPPED && a->rank == 0 && !start->asked) {
    world_fail("start %d ends with work left, and nobody has asked it to", a->start);
  }
  if (a->comm.lost) {
    doom(start);  // it ends without MPI_Finalize
  }
  world_exit(false);
}

static void spawn(Start* s, int start, int rank, int host) {
  if (world.actors == MOST_PROCESSES) {
    world_fail("%d processes were not enough", MOST_PROCESSES);
    return;
  }
  Actor* a = &world.actor[world.actors++];
  *a = (Actor){.start = start, .rank = rank, .host = host, .alive = true};
  a->wake = world.now + 0.2 * world_uniform();
  a->clock = 1e4 * world_uniform();
  a->comm = (Comm){.ops = &world_comm,
                   .rank = rank,
                   .ranks = s->ranks,
                   .nap = COMM_SHORTEST_NAP,
                   .self = a};
  a->stack = free_stacks > 0 ? stacks[--free_stacks]
                             : mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ucontext_t* context = calloc(1, sizeof *context);
  getcontext(context);
  context->uc_stack.ss_sp = a->stack;
  context->uc_stack.ss_size = STACK;
  makecontext(context, rank_main, 0);
  a->context = context;
  s->rank[rank] = a;
  world.holder[a - world.actor] = -1;
}

void world_start(int ranks, int host, bool recovers) {
  Start* s = &world.start[world.starts];
  *s = (Start){.ranks = ranks, .recovers = recovers};
  world_log("start %d: %d ranks on host %d%s", world.starts, ranks, host,
            recovers ? ", whose ranks outlive each other" : "");
  for (int r = 0; r < ranks; r++) {
    spawn(s, world.starts, r, host);
  }
  world.starts++;
}

// mpirun ends all ranks when one has died, unless it was told otherwise.
static void end_doomed(void) {
  for (int s = 0; s < world.starts; s++) {
    if (world.start[s].doomed > 0 && world.now >= world.start[s].doomed) {
      world.start[s].doomed = 0;
      world_kill_start(s, "mpirun ends all ranks");
    }
  }
}

bool world_turn(void) {
  end_doomed();
  Actor* next = NULL;
  for (int i = 0; i < world.actors; i++) {
    Actor* a = &world.actor[i];
    if (!a->alive && a->context) {
      release(a);
    }
    if (a->alive && a->ends > 0 && world.now > a->ends) {
      world_kill(a, "the grace is over");
      continue;
    }
    if (a->alive && (!next || a->wake < next->wake)) {
      next = a;
    }
  }
  if (!next) {
    return false;
  }
  world.now = fmax(world.now, next->wake);
  world.steps++;
  world.running = next;
  swapcontext(&scheduler, next->context);
  world.running = NULL;
  return true;
}
