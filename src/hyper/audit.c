// audit.c - the second computation of what is sealed.
//
// What is compared is compared as bits (two NaNs are equal). The columns of a sealed file are read
// into one Record. Decisions go through the scheduler as it is, so that whoever schedules is
// audited, too. What an action changes, rewards and advantages are written out here once more, from
// section 5.1, equation 9 and docs/formats.md alone: a mistake in hyper_episode.c would not be
// repeated.
#include "hyper/audit.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "hyper/scratch_directory.h"
#include "hyper/sealed_root.h"

#define MOST_LINES 20

typedef struct {
  const char* path;
  int64_t index;
  int version;
  int decisions, epochs, evaluations;
  bool diverged;
  double score, initial_return;
  // decisions
  int64_t* env_step;
  int32_t *epoch, *step_in_epoch;
  double *raw, *state, *logp, *entropy, *hyperparameters;
  uint8_t *allowed, *explored;
  int8_t* action;
  double *reward, *reward_return, *reward_train, *baseline, *advantage;
  double* real_reward;  // NULL: the scheduler keeps no notes
  // epochs
  int64_t* end_step;
  double* returns;  // (epochs, evaluations)
} Record;

static bool same(double a, double b) { return (isnan(a) && isnan(b)) || memcmp(&a, &b, 8) == 0; }

__attribute__((format(printf, 2, 3))) static void differs(Audit* a, const char* format, ...) {
  char line[256];
  va_list args;
  if (a->differences++ < MOST_LINES) {
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_add(a->report, "%s\n", line);
  }
}

// Controllers -------------------------------------------------------------------------------------

static bool compare_files(Audit* a, const char* path, const char* again, Error* error) {
  uint64_t sealed, made;
  if (!files_hash(&sealed, path, error) || !files_hash(&made, again, error)) {
    return false;
  }
  a->policies++;
  if (sealed != made) {
    differs(a, "%s: is not what follows from the hyper-episodes (checksum %016" PRIx64
            ", made again %016" PRIx64 ")", path, sealed, made);
  }
  return true;
}

bool audit_policies(Audit* a, Scheduler* s, Error* error) {
  char path[RUN_PATH_SIZE], again[RUN_PATH_SIZE];
  RunDirectory place;
  if (!s->kind->remake) {
    return true;
  }
  if (!scratch_directory_make(&place, error)) {
    return false;
  }
  bool good = true;
  for (int v = 0; good && v <= s->version; v++) {
    run_policy_path(path, s->directory, v);
    run_policy_path(again, &place, v);
    good = s->kind->remake(s, v, again, error) && compare_files(a, path, again, error);
    unlink(again);
  }
  scratch_directory_remove(&place);
  return good;
}

// Decisions ---------------------------------------------------------------------------------------

static HyperState state_at(const Record* r, int i) {
  HyperState state;
  memcpy(state.raw, r->raw + i * FEATURE_COUNT, sizeof state.raw);
  memcpy(state.scaled, r->state + i * FEATURE_COUNT, sizeof state.scaled);
  memcpy(state.allowed, r->allowed + i * HEAD_COUNT, sizeof state.allowed);
  state.real_reward = r->real_reward ? r->real_reward[i] : NAN;
  return state;
}

// The action of decision i, taken again; *explored as it was recorded.
static HyperAction decide_again(Scheduler* s, const Record* r, int i, double* notes) {
  HyperState state = state_at(r, i);
  HyperAction action;
  SchedulerRequest request = {
      .hyper_episode = r->index, .decision = i, .version = r->version, .state = &state,
      .notes = notes};
  scheduler_decide(&action, s, &request);
  return action;
}

static void compare_action(Audit* a, const Record* r, int i, const HyperAction* action) {
  if (action->explored != (r->explored[i] != 0)) {
    differs(a, "%s: decision %d: explored is %d, expected %d", r->path, i, r->explored[i],
            action->explored);
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    int at = i * HEAD_COUNT + h;
    if (action->choice[h] != r->action[at] || !same(action->logp[h], r->logp[at]) ||
        !same(action->entropy[h], r->entropy[at])) {
      differs(a, "%s: decision %d, %s: choice %d (log-probability %.17g), expected %d (%.17g)",
              r->path, i, head_name((HyperHead)h), r->action[at], r->logp[at], action->choice[h],
              action->logp[h]);
    }
  }
}

static void compare_number(Audit* a, const Record* r, int i, const char* what, double found,
                           double expected) {
  if (!same(found, expected)) {
    differs(a, "%s: decision %d: %s is %.17g, expected %.17g", r->path, i, what, found, expected);
  }
}

static void compare_state(Audit* a, const RunSpec* x, const Record* r, int i) {
  HyperState state = state_at(r, i);
  hyper_scale(&state, &x->hyper);
  for (int f = 0; f < FEATURE_COUNT; f++) {
    compare_number(a, r, i, feature_name((HyperFeature)f), r->state[i * FEATURE_COUNT + f],
                   state.scaled[f]);
  }
}

