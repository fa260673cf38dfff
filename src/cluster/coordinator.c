// coordinator.c - the outer loop of Algorithm 1, as answers to questions that come in any order.
//
// There is one status a hyper-episode (waits, runs, sealed) and a few positions in that array; all
// else is the scheduler's, or in files. Starting is a scan: what is sealed is verified and counted,
// and stages that are complete are folded. coordinator_next assigns the first one that may begin
// and can be leased; coordinator_decide asks the scheduler; coordinator_sealed counts, and folds
// when a stage is complete.
//
// Nothing here depends on who asks or when. A hyper-episode that comes back goes to the next that
// asks, and one that somebody else has sealed meanwhile is dropped by whoever runs it. So neither a
// lost rank nor a second start of the same run needs a protocol of its own.
//
// Positions (first, waiting) exist because there may be a million hyper-episodes: no call begins at
// the first each time. There may be 10,000 workers on a slow file system, too: one call renews all
// leases, one listing finds what is sealed, and a decision asks for no file.
#include "cluster/coordinator.h"

#include <stdio.h>
#include <string.h>

#include "base/notice.h"
#include "hyper/checkpoint.h"
#include "hyper/manifest.h"
#include "hyper/sealed_check.h"
#include "store/pack.h"

typedef enum { EPISODE_WAITS, EPISODE_RUNS, EPISODE_SEALED } EpisodeStatus;

static void release(const Coordinator* c, int64_t e) {
  char name[LEASE_NAME_SIZE];
  lease_of_episode(name, e);
  lease_release(&c->leases, name);
}

static void mark(Coordinator* c, int64_t e, EpisodeStatus status) {
  c->running += (status == EPISODE_RUNS) - (c->status[e] == EPISODE_RUNS);
  c->status[e] = (uint8_t)status;
}

static void mark_sealed(Coordinator* c, int64_t e) {
  mark(c, e, EPISODE_SEALED);
  c->found[e] = true;
  c->sealed++;
  while (c->first < c->total && c->status[c->first] == EPISODE_SEALED) {
    c->first++;
  }
}

// Takes up what an earlier start or another process has sealed.
static bool find_sealed(Coordinator* c, int64_t e, Error* error) {
  Outcome outcome;
  if (!sealed_read_outcome(&outcome, c->directory, c->spec, e, error)) {
    return false;
  }
  mark_sealed(c, e);
  reporter_found(c->reporter, e, &outcome);
  return true;
}

// Of what is sealed; who sealed it may have died before the names were synced.
static bool remove_checkpoints(const Coordinator* c, Error* error) {
  char path[RUN_PATH_SIZE];
  RunIndices begun;
  run_file(path, c->directory, "episodes");
  if ((c->sealed > 0 && !files_sync(path, error)) ||
      !run_list(&begun, run_checkpoint_path, c->directory, c->arena, error)) {
    return false;
  }
  for (int64_t i = 0; i < begun.count; i++) {
    int64_t e = begun.index[i];
    if (e < c->total && c->status[e] == EPISODE_SEALED) {
      checkpoint_remove(c->directory, e);
    }
  }
  return true;
}

// Of a complete run, whoever is alone here removes what killed processes have left.
static void sweep(const Coordinator* c) {
  char path[RUN_PATH_SIZE];
  run_file(path, c->directory, "COMPLETE");
  if (files_stands(path) && leases_are_last(&c->leases, c->lease_timeout)) {
    run_directory_sweep(c->directory);
  }
}

// All that was sealed before is read and compared with its checksums, also what was folded.
static bool scan_episodes(Coordinator* c, Error* error) {
  c->status = ARENA_NEW(c->arena, c->total, uint8_t);
  c->found = ARENA_NEW(c->arena, c->total, bool);
  c->watch = ARENA_NEW(c->arena, c->total, LeaseWatch);
  RunIndices there;
  if (!run_list(&there, run_episode_path, c->directory, c->arena, error)) {
    return false;
  }
  for (int64_t i = 0; i < there.count && there.index[i] < c->total; i++) {
    if (!find_sealed(c, there.index[i], error)) {
      return false;
    }
  }
  return remove_checkpoints(c, error);
}

// A complete run is looked through again, once, before it is sealed: a process that was given up
// may have sealed once more what is in a pack.
bool coordinator_pack(Coordinator* c, Error* error) {
  char path[RUN_PATH_SIZE];
  const SchedulerPlan* plan = &c->scheduler.plan;
  bool complete = coordinator_complete(c), in_stages = plan->updates > 0 && plan->stage_size > 1;
  int64_t size = in_stages ? plan->stage_size : c->total;
  int64_t folded = complete ? c->total : in_stages ? c->scheduler.version * size : 0;
  bool good = true;
  run_file(path, c->directory, "episodes");
  for (c->packed = complete ? 0 : c->packed; good && c->packs && c->packed < folded;
       c->packed += size) {
    good = pack_write(path, (PackRange){c->packed, c->packed + size - 1}, error);
  }
  return good;
}

