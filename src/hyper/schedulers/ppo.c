// ppo: the controller that learns (paper, section 5.2; Algorithm 1, lines 1, 9 and 22).
//
// Version v of the controller is policy/vNNNNNN.h5; the first is made when a run is opened. A start
// loads the newest that is there, and those before it as far back as a hyper-episode that runs
// may act with (the window). A complete stage is folded into the next version from its sealed
// files, in the order of their indices; who folds it does not matter.
//
// With ppo.advantage=fork a stage has more hyper-episodes, which repeat others but for one decision
// (hyper/ppo_forks.h). Here that is the stream that a hyper-episode draws from, and which rows are
// learnt from; nobody else can tell the two apart.
#include <math.h>
#include <string.h>

#include "base/fault.h"
#include "hyper/policy_file.h"
#include "hyper/ppo_forks.h"
#include "hyper/sealed_check.h"
#include "hyper/scheduler_kinds.h"

typedef struct {
  int window;               // versions kept
  Controller* controllers;  // (window) version v at v % window; then one older than these
  int older;                // its version; -1 = none yet
} Learner;

static bool read_version(Controller* c, const Scheduler* s, int version, Error* error) {
  char path[RUN_PATH_SIZE];
  run_policy_path(path, s->directory, version);
  return sealed_check_policy(s->directory, s->spec, version, error) &&
         policy_file_read(c, path, error);
}

static bool is_kept(const Scheduler* s, int version) {
  return version > s->version - ((const Learner*)s->self)->window;
}

// A version older than the window acts where a hyper-episode is made again that was folded before,
// because its file was removed.
static bool load_version(Scheduler* s, int version, Error* error) {
  Learner* l = s->self;
  if (version < 0 || version > s->version) {
    return error_set(error, "there is no version %d of the controller, expected 0 to %d", version,
                     s->version);
  }
  if (is_kept(s, version) || l->older == version) {
    return true;
  }
  l->older = -1;
  if (!read_version(&l->controllers[l->window], s, version, error)) {
    return false;
  }
  l->older = version;
  return true;
}

static Controller* controller_of(const Scheduler* s, int version) {
  const Learner* l = s->self;
  CHECK(version >= 0 && version <= s->version, "controller version %d, newest %d", version,
        s->version);
  CHECK(is_kept(s, version) || version == l->older, "controller version %d is not there", version);
  return &l->controllers[is_kept(s, version) ? version % l->window : l->window];
}

static SchedulerPlan plan(const RunSpec* x) {
  int updates = ppo_total_stages(&x->ppo);
  return (SchedulerPlan){.epochs = x->hyper.train_epochs,
                         .hyper_episodes = (int64_t)updates * ppo_stage_size(&x->ppo),
                         .updates = updates,
                         .versions = updates + 1,
                         .stage_size = ppo_stage_size(&x->ppo),
                         .look_ahead = x->ppo.look_ahead};
}

// The versions, and the decisions of a stage: as they are read and as the update wants them, about
// as much as while they were made.
static double bytes(const RunSpec* x) {
  return (ppo_versions_kept(&x->ppo) + 1) *
             scheduler_controller_bytes(x, ppo_total_stages(&x->ppo)) +
         (double)ppo_stage_size(&x->ppo) * (double)hyper_episode_most_decisions(x) *
             sizeof(Decision);
}

// Versions on disk --------------------------------------------------------------------------------

static bool save_version(const Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE];
  run_policy_path(path, s->directory, s->version);
  return policy_file_write(controller_of(s, s->version), s->spec, path, error);
}

// The first policy file that is missing is the next update. -1: there is none yet.
static bool find_newest(int* newest, const Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE];
  bool there = true;
  *newest = -1;
  while (there && *newest < s->plan.updates) {
    run_policy_path(path, s->directory, *newest + 1);
    if (!files_look(&there, path, error)) {
      return false;
    }
    *newest += there;
  }
  return true;
}

static bool init_learner(Scheduler* s, int window, Error* error) {
  Learner* l = ARENA_NEW(s->arena, 1, Learner);
  s->self = l;
  l->window = window;
  l->older = -1;
  l->controllers = ARENA_NEW(s->arena, window + 1, Controller);
  for (int i = 0; i <= window; i++) {
    if (!scheduler_init_controller(&l->controllers[i], s, s->plan.updates, error)) {
      return false;
    }
  }
  return true;
}