// What a choice makes of a hyperparameter (paper, section 5.1): beta times c, G and k plus 1, or
// back, up to their bounds.
static double stepped(HyperHead head, int choice, double value, const HyperOptions* o) {
  int up = choice - 1;
  double c = o->real_ratio_factor;
  switch (head) {
    case HEAD_REAL_RATIO:
      value *= up > 0 ? c : up < 0 ? 1 / c : 1;
      return fmin(fmax(value, o->real_ratio_min), o->real_ratio_max);
    case HEAD_POLICY_UPDATES:
      return fmin(fmax(value + up, o->policy_updates_min), o->policy_updates_max);
    case HEAD_ROLLOUT_LENGTH:
      return fmin(fmax(value + up, o->rollout_length_min), o->rollout_length_max);
    default:
      return choice;
  }
}

// The hyperparameters after the action, and what the choice to train costs at once.
static void compare_effects(Audit* a, const RunSpec* x, const Record* r, int i,
                            const HyperAction* action) {
  const double* raw = r->raw + i * FEATURE_COUNT;
  const double* after = r->hyperparameters + i * HEAD_COUNT;
  const double before[HEAD_COUNT] = {[HEAD_TRAIN_MODEL] = after[HEAD_TRAIN_MODEL],
                                     [HEAD_REAL_RATIO] = raw[FEATURE_REAL_RATIO],
                                     [HEAD_POLICY_UPDATES] = raw[FEATURE_POLICY_UPDATES],
                                     [HEAD_ROLLOUT_LENGTH] = raw[FEATURE_ROLLOUT_LENGTH]};
  for (int h = 0; h < HEAD_COUNT; h++) {
    bool chosen = action->choice[h] != ACTION_NONE;
    double expected = action->sets[h] ? action->value[h]
                      : chosen ? stepped((HyperHead)h, action->choice[h], before[h], &x->hyper)
                               : before[h];
    compare_number(a, r, i, head_name((HyperHead)h), after[h], expected);
  }
  bool asked = action->sets[HEAD_TRAIN_MODEL] || action->choice[HEAD_TRAIN_MODEL] != ACTION_NONE;
  double penalty = asked ? x->hyper.train_penalty : 0;
  double bonus = x->hyper.train_penalty_centred ? penalty / 2 : 0;
  double paid = after[HEAD_TRAIN_MODEL] == 1 ? penalty : 0;
  compare_number(a, r, i, "the reward for training or not", r->reward_train[i], bonus - paid);
}

// Rewards (paper, section 5.1 and equation 9) -----------------------------------------------------

static double mean_return(const Record* r, int epoch) {
  double sum = 0;
  for (int i = 0; i < r->evaluations; i++) {
    sum += r->returns[epoch * r->evaluations + i];
  }
  return sum / r->evaluations;
}

static double baseline_of(const RunSpec* x, int64_t env_step) {
  return x->baseline ? baseline_at(x->baseline, env_step) / x->hyper.reward_scale : 0;
}

static double lost_return(const RunSpec* x, const Record* r) {
  double worst = x->baseline ? baseline_least(x->baseline) : 0;
  worst = fmin(worst, r->initial_return);
  for (int e = 0; e < r->epochs; e++) {
    worst = fmin(worst, mean_return(r, e));
  }
  return fmin(x->hyper.diverged_return, worst - x->hyper.reward_scale);
}

// What the last decision of each epoch earns: (decisions) of returns and of R', in units of reward.
static void earn(double* returns, double* baselines, const RunSpec* x, const Record* r,
                 int length) {
  double scale = x->hyper.reward_scale;
  for (int i = 0; i < r->decisions; i++) {
    bool last = i + 1 == r->decisions || r->epoch[i + 1] != r->epoch[i];
    int e = r->epoch[i] - r->epoch[0];
    bool ended = last && e < r->epochs;
    returns[i] = ended ? mean_return(r, e) / scale : 0;
    baselines[i] = ended ? baseline_of(x, r->end_step[e]) : 0;
  }
  int end = r->decisions - 1;
  int64_t step = end >= 0 ? r->env_step[end] - r->step_in_epoch[end] : 0;
  for (int e = r->epochs; r->diverged && end >= 0 && e < length; e++) {
    step += x->mbpo.epoch_length;
    returns[end] += lost_return(x, r) / scale;
    baselines[end] += baseline_of(x, step);
  }
}

static void compare_rewards(Audit* a, const RunSpec* x, const Record* r, int length,
                            Arena* arena) {
  double* returns = ARENA_NEW(arena, r->decisions, double);
  double* baselines = ARENA_NEW(arena, r->decisions, double);
  double to_go = 0;
  earn(returns, baselines, x, r, length);
  for (int i = r->decisions - 1; i >= 0; i--) {
    double reward = returns[i] + r->reward_train[i];
    to_go += reward - baselines[i];
    a->advantages++;
    if (!same(returns[i], r->reward_return[i]) || !same(baselines[i], r->baseline[i]) ||
        !same(reward, r->reward[i]) || !same(to_go, r->advantage[i])) {
      differs(a, "%s: decision %d: reward %.17g, baseline %.17g, advantage %.17g, expected %.17g, "
              "%.17g, %.17g", r->path, i, r->reward[i], r->baseline[i], r->advantage[i], reward,
              baselines[i], to_go);
    }
  }
}

