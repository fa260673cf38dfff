// trajectory.c - a finished hyper-episode as a sealed file, and what others read of it.
//
// Tables are written from arrays of structs: a Field names a column, its type, the offset in the
// struct, unit and meaning. So a column is one line here, and the same line is its documentation in
// the file. /decisions and /epochs have a row each; /final has the policy, and the scheduler's
// notes where it keeps some. Values that only readers want (R' at each epoch, MBPO's own schedule
// beside the one that was used) are added while writing.
//
// Reading takes the columns that folding a stage and reports need, and no more. A score of a
// diverged hyper-episode is worked on only over a whole stage (trajectory_scores): it counts no
// more than the worst that finished.
#include "hyper/trajectory.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hyper/scheduler.h"
#include "hyper/sealed_root.h"
#include "hyper/transitions.h"

// A column of a table is gathered from an array of structs: `offset` and `size` name the field.
typedef struct {
  const char* name;
  H5Type type;
  int64_t columns;  // 0 = one number a row
  size_t offset;
  const char* unit;
  const char* long_name;
} Field;

static void write_fields(H5File* file, const char* group, const Field* fields, int count,
                         const void* rows, int64_t row_count, size_t row_size, Arena* arena) {
  for (int i = 0; i < count; i++) {
    const Field* f = &fields[i];
    size_t size = h5_type_size(f->type) * (size_t)(f->columns ? f->columns : 1);
    ArenaMark mark = arena_mark(arena);
    char* column = arena_alloc(arena, size * (size_t)row_count);
    for (int64_t r = 0; r < row_count; r++) {
      memcpy(column + (size_t)r * size, (const char*)rows + (size_t)r * row_size + f->offset, size);
    }
    sealed_column(file, group, f->name, f->type, row_count, f->columns, f->unit, f->long_name,
                  column);
    arena_release(arena, mark);
  }
}

// One line of /decisions beyond what Decision holds as it is.
typedef struct {
  Decision decision;
  double reward;
} DecisionRow;

#define DECISION(field) offsetof(DecisionRow, decision.field)

static const Field decision_fields[] = {
    {"env_step", H5_I64, 0, DECISION(env_step), "real samples", "when the decision is taken"},
    {"epoch", H5_I32, 0, DECISION(epoch), "1", "index of the epoch, from 0 after exploration"},
    {"step_in_epoch", H5_I32, 0, DECISION(step_in_epoch), "real samples", "since the epoch began"},
    {"features_raw", H5_F64, FEATURE_COUNT, DECISION(state.raw), "mixed", "features, not scaled"},
    {"state", H5_F64, FEATURE_COUNT, DECISION(state.scaled), "1", "features, scaled and clipped"},
    {"allowed", H5_U8, HEAD_COUNT, DECISION(state.allowed), "1",
     "bit c: choice c could be drawn; 0: not asked"},
    {"action", H5_I8, HEAD_COUNT, DECISION(action.choice), "choice",
     "index of the choice; -1: not asked"},
    {"effective", H5_BOOL, HEAD_COUNT, DECISION(effective), "1", "whether it took effect"},
    {"explored", H5_BOOL, 0, DECISION(action.explored), "1", "drawn by uniform exploration"},
    {"logp", H5_F64, HEAD_COUNT, DECISION(action.logp), "nat", "log-probability of the behaviour"},
    {"entropy", H5_F64, HEAD_COUNT, DECISION(action.entropy), "nat", "entropy of the behaviour"},
    {"reward", H5_F64, 0, offsetof(DecisionRow, reward), "1", "reward_return + reward_train_model"},
    {"reward_return", H5_F64, 0, DECISION(reward_return), "1", "evaluation return / reward_scale"},
    {"reward_train_model", H5_F64, 0, DECISION(reward_train_model), "1", "penalty for training"},
    {"baseline", H5_F64, 0, DECISION(baseline), "1", "R' / reward_scale"},
    {"advantage", H5_F64, 0, DECISION(advantage), "1", "sum of reward - baseline from here on"},
    {"hyperparameters", H5_F64, 4, DECISION(hyperparameters), "mixed", "after the action"},
};