static bool open_version(Scheduler* s, int version, Error* error) {
  s->version = version;
  return init_learner(s, 1, error) &&
         policy_file_read(controller_of(s, version), s->spec->scheduler.controller, error);
}

static bool open_run(Scheduler* s, Error* error) {
  int newest;
  if (!init_learner(s, ppo_versions_kept(&s->spec->ppo), error) ||
      !find_newest(&newest, s, error)) {
    return false;
  }
  bool ok = true;
  const Learner* l = s->self;
  s->version = newest < 0 ? 0 : newest;
  for (int v = 0; ok && v <= newest; v++) {
    ok = v > newest - l->window ? read_version(controller_of(s, v), s, v, error)
                                : sealed_check_policy(s->directory, s->spec, v, error);
  }
  return ok;
}

// Version 0 is the controller as it was set up.
static bool begin_run(Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE];
  bool there = s->version > 0;
  run_policy_path(path, s->directory, 0);
  return (there || files_look(&there, path, error)) && (there || save_version(s, error));
}

// Acting ------------------------------------------------------------------------------------------

static bool sets(const Scheduler* s, HyperHead head, int version) {
  return controller_schedules(controller_of(s, version), head);
}

static PpoFork fork_of(const Scheduler* s, int64_t e) {
  const RunSpec* x = s->spec;
  return ppo_fork_of(&x->ppo, x->seed, e, hyper_episode_most_decisions(x));
}

static void segment(HyperSegment* segment, const Scheduler* s, int64_t e) {
  segment->streams = fork_of(s, e).base;
}

// A fork draws as its hyper-episode does, but once.
static void decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  PpoFork fork = fork_of(s, request->hyper_episode);
  SchedulerRequest drawn = *request;
  drawn.hyper_episode =
      request->decision == fork.decision ? request->hyper_episode : fork.base;
  Rng rng = scheduler_stream(s, &drawn);
  controller_act(action, controller_of(s, request->version), request->state,
                 ppo_exploration(&s->spec->ppo, request->version), false, &rng);
}

// Folding -----------------------------------------------------------------------------------------

static double mean(const double* values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    sum += values[i];
  }
  return count > 0 ? sum / count : NAN;
}

static bool read_stage(Trajectory* trajectories, const RunSpec* x, const RunDirectory* directory,
                       int stage, Arena* arena, Error* error) {
  int size = ppo_stage_size(&x->ppo);
  for (int i = 0; i < size; i++) {
    int64_t e = (int64_t)stage * size + i;
    if (!sealed_read_episode(&trajectories[i], directory, x, e, arena, error)) {
      return error_add(error, "stage %d", stage);
    }
  }
  return true;
}

static void mean_entropies(StageResult* result, const Trajectory* trajectories, int count) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    double sum = 0;
    int64_t rows = 0;
    for (int i = 0; i < count; i++) {
      for (int d = 0; d < trajectories[i].decisions; d++) {
        double entropy = trajectories[i].entropy[d * HEAD_COUNT + h];
        if (!isnan(entropy)) {
          sum += entropy;
          rows++;
        }
      }
    }
    result->entropy[h] = rows > 0 ? sum / (double)rows : NAN;
  }
}

static void summarise(StageResult* result, const RunSpec* x, const Trajectory* trajectories,
                      const PpoData* data, int version, Arena* arena) {
  int K = x->ppo.episodes_per_update;
  double* scores = ARENA_NEW(arena, K, double);
  double* baselines = ARENA_NEW(arena, K, double);
  for (int i = 0; i < K; i++) {
    baselines[i] = mean(trajectories[i].baseline_return, trajectories[i].epochs);
  }
  *result = (StageResult){.stage = version, .episodes = K};
  result->first_episode = version * ppo_stage_size(&x->ppo);
  result->diverged = trajectory_scores(scores, trajectories, K);
  result->group = ppo_group_of_version(&x->ppo, version, NULL);
  result->score = mean(scores, K);
  for (int i = 0; i < K; i++) {
    result->score_std += (scores[i] - result->score) * (scores[i] - result->score) / K;
  }
  result->score_std = sqrt(result->score_std);
  result->baseline_score = mean(baselines, K);
  result->advantage_mean = mean(data->advantage, data->count);
  result->exploration = ppo_exploration(&x->ppo, version);
  mean_entropies(result, trajectories, K);
}

