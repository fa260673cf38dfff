#include "cluster/fold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "hyper/ppo.h"
#include "hyper/sealed_check.h"

static double mean(const double* values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    sum += values[i];
  }
  return count > 0 ? sum / count : NAN;
}

// Mean evaluation return over the epochs of a run; an epoch lost to a divergence counts as
// diverged_return.
static double score_of(const Trajectory* t, const Experiment* x) {
  int epochs = experiment_epochs(x);
  double sum = 0;
  for (int e = 0; e < epochs; e++) {
    sum += e < t->epochs ? t->eval_return_mean[e] : x->hyper.diverged_return;
  }
  return sum / epochs;
}

static bool read_stage(Trajectory* trajectories, const Experiment* x, const RunDirectory* directory,
                       int stage, Arena* arena, Error* error) {
  int K = x->ppo.episodes_per_update;
  for (int i = 0; i < K; i++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, directory, (int64_t)stage * K + i);
    if (!sealed_check_episode(directory, x, (int64_t)stage * K + i, error) ||
        !trajectory_read(&trajectories[i], path, arena, error)) {
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

static void summarise(StageResult* result, const Experiment* x, const Trajectory* trajectories,
                      const PpoData* data, int version, Arena* arena) {
  int K = x->ppo.episodes_per_update;
  double* scores = ARENA_NEW(arena, K, double);
  double* baselines = ARENA_NEW(arena, K, double);
  for (int i = 0; i < K; i++) {
    scores[i] = score_of(&trajectories[i], x);
    baselines[i] = mean(trajectories[i].baseline_return, trajectories[i].epochs);
  }
  *result = (StageResult){.stage = version, .first_episode = version * K, .episodes = K};
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

bool fold_stage(Controller* controller, const Experiment* x, const RunDirectory* directory,
                Arena* arena, Error* error) {
  ArenaMark mark = arena_mark(arena);
  int K = x->ppo.episodes_per_update;
  Trajectory* trajectories = ARENA_NEW(arena, K, Trajectory);
  bool ok = read_stage(trajectories, x, directory, controller->version, arena, error);
  if (ok) {
    PpoData data;
    StageResult result;
    ppo_data_collect(&data, trajectories, K, arena);
    summarise(&result, x, trajectories, &data, controller->version, arena);
    for (int i = 0; i < K; i++) {
      controller_see(controller, trajectories[i].features, trajectories[i].decisions);
    }
    fault_point("in-update");
    ppo_update(controller, &x->ppo, &data, &result, x->seed, arena);
  }
  arena_release(arena, mark);
  return ok;
}

bool fold_find_policy(char out[RUN_PATH_SIZE], const char* named, Error* error) {
  struct stat info;
  if (stat(named, &info) != 0) {
    return error_set(error, "scheduler.controller: '%s' does not exist", named);
  }
  if (!S_ISDIR(info.st_mode)) {
    snprintf(out, RUN_PATH_SIZE, "%s", named);
    return true;
  }
  RunDirectory directory;
  snprintf(directory.path, sizeof directory.path, "%s", named);
  bool found = false;
  for (int v = 0; v < 1000000; v++) {
    char path[RUN_PATH_SIZE];
    run_policy_path(path, &directory, v);
    if (!files_exists(path)) {
      break;
    }
    memcpy(out, path, sizeof path);
    found = true;
  }
  return found || error_set(error, "%s: no policy file in its policy/ directory", named);
}
