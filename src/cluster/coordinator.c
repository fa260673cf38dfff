#include "cluster/coordinator.h"

#include <math.h>
#include <string.h>

#include "cluster/fold.h"
#include "hyper/checkpoint.h"
#include "hyper/policy_file.h"
#include "hyper/ppo.h"
#include "hyper/sealed_check.h"

// Stages that the file of a trained controller may hold.
#define LARGEST_TRAINED 10000

typedef enum { EPISODE_WAITS, EPISODE_RUNS, EPISODE_SEALED } EpisodeStatus;

static bool is_kind(const Coordinator* c, const char* kind) {
  return strcmp(c->experiment->scheduler.kind, kind) == 0;
}

static Controller* controller_of(Coordinator* c, int version) {
  CHECK(version <= c->version && version > c->version - c->window,
        "controller version %d is not at hand (newest %d)", version, c->version);
  return &c->controllers[version % c->window];
}

static bool init_controllers(Coordinator* c, Error* error) {
  const Experiment* x = c->experiment;
  int stages = ppo_total_stages(&x->ppo);
  ControllerShape shape = {
      .groups = x->ppo.groups,
      .hidden_size = x->ppo.hidden_size,
      .learning_rate = x->ppo.learning_rate,
      .init_sd = x->ppo.init_sd,
      .max_batch = x->ppo.minibatch_size,
      .max_stages = c->learns ? stages : LARGEST_TRAINED,
  };
  int behind = (x->ppo.look_ahead + x->ppo.episodes_per_update - 1) / x->ppo.episodes_per_update;
  c->window = c->learns ? behind + 2 : 1;
  c->controllers = ARENA_NEW(c->arena, c->window, Controller);
  for (int i = 0; i < c->window; i++) {
    if (!controller_init(&c->controllers[i], &x->hyper, &shape, x->seed, c->arena, error)) {
      return false;
    }
  }
  if (c->learns && c->controllers[0].groups != x->ppo.stages.count) {
    return error_set(error, "ppo.stages has %d entries, expected one for each of the %d groups",
                     x->ppo.stages.count, c->controllers[0].groups);
  }
  return true;
}

static bool save_version(Coordinator* c, Error* error) {
  char path[RUN_PATH_SIZE];
  run_policy_path(path, c->directory, c->version);
  return policy_file_write(controller_of(c, c->version), c->experiment, path, error);
}

// The first policy file that is missing is the next update; those before it are taken up as far as
// running hyper-episodes act with them.
static bool load_versions(Coordinator* c, Error* error) {
  char path[RUN_PATH_SIZE];
  int newest = -1;
  for (int v = 0; v <= experiment_updates(c->experiment); v++) {
    run_policy_path(path, c->directory, v);
    if (!files_exists(path)) {
      break;
    }
    newest = v;
  }
  if (newest < 0) {
    c->version = 0;
    return save_version(c, error);
  }
  c->version = newest;
  for (int v = newest; v >= 0 && v > newest - c->window; v--) {
    run_policy_path(path, c->directory, v);
    if (!sealed_check_policy(c->directory, c->experiment, v, error) ||
        !policy_file_read(controller_of(c, v), path, error)) {
      return false;
    }
  }
  return true;
}

static bool is_sealed(const Coordinator* c, int64_t e) {
  char path[RUN_PATH_SIZE];
  run_episode_path(path, c->directory, e);
  return files_exists(path);
}

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
  c->sealed++;
  while (c->first < c->total && c->status[c->first] == EPISODE_SEALED) {
    c->first++;
  }
}

// Without updates, nothing else reads what was sealed before: it is checked here.
static bool scan_episodes(Coordinator* c, Error* error) {
  char path[RUN_PATH_SIZE];
  run_file(path, c->directory, "COMPLETE");
  bool complete = files_exists(path);
  run_directory_sweep(c->directory, complete);
  c->total = experiment_hyper_episodes(c->experiment);
  c->status = ARENA_NEW(c->arena, c->total, uint8_t);
  for (int64_t e = 0; e < c->total; e++) {
    if (!is_sealed(c, e)) {
      continue;
    }
    if (!c->learns && !complete &&
        !sealed_check_episode(c->directory, c->experiment, e, error)) {
      return false;
    }
    mark_sealed(c, e);
    run_checkpoint_path(path, c->directory, e);
    if (files_exists(path)) {
      checkpoint_remove(c->directory, e);
    }
  }
  return true;
}

