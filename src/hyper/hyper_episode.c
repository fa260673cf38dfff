// hyper_episode.c - MBPO with decisions: the hyper-MDP of the paper as a state machine around
// mbpo.c.
//
// hyper_episode_advance passes mbpo_advance's events on. At a decision it measures the state
// (Algorithm 1, line 8) and waits: `awaiting` is part of what is saved, so that a hyper-episode may
// be stopped with a question open. hyper_episode_act applies the answer, writes the row of the
// decision, whose reward is 0 so far (lines 20 and 21), and goes on; the end of an epoch puts its
// evaluation into the last row (lines 18 and 19).
//
// Advantages are computed once, at the end, because each is a sum to the end. A run that diverged
// is charged for the epochs that it lost before that, so that no controller learns to end runs.
//
// A segment is the part of a run that is one hyper-episode: whole runs have one, a member of a
// population has one a round, which begins in the state in which another ended.
#include "hyper/hyper_episode.h"

#include <math.h>
#include <string.h>

#include "env/env_files.h"
#include "hyper/scheduler.h"

int64_t hyper_episode_most_decisions(const RunSpec* x) {
  return (int64_t)scheduler_plan(x).epochs *
         mbpo_times_per_epoch(&x->mbpo, x->hyper.decision_interval);
}

static MbpoSetup setup_of(const RunSpec* x, const MbpoOptions* options, MbpoScheduled scheduled,
                          int64_t index) {
  return (MbpoSetup){
      .task = x->task,
      .assets = x->assets,
      .sac = &x->sac,
      .model = &x->model,
      .mbpo = options,
      .scheduled = scheduled,
      .epochs = scheduler_plan(x).run_epochs,
      .decision_interval = x->hyper.decision_interval,
      .max_rollout_length = run_spec_longest_rollout(x, scheduled),
      .seed = x->seed,
      .hyper_episode = index,
      .threads = x->threads,
  };
}

HyperEpisodeBytes hyper_episode_bytes(const RunSpec* x, MbpoScheduled scheduled,
                                      const EnvSpec* spec) {
  MbpoOptions options = run_spec_mbpo(x);
  MbpoSetup setup = setup_of(x, &options, scheduled, 0);
  options.max_path_length = mbpo_path_limit(&options, spec);
  double most = (double)mbpo_most_steps(&options, setup.epochs);
  double row = (spec->obs_size + spec->act_size + 1.0) * sizeof(Real);
  HyperEpisodeBytes bytes = {.mbpo = mbpo_bytes(&setup, spec)};
  bytes.record = (double)hyper_episode_most_decisions(x) * sizeof(Decision) +
                 (double)scheduler_plan(x).epochs * sizeof(MbpoEpoch) +
                 fmin(x->hyper.policy_change_rows, fmin(most, options.env_buffer)) * row +
                 (x->log_transitions ? most * row : 0);
  return bytes;
}

static int length(const HyperEpisode* h) { return h->segment.last_epoch - h->segment.first_epoch; }

bool hyper_episode_init(HyperEpisode* h, const RunSpec* x, int64_t index,
                        const HyperSegment* segment, int policy_version, MbpoScheduled scheduled,
                        Arena* arena, Error* error) {
  *h = (HyperEpisode){
      .spec = x, .index = index, .segment = *segment, .policy_version = policy_version};
  MbpoOptions options = run_spec_mbpo(x);
  MbpoSetup setup = setup_of(x, &options, scheduled, segment->streams);
  if (!mbpo_init(&h->mbpo, &setup, arena, error)) {
    return error_add(error, "hyper-episode %lld", (long long)index);
  }
  const char* changed = env_changed_file(&h->mbpo.env.spec, x->task_files);
  if (changed) {
    mbpo_free(&h->mbpo);
    return error_set(error,
                     "hyper-episode %lld: %s has changed since the start: results would be of two "
                     "tasks. Put it back and repeat the command",
                     (long long)index, changed);
  }
  h->max_epochs = scheduler_plan(x).epochs;
  h->max_decisions = (int)hyper_episode_most_decisions(x);
  h->decision = ARENA_NEW(arena, h->max_decisions, Decision);
  h->epoch = ARENA_NEW(arena, h->max_epochs, MbpoEpoch);
  h->rng = rng_stream(x->seed, segment->streams, RNG_HYPER_STATE, 0);
  h->note_count = scheduler_plan(x).notes;
  h->notes = ARENA_NEW(arena, h->note_count, double);
  h->initial_return = NAN;
  return true;
}

void hyper_episode_begin(HyperEpisode* h) {
  h->decisions = h->epochs = 0;
  h->finished = false;
  h->initial_return = h->mbpo.eval_mean;
  h->rng = rng_stream(h->spec->seed, h->segment.streams, RNG_HYPER_STATE, 0);
  mbpo_name_streams(&h->mbpo, h->spec->seed, h->segment.streams);
}