static void compare_score(Audit* a, const RunSpec* x, const Record* r, int length) {
  double sum = (length - r->epochs) * lost_return(x, r);
  for (int e = 0; e < r->epochs; e++) {
    sum += mean_return(r, e);
  }
  double score = length > 0 ? sum / length : NAN;
  if (!same(score, r->score)) {
    differs(a, "%s: score %.17g, expected %.17g", r->path, r->score, score);
  }
}

// Reading -----------------------------------------------------------------------------------------

static void read_decisions(Record* r, H5File* file, Arena* arena) {
  int D = r->decisions;
  r->env_step = sealed_read(file, "decisions/env_step", H5_I64, D, 0, arena);
  r->epoch = sealed_read(file, "decisions/epoch", H5_I32, D, 0, arena);
  r->step_in_epoch = sealed_read(file, "decisions/step_in_epoch", H5_I32, D, 0, arena);
  r->raw = sealed_read(file, "decisions/features_raw", H5_F64, D, FEATURE_COUNT, arena);
  r->state = sealed_read(file, "decisions/state", H5_F64, D, FEATURE_COUNT, arena);
  r->allowed = sealed_read(file, "decisions/allowed", H5_U8, D, HEAD_COUNT, arena);
  r->action = sealed_read(file, "decisions/action", H5_I8, D, HEAD_COUNT, arena);
  r->explored = sealed_read(file, "decisions/explored", H5_BOOL, D, 0, arena);
  r->logp = sealed_read(file, "decisions/logp", H5_F64, D, HEAD_COUNT, arena);
  r->entropy = sealed_read(file, "decisions/entropy", H5_F64, D, HEAD_COUNT, arena);
  r->hyperparameters = sealed_read(file, "decisions/hyperparameters", H5_F64, D, HEAD_COUNT, arena);
  r->reward = sealed_read(file, "decisions/reward", H5_F64, D, 0, arena);
  r->reward_return = sealed_read(file, "decisions/reward_return", H5_F64, D, 0, arena);
  r->reward_train = sealed_read(file, "decisions/reward_train_model", H5_F64, D, 0, arena);
  r->baseline = sealed_read(file, "decisions/baseline", H5_F64, D, 0, arena);
  r->advantage = sealed_read(file, "decisions/advantage", H5_F64, D, 0, arena);
  if (h5_has(file, "decisions/real_reward")) {
    r->real_reward = sealed_read(file, "decisions/real_reward", H5_F64, D, 0, arena);
  }
}

static bool read_record(Record* r, const char* path, const RunSpec* x, Arena* arena,
                        Error* error) {
  H5File file;
  *r = (Record){.path = path};
  if (!h5_open(&file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  const char* status = h5_get_text(&file, "", "status", arena);
  r->index = h5_get_i64(&file, "", "hyper_episode");
  r->version = h5_get_int(&file, "", "policy_version", -1, INT32_MAX);
  r->diverged = status && strcmp(status, "diverged") == 0;
  r->score = h5_get_f64(&file, "", "score");
  r->initial_return = h5_get_f64(&file, "epochs", "initial_eval_return");
  r->evaluations = x->mbpo.evaluation_episodes;
  r->decisions = h5_rows(&file, "decisions/env_step");
  r->epochs = h5_rows(&file, "epochs/env_step");
  r->end_step = sealed_read(&file, "epochs/env_step", H5_I64, r->epochs, 0, arena);
  r->returns = sealed_read(&file, "epochs/eval_returns", H5_F64, r->epochs, r->evaluations, arena);
  read_decisions(r, &file, arena);
  return h5_close(&file, error);
}

bool audit_episode(Audit* a, Scheduler* s, int64_t e, Error* error) {
  const RunSpec* x = s->spec;
  char path[RUN_PATH_SIZE];
  Record r;
  Arena arena;
  arena_init(&arena);
  run_episode_path(path, s->directory, e);
  bool good = read_record(&r, path, x, &arena, error) &&
              scheduler_load_version(s, r.version, error);
  if (good) {
    HyperSegment segment = scheduler_segment(s, e);
    int length = segment.last_epoch - segment.first_epoch;
    double* notes = ARENA_NEW(&arena, s->plan.notes, double);
    a->episodes++;
    for (int i = 0; i < r.decisions; i++) {
      HyperAction action = decide_again(s, &r, i, notes);
      compare_state(a, x, &r, i);
      compare_action(a, &r, i, &action);
      compare_effects(a, x, &r, i, &action);
      a->decisions++;
    }
    compare_rewards(a, x, &r, length, &arena);
    compare_score(a, x, &r, length);
  }
  arena_free(&arena);
  return good;
}