static bool stage_is_sealed(const Coordinator* c, int stage) {
  int64_t K = c->experiment->ppo.episodes_per_update;
  for (int64_t e = stage * K; e < (stage + 1) * K; e++) {
    if (c->status[e] != EPISODE_SEALED) {
      return false;
    }
  }
  return true;
}

// Each complete stage makes the next version of the controller: from sealed files, in index order.
static bool fold_complete_stages(Coordinator* c, Error* error) {
  while (c->learns && c->version < experiment_updates(c->experiment) &&
         stage_is_sealed(c, c->version)) {
    Controller* next = &c->controllers[(c->version + 1) % c->window];
    controller_copy(next, controller_of(c, c->version));
    if (!fold_stage(next, c->experiment, c->directory, c->arena, error)) {
      return false;
    }
    c->version++;
    if (!save_version(c, error)) {
      return false;
    }
    reporter_stage(c->reporter, &next->stage[next->stages - 1], c->version);
  }
  return true;
}

static bool load_trained_controller(Coordinator* c, Error* error) {
  const SchedulerOptions* o = &c->experiment->scheduler;
  char path[RUN_PATH_SIZE];
  if (!fold_find_policy(path, o->controller, error) ||
      !policy_file_read(&c->controllers[0], path, error)) {
    return false;
  }
  c->version = 0;
  c->uses_best = strcmp(o->controller_version, "best") == 0;
  return true;
}

bool coordinator_init(Coordinator* c, const Experiment* x, const RunDirectory* directory,
                      double lease_timeout, Reporter* reporter, Arena* arena, Error* error) {
  *c = (Coordinator){.experiment = x,
                     .directory = directory,
                     .lease_timeout = lease_timeout,
                     .reporter = reporter,
                     .arena = arena};
  lease_office_init(&c->leases, directory);
  c->learns = is_kind(c, "ppo");
  c->controlled = c->learns || is_kind(c, "apply");
  if (!scan_episodes(c, error) || (c->controlled && !init_controllers(c, error))) {
    return false;
  }
  reporter_scan(reporter, c->total, c->sealed);
  if (is_kind(c, "apply")) {
    return load_trained_controller(c, error);
  }
  return !c->learns || (load_versions(c, error) && fold_complete_stages(c, error));
}

// Whether head h of a hyper-episode that acts with `version` is set by the scheduler.
static bool schedules(const Coordinator* c, HyperHead h, int version) {
  const HyperOptions* o = &c->experiment->hyper;
  const bool scheduled[HEAD_COUNT] = {o->schedule_train_model, o->schedule_real_ratio,
                                      o->schedule_policy_updates, o->schedule_rollout_length};
  const bool applied[HEAD_COUNT] = {o->apply_train_model, o->apply_real_ratio,
                                    o->apply_policy_updates, o->apply_rollout_length};
  if (is_kind(c, "fixed")) {
    return false;
  }
  if (c->controlled) {
    return controller_schedules(&c->controllers[version % c->window], h) &&
           (c->learns || applied[h]);
  }
  return scheduled[h];
}

static MbpoScheduled scheduled_heads(const Coordinator* c, int version) {
  return (MbpoScheduled){.train_model = schedules(c, HEAD_TRAIN_MODEL, version),
                         .real_ratio = schedules(c, HEAD_REAL_RATIO, version),
                         .policy_updates = schedules(c, HEAD_POLICY_UPDATES, version),
                         .rollout_length = schedules(c, HEAD_ROLLOUT_LENGTH, version)};
}

