// ensemble_train.c - one training of the ensemble: split, bootstrap, epochs, snapshots, elites.
//
// All real transitions are copied out of the ring in a random order, the hold-out rows first,
// scaled once, and then only indexed: each member has a bootstrap of row numbers, which is shuffled
// after each epoch. After an epoch every member's error on the hold-out rows decides whether its
// snapshot is taken anew; when no member has improved for long enough, all return to their
// snapshots, and the order of their errors makes the elites.
//
// A training starts from the weights and the Adam state of the last one, as in the release: data
// grows by a few hundred rows in between, and most of what there is to learn is known. Progress is
// a local of one call; a checkpoint is never taken in the middle of a training.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "dynamics/ensemble.h"
#include "ensemble_scratch.h"
#include "nn/gaussian_nll.h"

#define PREFETCH_AHEAD 8

// State of one training.
typedef struct {
  int64_t holdout;                    // rows 0 ... holdout - 1 are held out
  int64_t rows;                       // n, the rest: rows of the train split
  double best[ENSEMBLE_MAX_MEMBERS];  // hold-out error of each member's snapshot
  int stale[ENSEMBLE_MAX_MEMBERS];    // epochs since each member improved
  bool active[ENSEMBLE_MAX_MEMBERS];  // is still trained
} Progress;

static int in_size(const Ensemble* ensemble) { return ensemble->obs_size + ensemble->act_size; }

static void copy_reals(Real* restrict out, const Real* restrict in, int count) {
  for (int i = 0; i < count; i++) {
    out[i] = in[i];
  }
}

// Network input (unscaled) and target of one transition.
static void make_example(Real* restrict in, Real* restrict target, const Replay* replay,
                         const Real* row) {
  const Real* obs = transition_obs(&replay->row, row);
  const Real* next_obs = transition_next_obs(&replay->row, row);
  copy_reals(in, obs, replay->row.obs_size);
  copy_reals(in + replay->row.obs_size, transition_act(&replay->row, row), replay->row.act_size);
  target[0] = transition_rew(&replay->row, row);
  for (int o = 0; o < replay->row.obs_size; o++) {
    target[1 + o] = next_obs[o] - obs[o];
  }
}

// Size of the hold-out split of `total` rows. Both splits get at least one row (docs/algorithms.md,
// D15).
static int64_t holdout_rows(const EnsembleOptions* options, int64_t total) {
  int64_t rows = (int64_t)(options->holdout_ratio * (double)total);
  if (rows > options->holdout_limit) {
    rows = options->holdout_limit;
  }
  return rows < 1 ? 1 : rows;
}

// Gathers all transitions in a random order, hold-out rows first; fits the scaler on the others.
static void split_data(Progress* progress, Ensemble* ensemble, const Replay* replay, Rng* rng) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  size_t I = (size_t)in_size(ensemble);
  size_t D = (size_t)ensemble->target_size;
  int64_t total = replay->size;
  for (int64_t i = 0; i < total; i++) {
    scratch->order[i] = (int32_t)i;
  }
  rng_shuffle(scratch->order, total, rng);
  for (int64_t i = 0; i < total; i++) {
    make_example(scratch->rows_in + (size_t)i * I, scratch->rows_target + (size_t)i * D, replay,
                 replay_row(replay, scratch->order[i]));
  }
  progress->holdout = holdout_rows(&ensemble->options, total);
  progress->rows = total - progress->holdout;
  scaler_fit(&ensemble->scaler, scratch->rows_in + (size_t)progress->holdout * I, progress->rows);
  scaler_apply(scratch->rows_in, scratch->rows_in, &ensemble->scaler, total);
}

// Each member draws as many rows of the train split as there are, with replacement.
static void draw_bootstrap(const Progress* progress, Ensemble* ensemble, Rng* rng) {
  int64_t n = progress->rows;
  for (int e = 0; e < ensemble->options.members; e++) {
    rng_fill_below(ensemble->scratch->bootstrap + e * n, n, (int32_t)n, rng);
  }
}

static void shuffle_bootstrap(const Progress* progress, Ensemble* ensemble, Rng* rng) {
  int64_t n = progress->rows;
  for (int e = 0; e < ensemble->options.members; e++) {
    rng_shuffle(ensemble->scratch->bootstrap + e * n, n, rng);
  }
}

