// ensemble.c - the ensemble as networks: one gradient step, and samples from chosen members.
//
// The parameters of all members and the two shared bounds of the log-variance are one array, with
// one Adam state. A step takes the members one after the other: forward, loss, and backward layer
// by layer, in which each layer is stepped while its gradient is in the cache. So there is room for
// the gradient of one layer instead of all; only the gradients of the bounds wait for the last
// member.
//
// Sampling gathers the rows of a member into chunks and goes through that member alone: a rollout
// draws an elite for each row, and all members for all rows would cost as many times as much as
// there are members.
//
// Weight decay has the release's coefficient for each layer. It is part of the loss, so that Adam
// scales it like the rest.
#include "dynamics/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/stopwatch.h"
#include "ensemble_scratch.h"
#include "nn/gaussian_nll.h"

// Initial log-variance bounds, and the weight of their regulariser, as in the MBPO release.
#define MAX_LOGVAR_START ((Real)0.5)
#define MIN_LOGVAR_START ((Real)-10)
#define BOUNDS_WEIGHT 0.01

static int in_size(const Ensemble* ensemble) { return ensemble->obs_size + ensemble->act_size; }

Real* ensemble_max_logvar(const Ensemble* ensemble) {
  return ensemble->params + ensemble->net.size;
}

Real* ensemble_min_logvar(const Ensemble* ensemble) {
  return ensemble->params + ensemble->net.size + ensemble->target_size;
}

static void scratch_init(Ensemble* ensemble, int64_t max_rows, Arena* arena) {
  size_t E = (size_t)ensemble->options.members;
  size_t B = (size_t)ensemble->options.batch_size;
  size_t I = (size_t)in_size(ensemble);
  size_t D = (size_t)ensemble->target_size;
  struct EnsembleScratch* scratch = ARENA_NEW(arena, 1, struct EnsembleScratch);
  scratch->max_rows = max_rows;
  Mlp member = ensemble->net;
  member.members = 1;
  mlp_tape_init(&scratch->tape, &member, ensemble->options.batch_size, true, arena);
  scratch->d_head = ARENA_NEW(arena, B * 2 * D, Real);
  scratch->d_bounds = ARENA_NEW(arena, 2 * D, Real);
  scratch->batch_in = ARENA_NEW(arena, E * B * I, Real);
  scratch->batch_target = ARENA_NEW(arena, E * B * D, Real);
  mlp_tape_init(&scratch->chunk_tape, &ensemble->net, ENSEMBLE_CHUNK, false, arena);
  scratch->chunk_in = ARENA_NEW(arena, ENSEMBLE_CHUNK * I, Real);
  scratch->chunk_head = ARENA_NEW(arena, ENSEMBLE_CHUNK * 2 * D, Real);
  scratch->chunk_noise = ARENA_NEW(arena, ENSEMBLE_CHUNK * D, Real);
  scratch->chunk_sample = ARENA_NEW(arena, ENSEMBLE_CHUNK * D, Real);
  scratch->chunk_rows = ARENA_NEW(arena, ENSEMBLE_CHUNK, int32_t);
  scratch->snapshot = ARENA_NEW(arena, ensemble->net.size, Real);
  size_t rows = (size_t)max_rows;
  scratch->rows_in = memory_reserve(rows * I * sizeof(Real));
  scratch->rows_target = memory_reserve(rows * D * sizeof(Real));
  scratch->order = memory_reserve(rows * sizeof(int32_t));
  scratch->bootstrap = memory_reserve(E * rows * sizeof(int32_t));
  ensemble->scratch = scratch;
}

static Mlp make_net(const EnsembleOptions* o, int obs_size, int act_size) {
  return mlp_make(o->members, obs_size + act_size, o->hidden_size, o->hidden_layers,
                  2 * (1 + obs_size), ACTIVATION_SWISH);
}

double ensemble_bytes(const EnsembleOptions* o, int obs_size, int act_size) {
  Mlp net = make_net(o, obs_size, act_size);
  Mlp member = net;
  member.members = 1;
  double I = obs_size + act_size;
  double D = 1 + obs_size;
  // parameters, two moments, the best so far
  double numbers = 4.0 * (double)net.size + (double)o->members * o->batch_size * (I + D);
  numbers += o->batch_size * 2 * D + ENSEMBLE_CHUNK * (I + 4 * D + 1);
  return numbers * sizeof(Real) + mlp_tape_bytes(&member, o->batch_size, true) +
         mlp_tape_bytes(&net, ENSEMBLE_CHUNK, false);
}

