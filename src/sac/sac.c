// sac.c - one update of Soft Actor-Critic, in the order of the paper's equations.
//
// sac_update is the file: targets (equation 3), the gradient of both critics, the policy's gradient
// through the reparametrised action and the smaller critic (equation 2), the temperature's; and
// only then Adam steps all three, so that every gradient is taken at the same parameters
// (docs/algorithms.md, D2).
//
// Twin critics are one set of two networks, and their targets have the same shape, so that one tape
// serves both in turn; the soft update of the targets is part of the critics' Adam loop, while they
// are in the cache. All scratch is made once, for the largest batch: an update allocates nothing.
//
// Outside of updates (actions, losses over many rows) rows go through in chunks whose activations
// stay in the second-level cache. No row depends on its chunk.
#include "sac/sac.h"

#include <math.h>

#include "base/error.h"
#include "base/stopwatch.h"

// Rows per network evaluation outside of updates: activations of 256 rows stay in the L2 cache.
#define CHUNK 256

// For B = batch_size or CHUNK rows, whichever is more.
struct SacScratch {
  MlpTape policy_tape;
  MlpTape critic_tape;  // critics and, in turn, their targets
  Real* critic_in;      // (B, O + A) [obs | act]
  Real* act;            // (B, A) a ~ pi(s), or a' ~ pi(s')
  Real* logp;           // (B)
  Real* target_q;       // (B) right-hand side of equation 3
  Real* d_q;            // (2, B)
  int32_t* smaller;     // (B) which critic is the smaller one
  Real* d_act;          // (B, A)
  Real* d_logp;         // (B)
  Real* d_head;         // (B, 2 A)
};

OPTION_TABLE(sac_table, SacOptions, SAC_OPTIONS)

SacOptions sac_default_options(void) {
  SacOptions options = {0};
  options_set_defaults(sac_table(), &options);
  return options;
}

static int scratch_rows(const SacOptions* options) {
  return options->batch_size > CHUNK ? options->batch_size : CHUNK;
}

static void scratch_init(Sac* sac, Arena* arena) {
  int B = scratch_rows(&sac->options);
  size_t rows = (size_t)B;
  size_t A = (size_t)sac->act_size;
  struct SacScratch* scratch = ARENA_NEW(arena, 1, struct SacScratch);
  mlp_tape_init(&scratch->policy_tape, &sac->policy_net, B, true, arena);
  mlp_tape_init(&scratch->critic_tape, &sac->critic_net, B, true, arena);
  scratch->critic_in = ARENA_NEW(arena, rows * ((size_t)sac->obs_size + A), Real);
  scratch->act = ARENA_NEW(arena, rows * A, Real);
  scratch->logp = ARENA_NEW(arena, rows, Real);
  scratch->target_q = ARENA_NEW(arena, rows, Real);
  scratch->d_q = ARENA_NEW(arena, 2 * rows, Real);
  scratch->smaller = ARENA_NEW(arena, rows, int32_t);
  scratch->d_act = ARENA_NEW(arena, rows * A, Real);
  scratch->d_logp = ARENA_NEW(arena, rows, Real);
  scratch->d_head = ARENA_NEW(arena, 2 * rows * A, Real);
  sac->scratch = scratch;
}

// Hidden layers of the listed widths, or all of one width.
static Mlp make_networks(int members, int in, const OptionList* layers, int out,
                         const SacOptions* o) {
  int width[OPTION_LIST_SIZE];
  for (int l = 0; l < layers->count; l++) {
    width[l] = (int)layers->value[l];
  }
  Mlp net = layers->count > 0
                ? mlp_make_layers(members, in, width, layers->count, out, ACTIVATION_RELU)
                : mlp_make(members, in, o->hidden_size, o->hidden_layers, out, ACTIVATION_RELU);
  net.precision = o->precision;
  return net;
}

static Mlp make_policy(const SacOptions* o, int obs_size, int act_size) {
  return make_networks(1, obs_size, &o->policy_layers, 2 * act_size, o);
}

static Mlp make_critics(const SacOptions* o, int obs_size, int act_size) {
  return make_networks(2, obs_size + act_size, &o->critic_layers, 1, o);
}

static double number_or(double number, double otherwise) {
  return isnan(number) ? otherwise : number;
}

double sac_bytes(const SacOptions* options, int obs_size, int act_size) {
  Mlp policy = make_policy(options, obs_size, act_size);
  Mlp critics = make_critics(options, obs_size, act_size);
  int B = scratch_rows(options);
  // parameters, gradient and two moments; the critics have targets beside them
  double numbers = 4.0 * (double)policy.size + 5.0 * (double)critics.size;
  numbers += B * (obs_size + 5.0 * act_size + 6);
  return numbers * sizeof(Real) + mlp_tape_bytes(&policy, B, true) +
         mlp_tape_bytes(&critics, B, true);
}