bool hyper_episode_goes_on(const HyperEpisode* h) {
  return h->segment.last_epoch < h->mbpo.epochs && !h->mbpo.diverged;
}

void hyper_episode_free(HyperEpisode* h) { mbpo_free(&h->mbpo); }

double epoch_mean_return(const MbpoEpoch* epoch, int evaluations) {
  double sum = 0;
  for (int i = 0; i < evaluations; i++) {
    sum += epoch->eval_returns[i];
  }
  return sum / evaluations;
}

double decision_reward(const Decision* d) { return d->reward_return + d->reward_train_model; }

static double own_return(const HyperEpisode* h, int epoch) {
  return epoch_mean_return(&h->epoch[epoch], h->mbpo.options.evaluation_episodes);
}

double hyper_episode_lost_return(const HyperEpisode* h) {
  const RunSpec* x = h->spec;
  double worst = x->baseline ? baseline_least(x->baseline) : 0;
  worst = fmin(worst, h->initial_return);
  for (int e = 0; e < h->epochs; e++) {
    worst = fmin(worst, own_return(h, e));
  }
  return fmin(x->hyper.diverged_return, worst - x->hyper.reward_scale);
}

double hyper_episode_score(const HyperEpisode* h) {
  int epochs = length(h);
  double sum = (epochs - h->epochs) * hyper_episode_lost_return(h);
  for (int e = 0; e < h->epochs; e++) {
    sum += own_return(h, e);
  }
  return epochs > 0 ? sum / epochs : NAN;
}

// R' after `epochs` epochs, in units of reward; 0 without a baseline.
static double scaled_baseline(const HyperEpisode* h, int64_t env_step) {
  const RunSpec* x = h->spec;
  return x->baseline ? baseline_at(x->baseline, env_step) / x->hyper.reward_scale : 0;
}

// The last decision of an epoch earns the epoch's evaluation (Algorithm 1, lines 18 and 19).
static void reward_epoch(HyperEpisode* h) {
  const RunSpec* x = h->spec;
  const MbpoEpoch* epoch = &h->epoch[h->epochs - 1];
  if (h->decisions > 0) {
    Decision* last = &h->decision[h->decisions - 1];
    last->reward_return = own_return(h, h->epochs - 1) / x->hyper.reward_scale;
    last->baseline = scaled_baseline(h, epoch->env_step);
  }
}

// The epochs that a diverged run lost; the baseline goes on.
static void reward_lost_epochs(HyperEpisode* h) {
  const RunSpec* x = h->spec;
  if (h->decisions == 0) {
    return;
  }
  Decision* last = &h->decision[h->decisions - 1];
  double lost_return = hyper_episode_lost_return(h);
  int64_t env_step = h->mbpo.env_step - h->mbpo.step;
  for (int e = h->epochs; e < length(h); e++) {
    env_step += x->mbpo.epoch_length;
    last->reward_return += lost_return / x->hyper.reward_scale;
    last->baseline += scaled_baseline(h, env_step);
  }
}

// Equation 9: the undiscounted sum of (reward - baseline) from each decision on.
static void compute_advantages(HyperEpisode* h) {
  double to_go = 0;
  for (int i = h->decisions - 1; i >= 0; i--) {
    Decision* d = &h->decision[i];
    to_go += decision_reward(d) - d->baseline;
    d->advantage = to_go;
  }
}

static HyperEvent finish(HyperEpisode* h, bool diverged) {
  if (!h->finished) {
    if (diverged) {
      reward_lost_epochs(h);
    }
    compute_advantages(h);
    h->finished = true;
  }
  return HYPER_FINISHED;
}

// Algorithm 1, line 8.
static HyperEvent reach_decision(HyperEpisode* h) {
  if (!h->begun) {
    hyper_begin(&h->mbpo, &h->spec->hyper);
    h->initial_return = h->mbpo.eval_mean;
    h->begun = true;
  }
  const RunSpec* x = h->spec;
  hyper_state(&h->state, &h->mbpo, &x->hyper, &h->policy_change, &h->rng);
  h->state.real_reward =
      h->note_count > 0 ? mbpo_recent_reward(&h->mbpo, h->mbpo.decision_interval) : NAN;
  hyper_allowed(h->state.allowed, &h->mbpo, &x->hyper, strcmp(x->ppo.at_bounds, "mask") == 0);
  h->awaiting = true;
  return HYPER_DECISION;
}

HyperEvent hyper_episode_advance(HyperEpisode* h) {
  CHECK(!h->awaiting, "hyper-episode %lld: the last decision has no answer", (long long)h->index);
  if (h->epochs > 0 && h->epochs == length(h)) {
    return finish(h, false);
  }
  switch (mbpo_advance(&h->mbpo)) {
    case MBPO_STEPPED:
      return HYPER_STEPPED;
    case MBPO_DECISION:
      return reach_decision(h);
    case MBPO_EPOCH_END:
      h->epoch[h->epochs++] = h->mbpo.result;
      reward_epoch(h);
      return HYPER_EPOCH_END;
    case MBPO_FINISHED:
      return finish(h, false);
    case MBPO_DIVERGED:
      return finish(h, true);
  }
  CHECK(false, "unknown event");
}