double ensemble_row_bytes(const EnsembleOptions* o, int obs_size, int act_size) {
  double numbers = obs_size + act_size + 1 + obs_size;
  return numbers * sizeof(Real) + (1.0 + o->members) * sizeof(int32_t);
}

void ensemble_init(Ensemble* ensemble, const EnsembleOptions* options, int obs_size, int act_size,
                   int64_t max_rows, Rng* rng, Arena* arena) {
  CHECK(obs_size > 0 && act_size > 0, "ensemble_init: obs_size %d, act_size %d", obs_size,
        act_size);
  CHECK(options->members > 0 && options->members <= ENSEMBLE_MAX_MEMBERS,
        "ensemble_init: %d members", options->members);
  CHECK(options->elites > 0 && options->elites <= options->members,
        "ensemble_init: %d elites of %d members", options->elites, options->members);
  CHECK(max_rows > 0 && max_rows <= INT32_MAX, "ensemble_init: max_rows %lld",
        (long long)max_rows);
  *ensemble = (Ensemble){
      .options = *options,
      .obs_size = obs_size,
      .act_size = act_size,
      .target_size = 1 + obs_size,
  };
  int D = ensemble->target_size;
  ensemble->net = make_net(options, obs_size, act_size);
  ensemble->net.precision = options->precision;
  size_t size = ensemble->net.size + 2 * (size_t)D;
  ensemble->params = ARENA_NEW(arena, size, Real);
  mlp_init_truncated_normal(ensemble->params, &ensemble->net, rng);
  for (int d = 0; d < D; d++) {
    ensemble_max_logvar(ensemble)[d] = MAX_LOGVAR_START;
    ensemble_min_logvar(ensemble)[d] = MIN_LOGVAR_START;
  }
  adam_init(&ensemble->adam, size, options->learning_rate, arena);
  scaler_init(&ensemble->scaler, in_size(ensemble), arena);
  for (int e = 0; e < options->members; e++) {
    ensemble->elites[e] = e;
  }
  scratch_init(ensemble, max_rows, arena);
}

void ensemble_free(Ensemble* ensemble) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  if (!scratch) {
    return;
  }
  size_t rows = (size_t)scratch->max_rows;
  size_t members = (size_t)ensemble->options.members;
  memory_unreserve(scratch->rows_in, rows * (size_t)in_size(ensemble) * sizeof(Real));
  memory_unreserve(scratch->rows_target, rows * (size_t)ensemble->target_size * sizeof(Real));
  memory_unreserve(scratch->order, rows * sizeof(int32_t));
  memory_unreserve(scratch->bootstrap, members * rows * sizeof(int32_t));
  *ensemble = (Ensemble){0};
}

void ensemble_share(Ensemble* ensemble, Team* team) {
  ensemble->net.team = team;
  ensemble->adam.team = team;
}

// The release's coefficients for 5 layers: first, second, all between, last.
static double decay_coefficient(const Ensemble* ensemble, int layer) {
  double coefficient = 7.5e-5;
  if (layer == ensemble->net.layers - 1) {
    coefficient = 1e-4;
  } else if (layer == 0) {
    coefficient = 2.5e-5;
  } else if (layer == 1) {
    coefficient = 5e-5;
  }
  return coefficient * ensemble->options.weight_decay;
}

// Adam's step of one layer of member e: its weights decay, its biases do not. Returns the value of
// the decay, 1/2 coefficient |weights|^2.
static double step_layer(Ensemble* ensemble, AdamStep by, int e, int layer, MlpGradient gradient) {
  const Mlp* net = &ensemble->net;
  double rate = decay_coefficient(ensemble, layer);
  double squares =
      adam_step_part(&ensemble->adam, by, ensemble->params, gradient.weights, rate,
                     mlp_weights(net, layer, e), mlp_weights_count(net, layer));
  adam_step_part(&ensemble->adam, by, ensemble->params, gradient.biases, 0,
                 mlp_biases(net, layer, e), (size_t)net->width[layer + 1]);
  return 0.5 * rate * squares;
}