static void find_clipped(StageResult* result, const Controller* c, const RunSpec* x,
                         const Trajectory* trajectories) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    const ControllerHead* head = &c->heads[h];
    bool learns = head->scheduled && head->group == c->active_group;
    for (int i = 0; learns && i < head->feature_count; i++) {
      int f = head->features[i];
      result->clipped[f] = trajectories_clip(trajectories, x->ppo.episodes_per_update,
                                             (HyperFeature)f, x->hyper.feature_min);
    }
  }
}

// Updates the controller on stage controller->version, read from its sealed files in index order.
static bool fold_stage(Controller* controller, const RunSpec* x, const RunDirectory* directory,
                       Arena* arena, Error* error) {
  ArenaMark mark = arena_mark(arena);
  int K = x->ppo.episodes_per_update, size = ppo_stage_size(&x->ppo);
  Trajectory* trajectories = ARENA_NEW(arena, size, Trajectory);
  bool ok = read_stage(trajectories, x, directory, controller->version, arena, error);
  if (ok) {
    PpoData data;
    StageResult result;
    if (size == K) {
      ppo_data_collect(&data, trajectories, K, arena);
    } else {
      ppo_forks_collect(&data, trajectories, &x->ppo, x->seed, (int64_t)controller->version * size,
                        hyper_episode_most_decisions(x), arena);
    }
    summarise(&result, x, trajectories, &data, controller->version, arena);
    find_clipped(&result, controller, x, trajectories);
    for (int i = 0; i < K; i++) {
      controller_see(controller, trajectories[i].features, trajectories[i].decisions);
    }
    fault_point("in-update");
    ppo_update(controller, &x->ppo, &data, &result, x->seed, arena);
  }
  arena_release(arena, mark);
  return ok;
}

static bool fold(Scheduler* s, const StageResult** result, Error* error) {
  const Learner* l = s->self;
  Controller* next = &l->controllers[(s->version + 1) % l->window];
  controller_copy(next, controller_of(s, s->version));
  if (!fold_stage(next, s->spec, s->directory, s->arena, error)) {
    return false;
  }
  s->version++;
  *result = &next->stage[next->stages - 1];
  return save_version(s, error);
}

// In the place of the older controller, from the first version on.
static bool remake(Scheduler* s, int version, const char* path, Error* error) {
  Learner* l = s->self;
  Controller* c = &l->controllers[l->window];
  l->older = -1;
  bool made = version == 0 ? scheduler_init_controller(c, s, s->plan.updates, error)
                           : fold_stage(c, s->spec, s->directory, s->arena, error);
  return made && policy_file_write(c, s->spec, path, error);
}

// Groups of heads, and for each one number of stages, where they learn.
static void check(OptionsCheck* check, const RunSpec* x) {
  const PpoOptions* p = &x->ppo;
  int groups;
  scheduler_check_groups(&groups, x, check);
  if (groups > 0 && p->stages.count != groups) {
    options_broken(check, "ppo.stages",
                   "must have one item for each of the %d groups of ppo.groups", groups);
  }
  if (groups > 0 && p->init_sd.count != 1 && p->init_sd.count != groups) {
    options_broken(check, "ppo.init_sd", "must have one item, or one for each of the %d groups",
                   groups);
  }
  options_check_integers(check, "ppo.stages", &p->stages);
}

const SchedulerKind scheduler_ppo = {
    .name = "ppo",
    .steps = true,
    .needs_baseline = true,
    .has_versions = true,
    .can_fork = true,
    .check = check,
    .plan = plan,
    .bytes = bytes,
    .open = open_run,
    .begin = begin_run,
    .open_version = open_version,
    .load_version = load_version,
    .sets = sets,
    .segment = segment,
    .decide = decide,
    .fold = fold,
    .remake = remake,
};