// Whether hyper-episode e is there, and its controller too.
static bool is_open(const Coordinator* c, int64_t e) {
  return e < c->total && experiment_policy_version(c->experiment, e) <= c->version;
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
static bool lease(const Coordinator* c, int64_t e) {
  char name[LEASE_NAME_SIZE];
  lease_of_episode(name, e);
  if (is_sealed(c, e) || !lease_take(&c->leases, name, c->lease_timeout)) {
    return false;
  }
  if (is_sealed(c, e)) {
    lease_release(&c->leases, name);
    return false;
  }
  return true;
}

NextAnswer coordinator_next(Coordinator* c, BeginMessage* begin, int rank) {
  c->waiting = find(c, c->waiting, EPISODE_WAITS);
  for (int64_t e = c->waiting; e < c->total; e++) {
    int version = experiment_policy_version(c->experiment, e);
    if (version > c->version) {
      return NEXT_WAIT;
    }
    if (c->status[e] != EPISODE_WAITS || !lease(c, e)) {
      continue;
    }
    *begin = (BeginMessage){.hyper_episode = e, .policy_version = c->controlled ? version : -1};
    begin->stage = (int)(c->learns ? e / c->experiment->ppo.episodes_per_update : 0);
    begin->scheduled = scheduled_heads(c, version);
    mark(c, e, EPISODE_RUNS);
    reporter_begin(c->reporter, rank, begin);
    return NEXT_BEGIN;
  }
  return coordinator_complete(c) ? NEXT_STOP : NEXT_WAIT;
}

void coordinator_give_back(Coordinator* c, int64_t e) {
  if (e >= 0 && c->status[e] == EPISODE_RUNS) {
    mark(c, e, EPISODE_WAITS);
    c->waiting = e < c->waiting ? e : c->waiting;
    release(c, e);
  }
}

// Uniform over what is allowed.
static void choose_at_random(HyperAction* action, const HyperState* state, Rng* rng) {
  action->explored = true;
  for (int h = 0; h < HEAD_COUNT; h++) {
    double uniform = rng_uniform(rng);
    int choices = hyper_choice_count(state->allowed[h]);
    if (choices > 0) {
      action->choice[h] = (int8_t)hyper_choice(state->allowed[h], (int)(uniform * choices));
      action->logp[h] = -log(choices);
      action->entropy[h] = log(choices);
    }
  }
}

// Reports where a trained controller has never been.
static void note_extrapolation(const Coordinator* c, const ReportMessage* report,
                               const HyperAction* action) {
  const Controller* controller = &c->controllers[0];
  for (HyperFeature f = 0; f < FEATURE_COUNT; f++) {
    double raw = report->state.raw[f];
    if (controller_extrapolates(controller, action, f, raw)) {
      reporter_extrapolates(c->reporter, report->hyper_episode, f, raw, &controller->seen);
    }
  }
}

void coordinator_decide(OrderMessage* order, Coordinator* c, const ReportMessage* report,
                        int rank) {
  const Experiment* x = c->experiment;
  *order = (OrderMessage){.hyper_episode = report->hyper_episode, .decision = report->decision};
  int version = c->learns ? report->policy_version : 0;
  if (c->status[report->hyper_episode] == EPISODE_SEALED || is_sealed(c, report->hyper_episode)) {
    order->verdict = ORDER_DROP;
    coordinator_give_back(c, report->hyper_episode);
    reporter_idle(c->reporter, rank);
    return;
  }
  Rng rng = rng_stream(x->seed, report->hyper_episode, RNG_DECISION, report->decision);
  hyper_action_none(&order->action);
  if (is_kind(c, "random")) {
    choose_at_random(&order->action, &report->state, &rng);
  } else if (c->controlled) {
    double exploration = c->learns ? ppo_exploration(&x->ppo, version) : 0;
    controller_act(&order->action, controller_of(c, version), &report->state, exploration,
                   c->uses_best, &rng);
    if (!c->learns) {
      note_extrapolation(c, report, &order->action);
    }
  }
  reporter_progress(c->reporter, rank, report->hyper_episode, &report->progress);
}

bool coordinator_sealed(Coordinator* c, const SealedMessage* sealed, int rank, Error* error) {
  release(c, sealed->hyper_episode);
  if (c->status[sealed->hyper_episode] == EPISODE_SEALED) {
    reporter_idle(c->reporter, rank);
    return true;
  }
  mark_sealed(c, sealed->hyper_episode);
  reporter_sealed(c->reporter, rank, sealed);
  return fold_complete_stages(c, error);
}

bool coordinator_look(Coordinator* c, bool* over, Error* error) {
  int64_t e = find(c, c->look, EPISODE_WAITS);
  *over = !is_open(c, e);
  c->look = *over ? 0 : e + 1;
  if (*over) {
    return fold_complete_stages(c, error);
  }
  if (is_sealed(c, e)) {
    mark_sealed(c, e);
    reporter_found(c->reporter);
  }
  return true;
}

void coordinator_renew(Coordinator* c) {
  int64_t e = find(c, c->renewal, EPISODE_RUNS);
  e = is_open(c, e) ? e : find(c, 0, EPISODE_RUNS);
  c->renewal = e + 1;
  if (is_open(c, e)) {
    char name[LEASE_NAME_SIZE];
    lease_of_episode(name, e);
    lease_renew(&c->leases, name);
  }
}

void coordinator_release(const Coordinator* c) {
  for (int64_t e = find(c, 0, EPISODE_RUNS); is_open(c, e); e = find(c, e + 1, EPISODE_RUNS)) {
    release(c, e);
  }
}

bool coordinator_complete(const Coordinator* c) {
  return c->sealed == c->total && (!c->learns || c->version == experiment_updates(c->experiment));
}