// Backward through member e; each layer takes its step while its gradient is in the cache. Returns
// the value of the decay.
static double step_member(Ensemble* ensemble, AdamStep by, int e, int B) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  const Mlp* net = &ensemble->net;
  double decay[MLP_MAX_LAYERS];
  Stopwatch watch = stopwatch_start();
  mlp_backward_begin(&scratch->tape, net, scratch->d_head, B);
  for (int layer = net->layers - 1; layer >= 0; layer--) {
    MlpGradient gradient =
        mlp_backward_layer(&scratch->tape, net, ensemble->params, e, layer, B);
    stopwatch_lap(&watch, &ensemble->times.backward);
    decay[layer] = step_layer(ensemble, by, e, layer, gradient);
    stopwatch_lap(&watch, &ensemble->times.adam);
  }
  double loss = 0;
  for (int layer = 0; layer < net->layers; layer++) {
    loss += decay[layer];
  }
  return loss;
}

// Adds the gradient of 0.01 (sum of max - sum of min); returns the value.
static double add_bounds_regulariser(const Ensemble* ensemble, Real* d_max, Real* d_min) {
  const Real* max_logvar = ensemble_max_logvar(ensemble);
  const Real* min_logvar = ensemble_min_logvar(ensemble);
  double sum = 0;
  for (int d = 0; d < ensemble->target_size; d++) {
    d_max[d] += (Real)BOUNDS_WEIGHT;
    d_min[d] -= (Real)BOUNDS_WEIGHT;
    sum += (double)max_logvar[d] - (double)min_logvar[d];
  }
  return BOUNDS_WEIGHT * sum;
}

// Member e's loss without the decay, and the gradient of its output; those of the bounds are added
// to d_max and d_min.
static double member_loss(Ensemble* ensemble, Real* d_max, Real* d_min, int e, const Real* in,
                          const Real* target, int B) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  Stopwatch watch = stopwatch_start();
  mlp_forward_one(&scratch->tape, &ensemble->net, ensemble->params, e, in, B);
  stopwatch_lap(&watch, &ensemble->times.forward);
  double loss = gaussian_nll(scratch->d_head, d_max, d_min, scratch->tape.out, target,
                             ensemble_max_logvar(ensemble), ensemble_min_logvar(ensemble), B,
                             ensemble->target_size);
  stopwatch_lap(&watch, &ensemble->times.loss);
  return loss;
}

double ensemble_step_active(Ensemble* ensemble, const bool* active, const Real* in,
                            const Real* target, int B) {
  CHECK(B > 0 && B <= ensemble->options.batch_size, "ensemble_step: a batch of %d, at most %d", B,
        ensemble->options.batch_size);
  size_t D = (size_t)ensemble->target_size;
  size_t I = (size_t)in_size(ensemble);
  Real* d_max = ensemble->scratch->d_bounds;
  Real* d_min = d_max + D;
  memset(d_max, 0, 2 * D * sizeof(Real));

  AdamStep by = adam_begin(&ensemble->adam);
  double loss = 0;
  for (int e = 0; e < ensemble->options.members; e++) {
    if (active && !active[e]) {
      continue;
    }
    size_t first = (size_t)e * (size_t)B;
    loss += member_loss(ensemble, d_max, d_min, e, in + first * I, target + first * D, B);
    if (!isfinite(loss)) {
      return loss;
    }
    loss += step_member(ensemble, by, e, B);
  }
  Stopwatch watch = stopwatch_start();
  loss += add_bounds_regulariser(ensemble, d_max, d_min);
  adam_step_part(&ensemble->adam, by, ensemble->params, d_max, 0, ensemble->net.size, 2 * D);
  stopwatch_lap(&watch, &ensemble->times.adam);
  return loss;
}

double ensemble_step(Ensemble* ensemble, const Real* in, const Real* target, int B) {
  return ensemble_step_active(ensemble, NULL, in, target, B);
}

static void copy_reals(Real* restrict out, const Real* restrict in, int count) {
  for (int i = 0; i < count; i++) {
    out[i] = in[i];
  }
}

