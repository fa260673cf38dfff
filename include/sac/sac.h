// sac.h - Soft Actor-Critic (Haarnoja et al. 2018): equations 2 and 3 of the paper.
//
// Policy and twin critics with targets, temperature learnt or fixed. One update computes all
// gradients at the same parameters and then steps policy, critics and temperature
// (docs/algorithms.md, D2).
#ifndef SAC_SAC_H
#define SAC_SAC_H

#include <math.h>

#include "base/archive.h"
#include "base/options.h"
#include "env/replay.h"
#include "nn/adam.h"
#include "nn/mlp.h"
#include "nn/squashed_gaussian.h"

// The defaults are the published configuration; docs/algorithms.md, section 4, has what it lacks.
// kind, name, default, smallest, largest, unit, meaning
#define SAC_OPTIONS(OPT) \
  OPT(INT, batch_size, 256, 1, 65536, "transitions", "batch of one gradient update") \
  OPT(INT, hidden_size, 256, 1, 2048, "units", "width of the hidden layers of policy and critics") \
  OPT(INT, hidden_layers, 2, 1, 6, "layers", "hidden layers of policy and critics") \
  OPT(LIST, policy_layers, "[]", 1, 2048, "units", \
      "widths of the policy's hidden layers; [] = hidden_layers of hidden_size") \
  OPT(LIST, critic_layers, "[]", 1, 2048, "units", "the same of the critics") \
  OPT(REAL, learning_rate, 3e-4, 1e-8, 1, "", "Adam step size of policy, critics and temperature") \
  OPT(AUTO, policy_learning_rate, NAN, 1e-8, 1, "", "of the policy alone; auto = learning_rate") \
  OPT(AUTO, critic_learning_rate, NAN, 1e-8, 1, "", "of the critics alone; auto = learning_rate") \
  OPT(AUTO, alpha_learning_rate, NAN, 1e-8, 1, "", \
      "of the temperature alone; auto = learning_rate") \
  OPT(REAL, discount, 0.99, 0, 1, "", "gamma, the discount factor") \
  OPT(REAL, reward_scale, 1, 1e-6, 1e6, "", "factor of the rewards that the critics learn from") \
  OPT(INT, policy_interval, 1, 1, 1000000, "updates", \
      "updates of the critics for one of policy and temperature") \
  OPT(INT, target_interval, 1, 1, 1000000, "updates", \
      "updates of the critics for one of the target critics") \
  OPT(REAL, target_rate, 0.005, 0, 1, "", "rate of the target critics' moving average") \
  OPT(REAL, initial_alpha, 1, 1e-6, 100, "", "initial temperature") \
  OPT(AUTO, temperature, NAN, 1e-6, 100, "", "fixed temperature; auto = it is learnt") \
  OPT(AUTO, target_entropy, -1, -1000, 1000, "nats", \
      "entropy that the temperature steers to; auto = -1 for each component of the action")

typedef struct {
  SAC_OPTIONS(OPTION_FIELD)
  GemmPrecision precision;  // of the products between hidden layers
} SacOptions;

typedef struct {
  double critic_loss;   // mean over both critics of 0.5 * MSE, equation 3
  double policy_loss;   // equation 2
  double alpha_loss;
  double alpha;         // the temperature that this update used
  double entropy;       // -mean log pi of the batch
  double q_mean;        // mean of both critics on the batch
} SacLosses;

// Seconds spent in each part of the updates since sac_init: never part of the state.
typedef struct {
  double targets, critics, policy, adam;
} SacTimes;

typedef struct {
  SacOptions options;   // target_entropy is a number
  int obs_size;         // O
  int act_size;         // A
  Mlp policy_net;       // E = 1: obs -> [mean | log_std]
  Mlp critic_net;       // E = 2: [obs | act] -> Q
  Real* policy;         // (policy_net.size)
  Real* critics;        // (critic_net.size)
  Real* targets;        // (critic_net.size)
  Real log_alpha;
  Adam policy_adam;
  Adam critic_adam;
  Adam alpha_adam;
  // scratch of one update and gradients, last computed (for tests)
  Real* d_policy;       // (policy_net.size)
  Real* d_critics;      // (critic_net.size)
  Real d_log_alpha;
  struct SacScratch* scratch;
  SacTimes times;
} Sac;

// The defaults of the table above, for a Sac without a configuration.
SacOptions sac_default_options(void);

// Allocates for the given sizes and draws initial parameters from `rng`.
void sac_init(Sac* sac, const SacOptions* options, int obs_size, int act_size, Rng* rng,
              Arena* arena);

// Lets threads share its work; results do not depend on them.
void sac_share(Sac* sac, Team* team);

// Bytes of a Sac with its scratch.
double sac_bytes(const SacOptions* options, int obs_size, int act_size);

// One gradient update. noise, next_noise: (B, A) standard normal draws for a ~ pi(s), a' ~ pi(s').
// B <= options.batch_size.
void sac_update(SacLosses* losses, Sac* sac, const Batch* batch, const Real* noise,
                const Real* next_noise);

// The critic loss (equation 3) on a batch of any size, without learning.
double sac_critic_loss(Sac* sac, const Batch* batch, const Real* next_noise);

// Stochastic actions act (B, A) and their log-densities logp (B, or NULL); any B.
void sac_act(Real* act, Real* logp, Sac* sac, const Real* obs, const Real* noise, int B);

// Deterministic actions tanh(mean).
void sac_act_mean(Real* act, Sac* sac, const Real* obs, int B);

// Log-density of given actions.
void sac_logp(Real* logp, Sac* sac, const Real* obs, const Real* act, int B);

// False when a parameter or the temperature is not finite.
bool sac_is_finite(const Sac* sac);

void sac_visit(Sac* sac, Archive* archive, const char* name);

#endif  // SAC_SAC_H
