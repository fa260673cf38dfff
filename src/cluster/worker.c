// worker.c - the loop of a rank that trains: begin, decide, save, seal.
//
// A Worker runs one hyper-episode at a time. After each unit of work comes a safe point, where it
// sends a heartbeat, notices a request to stop, and writes a checkpoint when one is due. All of
// rank 0 is behind Link, so that this file is the same with and without MPI.
//
// A periodic checkpoint that fails is a warning, because the last good one stands, until the disk
// has taken none for checkpoint.give_up; the one that a stop depends on must succeed, and may
// exceed the budget. When too little time is left even for that, saying so is better than half a
// file.
//
// A hyper-episode is sealed before its checkpoints are removed, and its snapshot, if others go on
// from it, stands before it is sealed: a kill in between repeats work and loses none.
#include "cluster/worker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/fault.h"
#include "base/notice.h"
#include "base/stopwatch.h"
#include "cluster/stop.h"
#include "hyper/checkpoint.h"
#include "hyper/snapshot.h"
#include "hyper/trajectory.h"

static double resident_megabytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

// Seconds between two heartbeats.
#define HEARTBEAT_INTERVAL 1.0

typedef struct {
  Link* link;
  const RunSpec* spec;
  const RunDirectory* directory;
  const SaveOptions* options;
  double last_save;     // when the last checkpoint was written
  double last_heartbeat;  // when the last heartbeat was sent
  double last_point;    // when the last safe point was passed
  double longest_unit;  // seconds between two of them
  double save_seconds;  // that the last checkpoint took
  double unsaved;       // since when none can be written; 0 = they can
  Reminder trouble;     // when to say so
  bool stopping;
  int judged;     // epochs of the hyper-episode when health was taken
  Health health;
  bool dropping;  // somebody else has sealed this hyper-episode
  Arena arena;
} Worker;

static Progress progress_of(Worker* w, const HyperEpisode* h) {
  const Mbpo* m = &h->mbpo;
  if (h->epochs > w->judged) {
    w->health = health_of(h);
  }
  w->judged = h->epochs;
  Progress p = {.env_step = m->env_step, .epochs = m->epoch, .times = m->times};
  p.eval_return = m->eval_mean;
  p.real_ratio = m->real_ratio;
  p.policy_updates = m->policy_updates;
  p.rollout_length = m->rollout_length;
  p.model_trainings = h->epochs > 0 ? (int32_t)h->epoch[h->epochs - 1].model_trainings : 0;
  p.health = w->health;
  p.rss_mb = resident_megabytes();
  return p;
}

static void warn(const char* message) { notice("warning: %s", message); }

static double last_reward(const HyperEpisode* h) {
  return h->decisions > 0 ? decision_reward(&h->decision[h->decisions - 1]) : 0;
}

static void decide(Worker* w, HyperEpisode* h) {
  ReportMessage report;
  report.hyper_episode = h->index;
  report.decision = h->decisions;
  report.policy_version = h->policy_version;
  report.state = h->state;
  report.reward = last_reward(h);
  report.progress = progress_of(w, h);
  report.note_count = h->note_count;
  memcpy(report.notes, h->notes, (size_t)h->note_count * sizeof *h->notes);
  OrderMessage order;
  w->link->decide(w->link, &order, &report);
  CHECK(order.hyper_episode == h->index && order.decision == h->decisions,
        "order for hyper-episode %lld decision %d, expected %lld, %d",
        (long long)order.hyper_episode, order.decision, (long long)h->index, h->decisions);
  w->stopping = w->stopping || order.verdict == ORDER_STOP || order.verdict == ORDER_NONE;
  w->dropping = order.verdict == ORDER_DROP;
  w->last_point = clock_wall();
  if (order.verdict == ORDER_GO || order.verdict == ORDER_STOP) {
    memcpy(h->notes, order.notes, (size_t)order.note_count * sizeof *h->notes);
    hyper_episode_act(h, &order.action);
  }
}

static void heartbeat(Worker* w, const HyperEpisode* h) {
  double now = clock_wall();
  w->longest_unit = fmax(w->longest_unit, now - w->last_point);
  w->last_point = now;
  if (now - w->last_heartbeat >= HEARTBEAT_INTERVAL) {
    AliveMessage alive = {.hyper_episode = h->index,
                          .longest_unit = w->longest_unit,
                          .progress = progress_of(w, h)};
    w->link->alive(w->link, &alive);
    w->last_heartbeat = now;
  }
}

// The checkpoint that a stop depends on may exceed the limit of bytes. Of what somebody else has
// sealed nothing needs to be saved.
static bool save(Worker* w, HyperEpisode* h, Error* error) {
  CheckpointCost cost;
  int64_t max_bytes = w->stopping ? 0 : w->options->max_bytes;
  if (!checkpoint_write(&cost, h, w->directory, max_bytes, error)) {
    return w->stopping && run_is_sealed(w->directory, h->index);
  }
  SavedMessage saved = {.hyper_episode = h->index,
                        .env_step = h->mbpo.env_step,
                        .bytes = cost.bytes,
                        .seconds = cost.seconds};
  w->save_seconds = cost.seconds;
  w->link->saved(w->link, &saved);
  fault_point("after-save");
  w->last_save = w->last_point = clock_wall();
  w->unsaved = 0;
  return true;
}

