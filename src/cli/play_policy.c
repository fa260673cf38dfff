// play_policy.c - the policy of a sealed hyper-episode, and the choice of the best in a run.
//
// The file says its network's widths, and a Sac is made around them, of which only the policy is
// used: to act is then the training's own code, to the bit.
//
// The best hyper-episode is the one with the largest mean evaluation return over its epochs, which
// is its score, and not the one with the best last evaluation: there is more luck in the maximum of
// single evaluations. One that diverged is never the best.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/play.h"
#include "hyper/run_directory.h"
#include "hyper/sealed_root.h"

#define GROUP "final/policy"

// Sizes and options of the network that the file describes.
static bool read_shape(H5File* file, SacOptions* options, int* obs_size, int* act_size,
                       Arena* arena, Error* error) {
  int64_t widths[MLP_MAX_LAYERS + 1] = {0};
  int count = h5_attribute_count(file, GROUP, "widths");
  const char* activation = h5_get_text(file, GROUP, "activation", arena);
  if (count < 3 || count > MLP_MAX_LAYERS + 1 || strcmp(activation, "relu") != 0) {
    return error_set(error, "%s: " GROUP " is not the policy of a hyper-episode", file->path);
  }
  h5_get_i64s(file, GROUP, "widths", widths, count);
  for (int i = 0; i < count; i++) {
    if (widths[i] < 1 || widths[i] > 1 << 16) {
      return error_set(error, "%s: a layer of " GROUP " has %lld units, expected 1 to %d",
                       file->path, (long long)widths[i], 1 << 16);
    }
  }
  options->batch_size = 1;
  options->hidden_size = options->hidden_layers = 1;  // of the critics
  options->policy_layers.count = count - 2;
  for (int l = 0; l < count - 2; l++) {
    options->policy_layers.value[l] = (double)widths[l + 1];
  }
  *obs_size = (int)widths[0];
  *act_size = (int)widths[count - 1] / 2;
  return true;
}

static bool read_policy(PlayPolicy* policy, H5File* file, Arena* arena, Error* error) {
  SacOptions options = sac_default_options();
  int obs_size = 0;
  int act_size = 0;
  if (!read_shape(file, &options, &obs_size, &act_size, arena, error)) {
    return false;
  }
  Rng rng = rng_stream(0, 0, RNG_INIT, 0);
  sac_init(&policy->sac, &options, obs_size, act_size, &rng, arena);
  policy->task = h5_get_text(file, "", "env", arena);
  policy->engine = h5_get_text(file, "", "env_engine", arena);
  h5_read(file, GROUP "/parameters", sizeof(Real) == 4 ? H5_F32 : H5_F64,
          (int64_t)policy->sac.policy_net.size, 0, policy->sac.policy);
  return true;
}

bool play_policy_read(PlayPolicy* policy, const char* path, Arena* arena, Error* error) {
  H5File file;
  char target[FILES_PATH_SIZE];
  if (!h5_open(&file, files_target(target, path), EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  Error problem;
  bool read = read_policy(policy, &file, arena, error);
  bool closed = h5_close(&file, read ? error : &problem);
  return read && closed;
}

// Mean evaluation return of a sealed hyper-episode; NaN if it has no epoch.
static bool read_score(double* score, bool* diverged, const char* path, Arena* arena,
                       Error* error) {
  H5File file;
  if (!h5_open(&file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  int epochs = h5_rows(&file, "epochs/eval_return_mean");
  double* returns = ARENA_NEW(arena, epochs, double);
  h5_read(&file, "epochs/eval_return_mean", H5_F64, epochs, 0, returns);
  *diverged = strcmp(h5_get_text(&file, "", "status", arena), "diverged") == 0;
  *score = 0;
  for (int e = 0; e < epochs; e++) {
    *score += returns[e];
  }
  *score /= epochs;
  return h5_close(&file, error);
}

static bool consider(PlayBest* best, const char* path, Arena* arena, Error* error) {
  double score;
  bool diverged;
  if (!read_score(&score, &diverged, path, arena, error)) {
    return false;
  }
  best->hyper_episodes++;
  best->diverged += diverged;
  if (!diverged && score > best->score) {
    best->score = score;
    best->path = path;
  }
  return true;
}

bool play_find_best(PlayBest* best, const char* directory, Arena* arena, Error* error) {
  RunDirectory run;
  RunIndices sealed;
  *best = (PlayBest){.score = -INFINITY};
  snprintf(run.path, sizeof run.path, "%s", directory);
  if (!run_list(&sealed, run_episode_path, &run, arena, error)) {
    return false;
  }
  for (int64_t i = 0; i < sealed.count; i++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, &run, sealed.index[i]);
    if (!consider(best, arena_string(arena, path), arena, error)) {
      return false;
    }
  }
  return best->path || error_set(error, "%s: none of %d sealed hyper-episodes finished", directory,
                                 best->hyper_episodes);
}