void sac_init(Sac* sac, const SacOptions* options, int obs_size, int act_size, Rng* rng,
              Arena* arena) {
  CHECK(obs_size > 0 && act_size > 0, "sac_init: obs_size %d, act_size %d", obs_size, act_size);
  *sac = (Sac){.options = *options, .obs_size = obs_size, .act_size = act_size};
  sac->policy_net = make_policy(options, obs_size, act_size);
  sac->critic_net = make_critics(options, obs_size, act_size);
  size_t policy_size = sac->policy_net.size;
  size_t critic_size = sac->critic_net.size;
  sac->policy = ARENA_NEW(arena, policy_size, Real);
  sac->critics = ARENA_NEW(arena, critic_size, Real);
  sac->targets = ARENA_NEW(arena, critic_size, Real);
  sac->d_policy = ARENA_NEW(arena, policy_size, Real);
  sac->d_critics = ARENA_NEW(arena, critic_size, Real);

  mlp_init_glorot(sac->policy, &sac->policy_net, rng);
  mlp_init_glorot(sac->critics, &sac->critic_net, rng);
  for (size_t p = 0; p < critic_size; p++) {
    sac->targets[p] = sac->critics[p];
  }
  const SacOptions* o = options;
  sac->log_alpha = (Real)log(number_or(o->temperature, o->initial_alpha));
  sac->options.target_entropy = number_or(o->target_entropy, -act_size);
  double rate = o->learning_rate;
  adam_init(&sac->policy_adam, policy_size, number_or(o->policy_learning_rate, rate), arena);
  adam_init(&sac->critic_adam, critic_size, number_or(o->critic_learning_rate, rate), arena);
  adam_init(&sac->alpha_adam, 1, number_or(o->alpha_learning_rate, rate), arena);
  scratch_init(sac, arena);
}

void sac_share(Sac* sac, Team* team) {
  sac->policy_net.team = sac->critic_net.team = team;
  sac->policy_adam.team = sac->critic_adam.team = team;
}

// Columns first ... first + count - 1 of `out` (B, out_width) = in (B, count).
static void set_columns(Real* restrict out, int out_width, int first, const Real* restrict in,
                        int count, int B) {
  for (int b = 0; b < B; b++) {
    Real* row = out + (size_t)b * (size_t)out_width + first;
    for (int i = 0; i < count; i++) {
      row[i] = in[(size_t)b * (size_t)count + (size_t)i];
    }
  }
}

static void set_critic_obs(Sac* sac, const Real* obs, int B) {
  set_columns(sac->scratch->critic_in, sac->obs_size + sac->act_size, 0, obs, sac->obs_size, B);
}

static void set_critic_act(Sac* sac, const Real* act, int B) {
  set_columns(sac->scratch->critic_in, sac->obs_size + sac->act_size, sac->obs_size, act,
              sac->act_size, B);
}

// Q (2, B) of both networks at the current critic input.
static const Real* critics_forward(Sac* sac, const Real* params, int B) {
  struct SacScratch* scratch = sac->scratch;
  mlp_forward(&scratch->critic_tape, &sac->critic_net, params, scratch->critic_in, true, B);
  return scratch->critic_tape.out;
}

// scratch->act, scratch->logp = a draw of the policy at obs.
static void policy_forward(Sac* sac, const Real* obs, const Real* noise, int B) {
  struct SacScratch* scratch = sac->scratch;
  mlp_forward(&scratch->policy_tape, &sac->policy_net, sac->policy, obs, true, B);
  squashed_gaussian_forward(scratch->act, scratch->logp, scratch->policy_tape.out, noise, B,
                            sac->act_size);
}

static Real temperature(const Sac* sac) { return (Real)exp((double)sac->log_alpha); }

// target_q = scale r + gamma (1 - terminated) (min target Q(s', a') - alpha log pi(a' | s')).
static void compute_target_q(Sac* sac, const Real* next_obs, const Real* rew,
                             const Real* terminated, const Real* next_noise, int B) {
  struct SacScratch* scratch = sac->scratch;
  policy_forward(sac, next_obs, next_noise, B);
  set_critic_obs(sac, next_obs, B);
  set_critic_act(sac, scratch->act, B);
  const Real* next_q = critics_forward(sac, sac->targets, B);
  Real alpha = temperature(sac);
  Real discount = (Real)sac->options.discount;
  Real scale = (Real)sac->options.reward_scale;
  for (int b = 0; b < B; b++) {
    Real smaller = next_q[B + b] < next_q[b] ? next_q[B + b] : next_q[b];
    Real value = smaller - alpha * scratch->logp[b];
    scratch->target_q[b] = scale * rew[b] + discount * ((Real)1 - terminated[b]) * value;
  }
}