// Algorithm 1, line 22.
static bool fold_complete_stages(Coordinator* c, Error* error) {
  const StageResult* result;
  do {
    if (!scheduler_fold(&c->scheduler, c->first, &result, error)) {
      return false;
    }
    if (result) {
      reporter_stage(c->reporter, result, c->scheduler.version);
      if (!coordinator_complete(c) && !coordinator_pack(c, error)) {
        return false;
      }
    }
  } while (result);
  return true;
}

bool coordinator_init(Coordinator* c, const RunSpec* x, const RunDirectory* directory,
                      double lease_timeout, bool packs, Reporter* reporter, Arena* arena,
                      Error* error) {
  *c = (Coordinator){.spec = x,
                     .directory = directory,
                     .lease_timeout = lease_timeout,
                     .packs = packs,
                     .reporter = reporter,
                     .arena = arena};
  leases_init(&c->leases, directory);
  leases_renew(&c->leases);  // from here on others know that somebody works here
  sweep(c);
  SchedulerPlan plan = scheduler_plan(x);
  c->total = plan.hyper_episodes;
  bool good = manifest_check(directory, error) && scan_episodes(c, error);
  if (good) {
    reporter_scan(reporter, c->total);
    good = scheduler_open(&c->scheduler, x, directory, arena, error) &&
           scheduler_begin(&c->scheduler, error) &&
           fold_complete_stages(c, error);
  }
  if (!good) {
    leases_end(&c->leases);
  }
  return good;
}

// Whether hyper-episode e is there, and may begin.
static bool is_open(const Coordinator* c, int64_t e) {
  return scheduler_is_ready(&c->scheduler, e);
}

// The first from e on with this status; not open: there is none.
static int64_t find(const Coordinator* c, int64_t e, EpisodeStatus status) {
  e = e > c->first ? e : c->first;
  while (is_open(c, e) && c->status[e] != status) {
    e++;
  }
  return e;
}

// Whether hyper-episode e is ours to run. What others have sealed, coordinator_look takes up.
static bool lease(Coordinator* c, int64_t e) {
  char name[LEASE_NAME_SIZE];
  lease_of_episode(name, e);
  if (!lease_take(&c->leases, name, &c->watch[e], c->lease_timeout)) {
    return false;
  }
  if (run_may_be_sealed(c->directory, e)) {  // where the disk does not tell, it is not begun
    lease_release(&c->leases, name);
    return false;
  }
  return true;
}

// While nothing can be done here: who is waited for, and why.
static void say_who_works(Coordinator* c) {
  char name[LEASE_NAME_SIZE], owner[LEASE_TEXT_SIZE];
  int64_t e = find(c, 0, EPISODE_WAITS);
  if (c->running > 0 || !is_open(c, e)) {
    return;
  }
  lease_of_episode(name, e);
  if (!lease_describe(owner, &c->leases, name, &c->watch[e]) || !reminder_due(&c->waits)) {
    return;
  }
  notice("waiting: hyper-episode %lld is leased by %s; it is taken over when that lasts for "
         "run.lease_timeout = %g s",
         (long long)e, owner, c->lease_timeout);
}

static bool prepare(BeginMessage* begin, Coordinator* c, int64_t e, Error* error) {
  Scheduler* s = &c->scheduler;
  int version = scheduler_version_of(&s->plan, e);
  if (!scheduler_load_version(s, version, error)) {
    return error_add(error, "hyper-episode %lld", (long long)e);
  }
  *begin = (BeginMessage){.hyper_episode = e,
                          .policy_version = s->kind->has_versions ? version : -1,
                          .stage = (int)(s->plan.updates > 0 ? e / s->plan.stage_size : 0),
                          .segment = scheduler_segment(s, e),
                          .scheduled = scheduler_sets(s, version)};
  return true;
}

// A turn of the outer loop (Algorithm 1, lines 2 and 3).
NextAnswer coordinator_next(Coordinator* c, BeginMessage* begin, int rank, Error* error) {
  c->waiting = find(c, c->waiting, EPISODE_WAITS);
  for (int64_t e = c->waiting; e < c->total; e++) {
    if (!is_open(c, e)) {
      break;
    }
    if (c->status[e] == EPISODE_WAITS && lease(c, e)) {
      if (!prepare(begin, c, e, error)) {
        release(c, e);
        return NEXT_FAILED;
      }
      mark(c, e, EPISODE_RUNS);
      c->found[e] = false;  // who has seen a file that is bad may have removed it
      reporter_begin(c->reporter, rank, begin);
      return NEXT_BEGIN;
    }
  }
  if (coordinator_complete(c)) {
    return NEXT_STOP;
  }
  say_who_works(c);
  return NEXT_WAIT;
}