// Whether to go on without the checkpoint that could not be written: the last good one stands, but
// not for ever, if it is the disk that fails.
static bool bear(Worker* w, const HyperEpisode* h, Error* error) {
  double now = clock_wall();
  w->last_save = now;
  w->unsaved = w->unsaved > 0 ? w->unsaved : now;
  if (error->transient && now - w->unsaved >= w->options->give_up) {
    return error_line(error,
                      "Nothing could be saved for %.0f s (checkpoint.give_up). Mend this and "
                      "repeat the command: hyper-episode %lld goes on from its last checkpoint",
                      now - w->unsaved, (long long)h->index);
  }
  if (reminder_due(&w->trouble)) {
    warn(error->text);
  }
  return true;
}

// Whether there is no time to save before this process is ended.
static bool too_late(const Worker* w) {
  int left = stop_seconds_left();
  return left >= 0 && left < w->save_seconds;
}

// A point between two units of work. A periodic checkpoint that fails is a warning: the last good
// one stands. The one that a stop depends on must succeed.
static bool safe_point(Worker* w, HyperEpisode* h, Error* error) {
  heartbeat(w, h);
  w->stopping = w->stopping || stop_requested();
  if (w->stopping && too_late(w)) {
    warn("no time is left to save: the last checkpoint stands");
    return true;
  }
  if (w->stopping) {
    return save(w, h, error) || error_line(error,
                                           "The stop could not be saved; the last good checkpoint "
                                           "of hyper-episode %lld stands, what came after is lost",
                                           (long long)h->index);
  }
  bool due = stop_save_requested() || clock_wall() - w->last_save >= w->options->interval;
  return !due || save(w, h, error) || bear(w, h, error);
}

// Runs until the end, until a stop was saved, or until it is dropped.
static bool advance(Worker* w, HyperEpisode* h, Error* error) {
  if (h->awaiting) {
    decide(w, h);
  }
  while (!w->stopping && !w->dropping) {
    HyperEvent event = hyper_episode_advance(h);
    if (event == HYPER_FINISHED) {
      return true;
    }
    if (event == HYPER_DECISION) {
      decide(w, h);
    }
    if (!w->dropping && !safe_point(w, h, error)) {
      return false;
    }
  }
  return true;
}

static bool seal(Worker* w, HyperEpisode* h, Error* error) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, w->directory, h->index);
  if ((hyper_episode_goes_on(h) && !snapshot_write(h, w->directory, error)) ||
      !trajectory_write(h, path, error)) {
    return error_line(error,
                      "Mend this (make room on the disk) and repeat the command: hyper-episode "
                      "%lld goes on from its last checkpoint",
                      (long long)h->index);
  }
  checkpoint_remove(w->directory, h->index);
  SealedMessage sealed = {.hyper_episode = h->index,
                          .diverged = h->mbpo.diverged,
                          .decisions = h->decisions,
                          .reward = last_reward(h),
                          .score = hyper_episode_score(h),
                          .progress = progress_of(w, h)};
  w->link->sealed(w->link, &sealed);
  return true;
}

// Begins where the parent ended, if there is one. Its snapshot may be gone when somebody else has
// sealed this hyper-episode.
static bool go_on(Worker* w, HyperEpisode* h, Error* error) {
  if (h->segment.parent < 0 || snapshot_load(h, w->directory, &w->arena, error)) {
    return true;
  }
  w->dropping = run_is_sealed(w->directory, h->index);
  return w->dropping;
}

// What somebody else has sealed.
static bool drop(Worker* w, int64_t hyper_episode, Error* error) {
  char path[RUN_PATH_SIZE];
  bool there;
  run_episode_path(path, w->directory, hyper_episode);
  bool good = run_look_sealed(&there, w->directory, hyper_episode, error) &&
              (!there || files_sync_parent(path, error));
  if (good && there) {
    checkpoint_remove(w->directory, hyper_episode);
  }
  return good;
}

static bool run_one(Worker* w, const BeginMessage* begin, Error* error) {
  HyperEpisode episode;
  bool found;
  if (!hyper_episode_init(&episode, w->spec, begin->hyper_episode,
                          &begin->segment, begin->policy_version, begin->scheduled, &w->arena,
                          error)) {
    return false;
  }
  w->dropping = false;
  w->judged = 0;
  w->last_save = w->last_point = clock_wall();
  bool ok = checkpoint_load(&episode, w->directory, &found, warn, &w->arena, error) &&
            (found || go_on(w, &episode, error)) && (w->dropping || advance(w, &episode, error));
  if (ok && episode.finished) {
    ok = seal(w, &episode, error);
  } else if (ok && w->dropping) {
    ok = drop(w, episode.index, error);
  }
  hyper_episode_free(&episode);
  return ok;
}

WorkerEnd worker_run(Link* link, const RunSpec* spec, const RunDirectory* directory,
                     const SaveOptions* options, Error* error) {
  Worker w = {
      .link = link, .spec = spec, .directory = directory, .options = options};
  arena_init(&w.arena);
  BeginMessage begin;
  bool ok = true;
  while (ok && !w.stopping && link->begin(link, &begin)) {
    ArenaMark mark = arena_mark(&w.arena);
    ok = run_one(&w, &begin, error);
    arena_release(&w.arena, mark);
  }
  arena_free(&w.arena);
  if (ok && w.stopping) {
    link->stopped(link);
  }
  return !ok ? WORKER_FAILED : w.stopping ? WORKER_STOPPED
                                          : WORKER_FINISHED;
}