// Equation 3: d_critics is the gradient of each critic's own 0.5 * MSE from target_q.
static void critic_gradient(SacLosses* losses, Sac* sac, const Batch* batch) {
  struct SacScratch* scratch = sac->scratch;
  int B = batch->size;
  set_critic_obs(sac, batch->obs, B);
  set_critic_act(sac, batch->act, B);
  const Real* q = critics_forward(sac, sac->critics, B);
  double squares = 0;
  double sum = 0;
  for (int i = 0; i < 2 * B; i++) {
    Real error = q[i] - scratch->target_q[i % B];
    scratch->d_q[i] = error / (Real)B;
    squares += (double)error * (double)error;
    sum += (double)q[i];
  }
  losses->critic_loss = 0.5 * squares / (2.0 * B);
  losses->q_mean = sum / (2.0 * B);
  mlp_backward(sac->d_critics, &scratch->critic_tape, &sac->critic_net, sac->critics,
               scratch->d_q, B);
}

// Which critic is the smaller one in each row, and d_q (B), the gradient of -mean min Q with
// respect to it; the other one's is 0. Returns mean min Q.
static double smaller_q(int32_t* smaller, Real* d_q, const Real* q, int B) {
  double sum = 0;
  for (int b = 0; b < B; b++) {
    smaller[b] = q[B + b] < q[b];
    sum += (double)q[smaller[b] * B + b];
    d_q[b] = (Real)-1 / (Real)B;
  }
  return sum / B;
}

// Equation 2 at a reparametrised action. Expects the batch's observations in critic_in.
static void policy_loss(SacLosses* losses, Sac* sac, const Batch* batch, const Real* noise) {
  struct SacScratch* scratch = sac->scratch;
  int B = batch->size;
  policy_forward(sac, batch->obs, noise, B);
  set_critic_act(sac, scratch->act, B);
  const Real* q = critics_forward(sac, sac->critics, B);
  double q_mean = smaller_q(scratch->smaller, scratch->d_q, q, B);
  double logp_sum = 0;
  for (int b = 0; b < B; b++) {
    logp_sum += (double)scratch->logp[b];
  }
  losses->alpha = (double)temperature(sac);
  losses->entropy = -logp_sum / B;
  losses->policy_loss = losses->alpha * (logp_sum / B) - q_mean;
}

// Its gradient, through the action.
static void policy_gradient(Sac* sac, const Real* noise, int B) {
  struct SacScratch* scratch = sac->scratch;
  int A = sac->act_size;
  mlp_backward_by_row(scratch->d_act, sac->obs_size, A, &scratch->critic_tape, &sac->critic_net,
                      sac->critics, scratch->smaller, scratch->d_q, B);
  Real alpha = temperature(sac);
  for (int b = 0; b < B; b++) {
    scratch->d_logp[b] = alpha / (Real)B;
  }
  squashed_gaussian_backward(scratch->d_head, scratch->d_act, scratch->d_logp, scratch->act, noise,
                             scratch->policy_tape.out, B, A);
  mlp_backward(sac->d_policy, &scratch->policy_tape, &sac->policy_net, sac->policy,
               scratch->d_head, B);
}

// Gradient of -log_alpha * mean(log pi + target entropy); a fixed temperature has none.
static void alpha_gradient(SacLosses* losses, Sac* sac) {
  bool learnt = isnan(sac->options.temperature);
  double gradient = learnt ? losses->entropy - sac->options.target_entropy : 0;
  sac->d_log_alpha = (Real)gradient;
  losses->alpha_loss = (double)sac->log_alpha * gradient;
}

// Every `interval`-th update of the critics, the first one among them.
static bool is_due(const Sac* sac, int interval) {
  return sac->critic_adam.steps % interval == 0;
}

void sac_update(SacLosses* losses, Sac* sac, const Batch* batch, const Real* noise,
                const Real* next_noise) {
  CHECK(batch->size > 0 && batch->size <= sac->options.batch_size,
        "sac_update: a batch of %d, expected 1 ... %d", batch->size, sac->options.batch_size);
  bool policy_due = is_due(sac, sac->options.policy_interval);
  bool targets_due = is_due(sac, sac->options.target_interval);
  Stopwatch watch = stopwatch_start();
  compute_target_q(sac, batch->next_obs, batch->rew, batch->terminated, next_noise, batch->size);
  stopwatch_lap(&watch, &sac->times.targets);
  critic_gradient(losses, sac, batch);
  stopwatch_lap(&watch, &sac->times.critics);
  policy_loss(losses, sac, batch, noise);
  alpha_gradient(losses, sac);
  if (policy_due) {
    policy_gradient(sac, noise, batch->size);
  }
  stopwatch_lap(&watch, &sac->times.policy);
  if (policy_due) {
    adam_step(&sac->policy_adam, sac->policy, sac->d_policy);
    adam_step(&sac->alpha_adam, &sac->log_alpha, &sac->d_log_alpha);
  }
  if (targets_due) {
    adam_step_polyak(&sac->critic_adam, sac->critics, sac->d_critics, sac->targets,
                     sac->options.target_rate);
  } else {
    adam_step(&sac->critic_adam, sac->critics, sac->d_critics);
  }
  stopwatch_lap(&watch, &sac->times.adam);
}