static void check_action(const HyperState* state, const HyperAction* action) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    int choice = action->choice[h];
    int allowed = state->allowed[h];
    CHECK(choice == ACTION_NONE ? action->sets[h] == (allowed != 0) : allowed >> choice & 1,
          "%s: choice %d, allowed %#x", head_name((HyperHead)h), choice, (unsigned)allowed);
  }
}

// Algorithm 1, lines 10 and 11; the decision earns 0 until its epoch ends (lines 20 and 21).
void hyper_episode_act(HyperEpisode* h, const HyperAction* action) {
  CHECK(h->awaiting && h->decisions < h->max_decisions, "no decision is due");
  check_action(&h->state, action);
  Mbpo* m = &h->mbpo;
  Decision* d = &h->decision[h->decisions++];
  *d = (Decision){.env_step = m->env_step, .epoch = m->epoch, .step_in_epoch = m->step};
  d->state = h->state;
  d->action = *action;
  hyper_apply(d->effective, m, &h->spec->hyper, action);
  d->reward_train_model = hyper_train_reward(&h->spec->hyper, action);
  d->hyperparameters[0] = hyper_trains(action) || mbpo_trains_itself(m);
  d->hyperparameters[1] = m->real_ratio;
  d->hyperparameters[2] = m->policy_updates;
  d->hyperparameters[3] = m->rollout_length;
  h->awaiting = false;
}

static void visit_state(HyperState* state, Archive* ar) {
  archive_f64(ar, "features_raw", state->raw, FEATURE_COUNT);
  archive_f64(ar, "state", state->scaled, FEATURE_COUNT);
  archive_u8(ar, "allowed", state->allowed, HEAD_COUNT);
  archive_f64(ar, "real_reward", &state->real_reward, 1);
}

static void visit_decision(Decision* d, Archive* ar) {
  archive_enter(ar, "decision");
  archive_i64(ar, "env_step", &d->env_step, 1);
  archive_i32(ar, "epoch", &d->epoch, 1);
  archive_i32(ar, "step_in_epoch", &d->step_in_epoch, 1);
  visit_state(&d->state, ar);
  archive_u8(ar, "choice", (uint8_t*)d->action.choice, HEAD_COUNT);
  archive_bool(ar, "explored", &d->action.explored);
  archive_f64(ar, "logp", d->action.logp, HEAD_COUNT);
  archive_f64(ar, "entropy", d->action.entropy, HEAD_COUNT);
  archive_u8(ar, "effective", (uint8_t*)d->effective, HEAD_COUNT);
  archive_f64(ar, "reward_return", &d->reward_return, 1);
  archive_f64(ar, "reward_train_model", &d->reward_train_model, 1);
  archive_f64(ar, "baseline", &d->baseline, 1);
  archive_f64(ar, "hyperparameters", d->hyperparameters, 4);
  archive_leave(ar);
}

static void visit_decisions(void* self, Archive* ar) {
  HyperEpisode* h = self;
  for (int i = 0; i < h->decisions; i++) {
    visit_decision(&h->decision[i], ar);
  }
}

static void visit_epochs(void* self, Archive* ar) {
  HyperEpisode* h = self;
  for (int e = 0; e < h->epochs; e++) {
    mbpo_epoch_visit(&h->epoch[e], ar, "epoch");
  }
}

static bool visit_count(int* count, int limit, Archive* ar, const char* name) {
  archive_i32(ar, name, count, 1);
  if (!ar->failed && (*count < 0 || *count > limit)) {
    archive_fail(ar, "%s is %d, expected 0 to %d", name, *count, limit);
  }
  return !ar->failed;
}

void hyper_episode_visit(HyperEpisode* h, Archive* ar) {
  archive_i32(ar, "policy_version", &h->policy_version, 1);
  archive_bool(ar, "begun", &h->begun);
  archive_bool(ar, "awaiting", &h->awaiting);
  archive_bool(ar, "finished", &h->finished);
  visit_state(&h->state, ar);
  archive_f64(ar, "policy_change", &h->policy_change, 1);
  archive_f64(ar, "initial_return", &h->initial_return, 1);
  rng_visit(&h->rng, ar, "rng");
  archive_f64(ar, "notes", h->notes, (size_t)h->note_count);
  if (visit_count(&h->decisions, h->max_decisions, ar, "decisions")) {
    archive_packed(ar, "decision_rows", visit_decisions, h);
  }
  if (visit_count(&h->epochs, h->max_epochs, ar, "epochs")) {
    archive_packed(ar, "epoch_rows", visit_epochs, h);
  }
  mbpo_visit(&h->mbpo, ar);
}