// Network input and noise of the `count` rows that chunk_rows lists.
static void gather_chunk(Ensemble* ensemble, const Real* obs, const Real* act, const Real* noise,
                         int count) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  size_t O = (size_t)ensemble->obs_size;
  size_t A = (size_t)ensemble->act_size;
  size_t D = (size_t)ensemble->target_size;
  for (size_t i = 0; i < (size_t)count; i++) {
    size_t b = (size_t)scratch->chunk_rows[i];
    copy_reals(scratch->chunk_in + i * (O + A), obs + b * O, (int)O);
    copy_reals(scratch->chunk_in + i * (O + A) + O, act + b * A, (int)A);
    copy_reals(scratch->chunk_noise + i * D, noise + b * D, (int)D);
  }
  scaler_apply(scratch->chunk_in, scratch->chunk_in, &ensemble->scaler, count);
}

// Puts the sampled [rew | delta obs] back to the rows that chunk_rows lists.
static void scatter_chunk(Real* next_obs, Real* rew, const Ensemble* ensemble, const Real* obs,
                          int count) {
  const struct EnsembleScratch* scratch = ensemble->scratch;
  size_t O = (size_t)ensemble->obs_size;
  for (size_t i = 0; i < (size_t)count; i++) {
    size_t b = (size_t)scratch->chunk_rows[i];
    const Real* sample = scratch->chunk_sample + i * (O + 1);
    rew[b] = sample[0];
    for (size_t o = 0; o < O; o++) {
      next_obs[b * O + o] = obs[b * O + o] + sample[1 + o];
    }
  }
}

// One chunk of rows, all of member e.
static void sample_chunk(Real* next_obs, Real* rew, Ensemble* ensemble, int e, const Real* obs,
                         const Real* act, const Real* noise, int count) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  gather_chunk(ensemble, obs, act, noise, count);
  mlp_forward_member(scratch->chunk_head, &scratch->chunk_tape, &ensemble->net, ensemble->params,
                     e, scratch->chunk_in, count);
  gaussian_sample(scratch->chunk_sample, scratch->chunk_head, scratch->chunk_noise,
                  ensemble_max_logvar(ensemble), ensemble_min_logvar(ensemble), count,
                  ensemble->target_size);
  scatter_chunk(next_obs, rew, ensemble, obs, count);
}

// All rows of member e, a chunk at a time. Returns how many.
static int sample_member(Real* next_obs, Real* rew, Ensemble* ensemble, int e, const Real* obs,
                         const Real* act, const int32_t* member, const Real* noise, int B) {
  struct EnsembleScratch* scratch = ensemble->scratch;
  int count = 0;
  int total = 0;
  for (int b = 0; b < B; b++) {
    if (member[b] != e) {
      continue;
    }
    total++;
    scratch->chunk_rows[count++] = b;
    if (count == ENSEMBLE_CHUNK) {
      sample_chunk(next_obs, rew, ensemble, e, obs, act, noise, count);
      count = 0;
    }
  }
  if (count > 0) {
    sample_chunk(next_obs, rew, ensemble, e, obs, act, noise, count);
  }
  return total;
}

void ensemble_sample(Real* next_obs, Real* rew, Ensemble* ensemble, const Real* obs,
                     const Real* act, const int32_t* member, const Real* noise, int B) {
  int total = 0;
  for (int e = 0; e < ensemble->options.members; e++) {
    total += sample_member(next_obs, rew, ensemble, e, obs, act, member, noise, B);
  }
  CHECK(total == B, "ensemble_sample: %d of %d rows name no member", B - total, B);
}

void ensemble_visit(Ensemble* ensemble, Archive* archive, const char* name) {
  int members = ensemble->options.members;
  archive_enter(archive, name);
  archive_real(archive, "params", ensemble->params,
               ensemble->net.size + 2 * (size_t)ensemble->target_size);
  adam_visit(&ensemble->adam, archive, "adam");
  scaler_visit(&ensemble->scaler, archive, "scaler");
  archive_array(archive, "elites", ensemble->elites, ARCHIVE_I32, (size_t)members);
  for (int i = 0; i < members && !archive->failed; i++) {
    if (ensemble->elites[i] < 0 || ensemble->elites[i] >= members) {
      archive_fail(archive, "%s: elite %d, expected 0 ... %d", name, ensemble->elites[i],
                   members - 1);
    }
  }
  archive_leave(archive);
}