static void write_decisions(H5File* file, const HyperEpisode* h, Arena* arena) {
  static const int64_t sizes[HEAD_COUNT] = {2, 3, 3, 3};
  char names[256];
  h5_group(file, "decisions");
  sealed_feature_names(names, sizeof names, NULL, FEATURE_COUNT);
  h5_set_text(file, "decisions", "feature_names", names);
  sealed_head_names(names, sizeof names);
  h5_set_text(file, "decisions", "head_names", names);
  h5_set_i64s(file, "decisions", "head_sizes", sizes, HEAD_COUNT);
  h5_set_text(file, "decisions", "hyperparameter_names",
              "model_trained,real_ratio,policy_updates,rollout_length");
  h5_set_i64(file, "decisions", "decision_interval", h->spec->hyper.decision_interval);
  h5_set_f64(file, "decisions", "reward_scale", h->spec->hyper.reward_scale);
  DecisionRow* rows = ARENA_NEW(arena, h->decisions, DecisionRow);
  for (int i = 0; i < h->decisions; i++) {
    rows[i].decision = h->decision[i];
    rows[i].reward = decision_reward(&h->decision[i]);
  }
  write_fields(file, "decisions", decision_fields,
               (int)(sizeof decision_fields / sizeof *decision_fields), rows, h->decisions,
               sizeof *rows, arena);
}

// Where the scheduler keeps notes, they and what it learnt from are part of the record.
static void write_notes(H5File* file, const HyperEpisode* h, Arena* arena) {
  static const Field reward = {"real_reward", H5_F64, 0, offsetof(Decision, state.real_reward),
                               "reward", "mean of the real steps since the last decision"};
  if (h->note_count > 0) {
    write_fields(file, "decisions", &reward, 1, h->decision, h->decisions, sizeof *h->decision,
                 arena);
    sealed_column(file, "final", "notes", H5_F64, h->note_count, 0, "mixed",
                  "what the scheduler kept in this hyper-episode, at its end", h->notes);
  }
}

typedef struct {
  MbpoEpoch epoch;
  double mean, std;
  double baseline_return;
  double original[4];
} EpochRow;

#define EPOCH(field) offsetof(EpochRow, epoch.field)

static const Field epoch_fields[] = {
    {"env_step", H5_I64, 0, EPOCH(env_step), "real samples", "when the epoch ends"},
    {"eval_return_mean", H5_F64, 0, offsetof(EpochRow, mean), "return", "mean over evaluations"},
    {"eval_return_std", H5_F64, 0, offsetof(EpochRow, std), "return", "deviation over evaluations"},
    {"train_return", H5_F64, 0, EPOCH(train_return), "return", "mean of training episodes"},
    {"model_trainings", H5_I64, 0, EPOCH(model_trainings), "count", "trainings of the model"},
    {"model_epochs", H5_I64, 0, EPOCH(model_epochs), "count", "passes over the data"},
    {"model_steps", H5_I64, 0, EPOCH(model_steps), "count", "gradient steps of the ensemble"},
    {"model_validation_loss", H5_F64, 0, EPOCH(model_validation_loss), "squared target",
     "mean hold-out error of the elites"},
    {"critic_loss", H5_F64, 0, EPOCH(losses.critic_loss), "return^2", "mean over the updates"},
    {"policy_loss", H5_F64, 0, EPOCH(losses.policy_loss), "return", "mean over the updates"},
    {"alpha", H5_F64, 0, EPOCH(losses.alpha), "return / nat", "mean over the updates"},
    {"entropy", H5_F64, 0, EPOCH(losses.entropy), "nat", "mean over the updates"},
    {"q_mean", H5_F64, 0, EPOCH(losses.q_mean), "return", "mean over the updates"},
    {"real_ratio", H5_F64, 0, EPOCH(real_ratio), "1", "at the end of the epoch"},
    {"policy_updates", H5_I64, 0, EPOCH(policy_updates), "1 / real sample", "G at the end"},
    {"rollout_length", H5_I64, 0, EPOCH(rollout_length), "model steps", "k at the end"},
    {"sac_updates", H5_I64, 0, EPOCH(sac_updates), "count", "in the epoch"},
    {"model_buffer_rows", H5_I64, 0, EPOCH(model_rows), "rows", "imagined transitions held"},
    {"baseline_return", H5_F64, 0, offsetof(EpochRow, baseline_return), "return", "R' at env_step"},
    {"original", H5_F64, 4, offsetof(EpochRow, original), "mixed",
     "MBPO's own trainings an epoch, real ratio, G, k"},
};