// in (B, I), target (B, D) = the train rows `rows`. Fetches some rows ahead of their use.
static void gather_rows(Real* in, Real* target, const Ensemble* ensemble, int64_t holdout,
                        const int32_t* rows, int B) {
  const struct EnsembleScratch* scratch = ensemble->scratch;
  int I = in_size(ensemble);
  int D = ensemble->target_size;
  const Real* train_in = scratch->rows_in + holdout * I;
  const Real* train_target = scratch->rows_target + holdout * D;
  for (int b = 0; b < B; b++) {
    if (b + PREFETCH_AHEAD < B) {
      int64_t ahead = rows[b + PREFETCH_AHEAD];
      __builtin_prefetch(train_in + ahead * I);
      __builtin_prefetch(train_in + ahead * I + I - 1);
      __builtin_prefetch(train_target + ahead * D);
      __builtin_prefetch(train_target + ahead * D + D - 1);
    }
    copy_reals(in + (int64_t)b * I, train_in + (int64_t)rows[b] * I, I);
    copy_reals(target + (int64_t)b * D, train_target + (int64_t)rows[b] * D, D);
  }
}

// The batch of each active member, from place `first` of its bootstrap on.
static void gather_batches(Ensemble* ensemble, const Progress* progress, int64_t first, int B) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  int64_t I = in_size(ensemble);
  int64_t D = ensemble->target_size;
  for (int64_t e = 0; e < ensemble->options.members; e++) {
    if (progress->active[e]) {
      gather_rows(scratch->batch_in + e * B * I, scratch->batch_target + e * B * D, ensemble,
                  progress->holdout, scratch->bootstrap + e * progress->rows + first, B);
    }
  }
}

static int active_members(const Progress* progress, const Ensemble* ensemble) {
  int count = 0;
  for (int e = 0; e < ensemble->options.members; e++) {
    count += progress->active[e];
  }
  return count;
}

// The batches of one epoch. False when a loss is not finite.
static bool run_epoch(EnsembleTraining* training, Ensemble* ensemble, const Progress* progress) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  int64_t active = active_members(progress, ensemble);
  double sum = 0;
  int64_t steps = 0;
  for (int64_t first = 0; first < progress->rows; first += ensemble->options.batch_size) {
    int64_t left = progress->rows - first;
    int64_t B = left < ensemble->options.batch_size ? left : ensemble->options.batch_size;
    gather_batches(ensemble, progress, first, (int)B);
    double loss = ensemble_step_active(ensemble, progress->active, scratch->batch_in,
                                       scratch->batch_target, (int)B);
    if (!isfinite(loss)) {
      return false;
    }
    sum += loss;
    steps++;
  }
  training->steps += steps;
  training->member_steps += steps * active;
  training->train_loss = sum / (double)(steps * active);
  return true;
}

// Mean squared error of member e on the hold-out rows.
static double member_holdout(Ensemble* ensemble, const Progress* progress, int e) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  int64_t D = ensemble->target_size;
  double error = 0;
  for (int64_t first = 0; first < progress->holdout; first += ENSEMBLE_CHUNK) {
    int64_t left = progress->holdout - first;
    int64_t B = left < ENSEMBLE_CHUNK ? left : ENSEMBLE_CHUNK;
    mlp_forward_member(scratch->chunk_head, &scratch->chunk_tape, &ensemble->net,
                       ensemble->params, e, scratch->rows_in + first * in_size(ensemble), (int)B);
    error += gaussian_squared_error(scratch->chunk_head, scratch->rows_target + first * D, (int)B,
                                    (int)D);
  }
  return error / (double)(progress->holdout * D);
}

// The hold-out errors of the members that are trained; the others' are left as they are.
static void measure_holdout(double* errors, Ensemble* ensemble, const Progress* progress) {
  for (int e = 0; e < ensemble->options.members; e++) {
    if (progress->active[e]) {
      errors[e] = member_holdout(ensemble, progress, e);
    }
  }
}

static void activate_all(Progress* progress, const Ensemble* ensemble) {
  for (int e = 0; e < ensemble->options.members; e++) {
    progress->active[e] = true;
  }
}

// Copies the weights and biases of member e.
static void copy_member(Real* out, const Real* in, const Mlp* net, int e) {
  for (int layer = 0; layer < net->layers; layer++) {
    size_t w = mlp_weights(net, layer, e);
    size_t b = mlp_biases(net, layer, e);
    memcpy(out + w, in + w, mlp_weights_count(net, layer) * sizeof(Real));
    memcpy(out + b, in + b, (size_t)net->width[layer + 1] * sizeof(Real));
  }
}