void coordinator_give_back(Coordinator* c, int64_t e) {
  if (e >= 0 && c->status[e] == EPISODE_RUNS) {
    mark(c, e, EPISODE_WAITS);
    c->waiting = e < c->waiting ? e : c->waiting;
    release(c, e);
  }
}

// Reports where a trained controller has never been.
static void note_extrapolation(const Coordinator* c, const ReportMessage* report,
                               const HyperAction* action) {
  const Controller* trained = c->scheduler.trained;
  for (HyperFeature f = 0; trained && f < FEATURE_COUNT; f++) {
    double raw = report->state.raw[f];
    if (controller_extrapolates(trained, action, f, raw)) {
      reporter_extrapolates(c->reporter, report->hyper_episode, f, raw, &trained->seen);
    }
  }
}

// Algorithm 1, line 9.
bool coordinator_decide(OrderMessage* order, bool* later, Coordinator* c,
                        const ReportMessage* report, int rank, Error* error) {
  *later = false;
  order->hyper_episode = report->hyper_episode;
  order->decision = report->decision;
  order->verdict = ORDER_GO;
  order->note_count = 0;
  hyper_action_none(&order->action);
  if (c->found[report->hyper_episode]) {
    order->verdict = ORDER_DROP;
    coordinator_give_back(c, report->hyper_episode);
    reporter_idle(c->reporter, rank);
    return true;
  }
  if (!scheduler_load_version(&c->scheduler, report->policy_version, error)) {
    return error_add(error, "hyper-episode %lld", (long long)report->hyper_episode);
  }
  order->note_count = report->note_count;
  memcpy(order->notes, report->notes, (size_t)report->note_count * sizeof *order->notes);
  SchedulerRequest request = {.hyper_episode = report->hyper_episode,
                              .decision = report->decision,
                              .version = report->policy_version,
                              .state = &report->state,
                              .notes = order->notes,
                              .reward = report->reward};
  if (!scheduler_ask(&order->action, later, &c->scheduler, &request, error)) {
    return false;
  }
  note_extrapolation(c, report, &order->action);
  reporter_progress(c->reporter, rank, report->hyper_episode, &report->progress);
  return true;
}

bool coordinator_sealed(Coordinator* c, const SealedMessage* sealed, int rank, Error* error) {
  release(c, sealed->hyper_episode);
  if (c->status[sealed->hyper_episode] == EPISODE_SEALED) {
    reporter_idle(c->reporter, rank);
    return true;
  }
  mark_sealed(c, sealed->hyper_episode);
  reporter_sealed(c->reporter, rank, sealed);
  scheduler_sealed(&c->scheduler, &(SchedulerOutcome){.hyper_episode = sealed->hyper_episode,
                                                      .diverged = sealed->diverged != 0,
                                                      .score = sealed->score,
                                                      .decisions = sealed->decisions,
                                                      .reward = sealed->reward});
  return fold_complete_stages(c, error);
}

// Of what runs here it is noted alone: its worker may be about to say that it has sealed it, or has
// to be told to drop it. Who sealed it may be held before it syncs the name, and a version will be
// made of it.
static bool take_up(Coordinator* c, int64_t e, Error* error) {
  c->found[e] = true;
  if (c->status[e] != EPISODE_WAITS) {
    return true;
  }
  char path[RUN_PATH_SIZE];
  run_episode_path(path, c->directory, e);
  return files_sync_parent(path, error) && find_sealed(c, e, error);
}

bool coordinator_look(Coordinator* c, Error* error) {
  Arena arena;
  RunIndices there;
  arena_init(&arena);
  // a disk that does not tell must end the start: nobody would begin the hyper-episode either
  bool good = run_list(&there, run_episode_path, c->directory, &arena, error);
  for (int64_t i = 0; good && i < there.count && there.index[i] < c->total; i++) {
    good = take_up(c, there.index[i], error);
  }
  arena_free(&arena);
  return good && fold_complete_stages(c, error);
}

void coordinator_release(const Coordinator* c) {
  for (int64_t e = find(c, 0, EPISODE_RUNS); is_open(c, e); e = find(c, e + 1, EPISODE_RUNS)) {
    release(c, e);
  }
  lease_release(&c->leases, LEASE_STATUS);
  leases_end(&c->leases);
  // the last to go; of two that go at once none may believe that the other one stays
  sweep(c);
}

// Algorithm 1, line 23: a number of stages takes the place of "acceptable performance".
bool coordinator_complete(const Coordinator* c) {
  return c->sealed == c->total && scheduler_is_done(&c->scheduler);
}