static EpochRow epoch_row(const HyperEpisode* h, int e) {
  const RunSpec* x = h->spec;
  EpochRow row = {.epoch = h->epoch[e]};
  int count = x->mbpo.evaluation_episodes;
  row.mean = epoch_mean_return(&row.epoch, count);
  for (int i = 0; i < count; i++) {
    double difference = row.epoch.eval_returns[i] - row.mean;
    row.std += difference * difference / count;
  }
  row.std = sqrt(row.std);
  row.baseline_return = x->baseline ? baseline_at(x->baseline, row.epoch.env_step) : NAN;
  mbpo_own_schedule(row.original, &x->mbpo, h->segment.first_epoch + e);
  return row;
}

static void write_epochs(H5File* file, const HyperEpisode* h, Arena* arena) {
  const RunSpec* x = h->spec;
  h5_group(file, "epochs");
  h5_set_i64(file, "epochs", "epoch_length", x->mbpo.epoch_length);
  h5_set_f64(file, "epochs", "initial_eval_return", h->initial_return);
  EpochRow* rows = ARENA_NEW(arena, h->epochs, EpochRow);
  for (int e = 0; e < h->epochs; e++) {
    rows[e] = epoch_row(h, e);
  }
  write_fields(file, "epochs", epoch_fields, (int)(sizeof epoch_fields / sizeof *epoch_fields),
               rows, h->epochs, sizeof *rows, arena);
  const Field wide[] = {
      {"eval_returns", H5_F64, x->mbpo.evaluation_episodes, EPOCH(eval_returns), "return",
       "each evaluation episode"},
      {"eval_lengths", H5_I32, x->mbpo.evaluation_episodes, EPOCH(eval_lengths), "steps",
       "length of each"},
      {"model_holdout_error", H5_F64, x->model.members, EPOCH(holdout_error), "squared target",
       "of each member"},
      {"elites", H5_I32, x->model.elites, EPOCH(elites), "member", "best first"},
  };
  write_fields(file, "epochs", wide, 4, rows, h->epochs, sizeof *rows, arena);
}

static void write_root(H5File* file, const HyperEpisode* h) {
  const RunSpec* x = h->spec;
  sealed_root_write(file, x, &h->mbpo.env.spec, h->mbpo.options.max_path_length);
  h5_set_i64(file, "", "hyper_episode", h->index);
  SchedulerPlan plan = scheduler_plan(x);
  h5_set_i64(file, "", "stage", plan.updates > 0 ? h->index / plan.stage_size : 0);
  h5_set_i64(file, "", "policy_version", h->policy_version);
  h5_set_text(file, "", "status", h->mbpo.diverged ? "diverged" : "finished");
  h5_set_f64(file, "", "score", hyper_episode_score(h));
  if (plan.run_epochs > plan.epochs) {
    h5_set_i64(file, "", "member", h->index % plan.stage_size);
    h5_set_i64(file, "", "round", h->index / plan.stage_size);
    h5_set_i64(file, "", "parent", h->segment.parent);
    h5_set_i64(file, "", "first_epoch", h->segment.first_epoch);
  }
}