// Takes snapshots of the members that improved, and counts the epochs in which the others did not.
// The first error, if it is finite, is always an improvement (docs/algorithms.md, D19).
static void note_improvement(Progress* progress, Ensemble* ensemble, const double* errors) {
  for (int e = 0; e < ensemble->options.members; e++) {
    if (!progress->active[e]) {
      continue;
    }
    progress->stale[e]++;
    if (errors[e] < progress->best[e] * (1 - ensemble->options.improvement)) {
      copy_member(ensemble->scratch->snapshot, ensemble->params, &ensemble->net, e);
      progress->best[e] = errors[e];
      progress->stale[e] = 0;
    }
  }
}

// Decides who is trained in the next epoch; false when nobody is. As published, whoever still
// improves keeps all the others going; the alternative is D16 of docs/algorithms.md.
static bool choose_active(Progress* progress, const Ensemble* ensemble) {
  const EnsembleOptions* options = &ensemble->options;
  bool alone = strcmp(options->stop, "alone") == 0;
  bool any = false;
  for (int e = 0; e < options->members; e++) {
    bool patient = progress->stale[e] <= options->patience;
    any = any || patient;
    progress->active[e] = patient || !alone;
  }
  return any;
}

// Whether error a of member i ranks before error b of member j. What is not finite comes last.
static bool ranks_before(double a, int i, double b, int j) {
  double finite_a = isfinite(a) ? a : INFINITY;
  double finite_b = isfinite(b) ? b : INFINITY;
  return finite_a < finite_b || (finite_a == finite_b && i < j);
}

// Orders the members by hold-out error and takes the mean error of the elites.
static void choose_elites(EnsembleTraining* training, Ensemble* ensemble) {
  const double* errors = training->holdout_error;
  for (int e = 0; e < ensemble->options.members; e++) {
    int rank = 0;
    for (int other = 0; other < ensemble->options.members; other++) {
      rank += ranks_before(errors[other], other, errors[e], e);
    }
    ensemble->elites[rank] = e;
  }
  double sum = 0;
  for (int i = 0; i < ensemble->options.elites; i++) {
    sum += errors[ensemble->elites[i]];
  }
  training->validation_loss = sum / ensemble->options.elites;
}

static void run_epochs(EnsembleTraining* training, Progress* progress, Ensemble* ensemble,
                       Rng* rng) {
  const EnsembleOptions* options = &ensemble->options;
  double errors[ENSEMBLE_MAX_MEMBERS];
  while (choose_active(progress, ensemble) &&
         (options->max_epochs == 0 || training->epochs < options->max_epochs)) {
    if (!run_epoch(training, ensemble, progress)) {
      training->diverged = true;
      return;
    }
    training->epochs++;
    shuffle_bootstrap(progress, ensemble, rng);
    measure_holdout(errors, ensemble, progress);
    note_improvement(progress, ensemble, errors);
  }
}

void ensemble_train(EnsembleTraining* training, Ensemble* ensemble, const Replay* replay,
                    Rng* rng) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  size_t net_bytes = ensemble->net.size * sizeof(Real);
  CHECK(replay->row.obs_size == ensemble->obs_size && replay->row.act_size == ensemble->act_size,
        "ensemble_train: transitions of %d + %d numbers, expected %d + %d", replay->row.obs_size,
        replay->row.act_size, ensemble->obs_size, ensemble->act_size);
  CHECK(replay->size >= 2 && replay->size <= scratch->max_rows,
        "ensemble_train: %lld transitions, expected 2 ... %lld", (long long)replay->size,
        (long long)scratch->max_rows);
  *training = (EnsembleTraining){0};
  Progress progress = {0};
  for (int e = 0; e < ensemble->options.members; e++) {
    progress.best[e] = INFINITY;
  }
  split_data(&progress, ensemble, replay, rng);
  draw_bootstrap(&progress, ensemble, rng);
  memcpy(scratch->snapshot, ensemble->params, net_bytes);
  run_epochs(training, &progress, ensemble, rng);

  memcpy(ensemble->params, scratch->snapshot, net_bytes);
  activate_all(&progress, ensemble);
  measure_holdout(training->holdout_error, ensemble, &progress);
  choose_elites(training, ensemble);
}