// Rows of the next chunk when `left` rows remain.
static int chunk_rows(int left) { return left < CHUNK ? left : CHUNK; }

// The part of a row-major array that starts at row b.
static const Real* from_row(const Real* rows, int b, int width) {
  return rows + (size_t)b * (size_t)width;
}

double sac_critic_loss(Sac* sac, const Batch* batch, const Real* next_noise) {
  struct SacScratch* scratch = sac->scratch;
  int O = sac->obs_size;
  int A = sac->act_size;
  double squares = 0;
  for (int b = 0; b < batch->size; b += CHUNK) {
    int B = chunk_rows(batch->size - b);
    compute_target_q(sac, from_row(batch->next_obs, b, O), batch->rew + b, batch->terminated + b,
                     from_row(next_noise, b, A), B);
    set_critic_obs(sac, from_row(batch->obs, b, O), B);
    set_critic_act(sac, from_row(batch->act, b, A), B);
    const Real* q = critics_forward(sac, sac->critics, B);
    for (int i = 0; i < 2 * B; i++) {
      double error = (double)q[i] - (double)scratch->target_q[i % B];
      squares += error * error;
    }
  }
  return 0.5 * squares / (2.0 * batch->size);
}

// [mean | log_std] (B, 2 A) of the policy.
static const Real* policy_head(Sac* sac, const Real* obs, int B) {
  MlpTape* tape = &sac->scratch->policy_tape;
  mlp_forward(tape, &sac->policy_net, sac->policy, obs, true, B);
  return tape->out;
}

void sac_act(Real* act, Real* logp, Sac* sac, const Real* obs, const Real* noise, int B) {
  int A = sac->act_size;
  for (int b = 0; b < B; b += CHUNK) {
    int rows = chunk_rows(B - b);
    const Real* head = policy_head(sac, from_row(obs, b, sac->obs_size), rows);
    squashed_gaussian_forward(act + (size_t)b * (size_t)A, logp ? logp + b : NULL, head,
                              from_row(noise, b, A), rows, A);
  }
}

void sac_act_mean(Real* act, Sac* sac, const Real* obs, int B) {
  int A = sac->act_size;
  for (int b = 0; b < B; b += CHUNK) {
    int rows = chunk_rows(B - b);
    const Real* head = policy_head(sac, from_row(obs, b, sac->obs_size), rows);
    squashed_gaussian_mean(act + (size_t)b * (size_t)A, head, rows, A);
  }
}

void sac_logp(Real* logp, Sac* sac, const Real* obs, const Real* act, int B) {
  int A = sac->act_size;
  for (int b = 0; b < B; b += CHUNK) {
    int rows = chunk_rows(B - b);
    const Real* head = policy_head(sac, from_row(obs, b, sac->obs_size), rows);
    squashed_gaussian_logp(logp + b, head, from_row(act, b, A), rows, A);
  }
}

static bool all_finite(const Real* numbers, size_t count) {
  int bad = 0;
  for (size_t i = 0; i < count; i++) {
    bad |= !(fabs(numbers[i]) <= (Real)REAL_MAX);
  }
  return !bad;
}

bool sac_is_finite(const Sac* sac) {
  return all_finite(sac->policy, sac->policy_net.size) &&
         all_finite(sac->critics, sac->critic_net.size) &&
         all_finite(sac->targets, sac->critic_net.size) && all_finite(&sac->log_alpha, 1);
}

void sac_visit(Sac* sac, Archive* archive, const char* name) {
  archive_enter(archive, name);
  archive_real(archive, "policy", sac->policy, sac->policy_net.size);
  archive_real(archive, "critics", sac->critics, sac->critic_net.size);
  archive_real(archive, "targets", sac->targets, sac->critic_net.size);
  archive_real(archive, "log_alpha", &sac->log_alpha, 1);
  adam_visit(&sac->policy_adam, archive, "policy_adam");
  adam_visit(&sac->critic_adam, archive, "critic_adam");
  adam_visit(&sac->alpha_adam, archive, "alpha_adam");
  archive_leave(archive);
}