bool trajectory_write(const HyperEpisode* h, const char* path, Error* error) {
  H5File file;
  if (!h5_create(&file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  Arena arena;
  arena_init(&arena);
  write_root(&file, h);
  write_decisions(&file, h, &arena);
  write_epochs(&file, h, &arena);
  h5_group(&file, "final");
  write_notes(&file, h, &arena);
  if (h->spec->log_transitions) {
    transitions_write(&file, &h->mbpo, &arena);
    transitions_write_errors(&file, &h->mbpo, &arena);
  }
  sealed_network(&file, "final/policy", &h->mbpo.sac.policy_net, h->mbpo.sac.policy);
  arena_free(&arena);
  return h5_seal(&file, error);
}

// Reading -----------------------------------------------------------------------------------------

static Outcome read_outcome(H5File* file, Arena* arena) {
  const char* status = h5_get_text(file, "", "status", arena);
  return (Outcome){.diverged = strcmp(status, "diverged") == 0,
                   .score = h5_get_f64(file, "", "score")};
}

void trajectory_take_outcome(Outcome* outcome, H5File* file) {
  Arena arena;
  arena_init(&arena);
  *outcome = read_outcome(file, &arena);
  arena_free(&arena);
}

void trajectory_take(Trajectory* t, H5File* file, Arena* arena) {
  *t = (Trajectory){0};
  int D = h5_rows(file, "decisions/env_step");
  int E = h5_rows(file, "epochs/env_step");
  t->hyper_episode = h5_get_i64(file, "", "hyper_episode");
  t->policy_version = h5_get_int(file, "", "policy_version", -1, INT_MAX);
  t->outcome = read_outcome(file, arena);
  snprintf(t->engine, sizeof t->engine, "%s", h5_get_text(file, "", "env_engine", arena));
  t->decisions = D;
  t->epochs = E;
  t->features = sealed_read(file, "decisions/features_raw", H5_F64, D, FEATURE_COUNT, arena);
  t->state = sealed_read(file, "decisions/state", H5_F64, D, FEATURE_COUNT, arena);
  t->action = sealed_read(file, "decisions/action", H5_I8, D, HEAD_COUNT, arena);
  t->allowed = sealed_read(file, "decisions/allowed", H5_U8, D, HEAD_COUNT, arena);
  t->logp = sealed_read(file, "decisions/logp", H5_F64, D, HEAD_COUNT, arena);
  t->entropy = sealed_read(file, "decisions/entropy", H5_F64, D, HEAD_COUNT, arena);
  t->hyperparameters = sealed_read(file, "decisions/hyperparameters", H5_F64, D, 4, arena);
  t->advantage = sealed_read(file, "decisions/advantage", H5_F64, D, 0, arena);
  t->env_step = sealed_read(file, "epochs/env_step", H5_I64, E, 0, arena);
  t->eval_return_mean = sealed_read(file, "epochs/eval_return_mean", H5_F64, E, 0, arena);
  t->baseline_return = sealed_read(file, "epochs/baseline_return", H5_F64, E, 0, arena);
}

bool trajectory_read(Trajectory* t, const char* path, Arena* arena, Error* error) {
  H5File file;
  if (!h5_open(&file, path, EPISODE_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  trajectory_take(t, &file, arena);
  return h5_close(&file, error);
}

int trajectory_scores(double* scores, const Trajectory* trajectories, int count) {
  int diverged = 0;
  double worst = INFINITY;
  for (int i = 0; i < count; i++) {
    const Outcome* outcome = &trajectories[i].outcome;
    diverged += outcome->diverged;
    worst = outcome->diverged ? worst : fmin(worst, outcome->score);
  }
  for (int i = 0; i < count; i++) {
    const Outcome* outcome = &trajectories[i].outcome;
    scores[i] = outcome->diverged ? fmin(worst, outcome->score) : outcome->score;
  }
  return diverged;
}

bool trajectories_clip(const Trajectory* trajectories, int count, HyperFeature f, double low) {
  int64_t high_rows = 0, low_rows = 0, rows = 0;
  for (int i = 0; i < count; i++) {
    for (int d = 0; d < trajectories[i].decisions; d++) {
      double scaled = trajectories[i].state[d * FEATURE_COUNT + (int)f];
      high_rows += scaled >= 1;
      low_rows += scaled <= low;
      rows++;
    }
  }
  return rows > 0 && (high_rows == rows || low_rows == rows);
}
