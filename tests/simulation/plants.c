// plants.c - faults of the program that the simulation must find, and laws that are looked after
// where a call can be watched. Faults of syncing, of messages and of state are where these are made.
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "hyper/sealed_check.h"
#include "rank0.h"
#include "store/files.h"

Plant plant = PLANT_NONE;

const char* const plant_names[PLANTS] = {
    [PLANT_NONE] = "none",
    [PLANT_NO_FILE_SYNC] = "no-file-sync",
    [PLANT_NO_DIRECTORY_SYNC] = "no-directory-sync",
    [PLANT_LEASE_TWICE] = "lease-twice",
    [PLANT_NEVER_RENEWED] = "never-renewed",
    [PLANT_FOLD_ORDER] = "fold-order",
    [PLANT_FORGOTTEN_STATE] = "forgotten-state",
    [PLANT_LOST_MESSAGE] = "lost-message",
    [PLANT_EARLY_END] = "early-end",
    [PLANT_SWEPT_ALIVE] = "swept-alive",
};

bool __real_lease_take(const Leases* leases, const char* name, LeaseWatch* watch, double timeout);
bool __wrap_lease_take(const Leases* leases, const char* name, LeaseWatch* watch, double timeout) {
  bool taken = __real_lease_take(leases, name, watch, timeout);
  return taken || plant == PLANT_LEASE_TWICE;
}

// Takes unfinished files, of whomever they are.
static void sweep_unfinished(void) {
  char path[RUN_PATH_SIZE];
  char** names;
  int count = 0;
  Arena arena;
  Error ignored;
  arena_init(&arena);
  run_file(path, world.directory, "episodes");
  if (files_list(&names, &count, path, ".tmp", &arena, &ignored)) {
    for (int i = 0; i < count; i++) {
      unlink(text_format(&arena, "%s/%s", path, names[i]));
    }
  }
  arena_free(&arena);
}

void __real_leases_renew(const Leases* leases);
void __wrap_leases_renew(const Leases* leases) {
  if (plant != PLANT_NEVER_RENEWED) {
    __real_leases_renew(leases);
  }
  if (plant == PLANT_SWEPT_ALIVE) {
    sweep_unfinished();
  }
}

// Where nobody dies, pauses or is stopped, nothing is done twice.
NextAnswer __real_coordinator_next(Coordinator* coordinator, BeginMessage* begin, int rank,
                                   Error* error);
NextAnswer __wrap_coordinator_next(Coordinator* c, BeginMessage* begin, int rank, Error* error) {
  NextAnswer next = __real_coordinator_next(c, begin, rank, error);
  if (next != NEXT_BEGIN) {
    return next;
  }
  const Start* start = &world.start[world.running->start];
  world_log("assigns hyper-episode %lld to rank %d", (long long)begin->hyper_episode, rank);
  for (int i = 0; world.weather.quiet && i < world.actors; i++) {
    if (world.holder[i] == begin->hyper_episode) {
      world_fail("hyper-episode %lld runs in start %d rank %d, and begins in start %d rank %d",
                 (long long)begin->hyper_episode, world.actor[i].start, world.actor[i].rank,
                 world.running->start, rank);
    }
  }
  world.holder[start->rank[rank] - world.actor] = begin->hyper_episode;
  return next;
}

bool __real_coordinator_sealed(Coordinator* c, const SealedMessage* sealed, int rank,
                               Error* error);
bool __wrap_coordinator_sealed(Coordinator* c, const SealedMessage* sealed, int rank,
                               Error* error) {
  Start* start = &world.start[world.running->start];
  world.acknowledged[sealed->hyper_episode] = start->counted[sealed->hyper_episode] = true;
  world.holder[start->rank[rank] - world.actor] = -1;
  return __real_coordinator_sealed(c, sealed, rank, error);
}

// What a start knows to be sealed it lets nobody go on with.
bool __real_coordinator_decide(OrderMessage* order, bool* later, Coordinator* c,
                               const ReportMessage* report, int rank, Error* error);
bool __wrap_coordinator_decide(OrderMessage* order, bool* later, Coordinator* c,
                               const ReportMessage* report, int rank, Error* error) {
  bool good = __real_coordinator_decide(order, later, c, report, rank, error);
  if (good && world.start[world.running->start].counted[report->hyper_episode] &&
      order->verdict != ORDER_DROP) {
    world_fail("rank %d goes on with hyper-episode %lld, which its start knows to be sealed", rank,
               (long long)report->hyper_episode);
  }
  return good;
}

// A process runs what it was assigned.
bool __real_hyper_episode_init(HyperEpisode* h, const RunSpec* x, int64_t index,
                               const HyperSegment* segment, int policy_version,
                               MbpoScheduled scheduled, Arena* arena, Error* error);
bool __wrap_hyper_episode_init(HyperEpisode* h, const RunSpec* x, int64_t index,
                               const HyperSegment* segment, int policy_version,
                               MbpoScheduled scheduled, Arena* arena, Error* error) {
  const Actor* a = world.running;
  if (world.holder[a - world.actor] != index) {
    world_fail("start %d rank %d runs hyper-episode %lld, which it was not assigned", a->start,
               a->rank, (long long)index);
  }
  return __real_hyper_episode_init(h, x, index, segment, policy_version, scheduled, arena, error);
}

// A stage is folded in another order: a hyper-episode takes the place of the one beside it.
bool __real_sealed_read_episode(Trajectory* t, const RunDirectory* directory, const RunSpec* x,
                                int64_t e, Arena* arena, Error* error);
bool __wrap_sealed_read_episode(Trajectory* t, const RunDirectory* directory, const RunSpec* x,
                                int64_t e, Arena* arena, Error* error) {
  char other[RUN_PATH_SIZE];
  run_episode_path(other, directory, e ^ 1);
  bool swapped = plant == PLANT_FOLD_ORDER && world.running && world_chance(0.2) &&
                 access(other, R_OK) == 0;
  return __real_sealed_read_episode(t, directory, x, swapped ? e ^ 1 : e, arena, error);
}

// The other ranks may go before rank 0 has sealed the run.
bool __real_serve(Server* server, Error* error);
bool __wrap_serve(Server* server, Error* error) {
  bool ok = __real_serve(server, error);
  if (plant == PLANT_EARLY_END) {
    server_let_go(server, CLUSTER_FINISHED);
  }
  return ok;
}
