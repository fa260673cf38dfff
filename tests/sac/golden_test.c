// Ten SAC updates of each kind from the parameters, batches and noise of tests/golden/make_golden.py, compared
// with float64 PyTorch at each step.
#include "../golden/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nn/gemm.h"
#include "sac/sac.h"

#define STEPS 10
#define OBS 5
#define ACT 2
#define BATCH 32

// float: the bound that this project promises; double: rounding only.
#ifdef AUTOMBPO_FLOAT64
#define TOLERANCE 1e-10
#else
#define TOLERANCE 1e-5
#endif

// The published algorithm, and all that it can be told to do otherwise at once.
static SacOptions published(void) {
  SacOptions options = sac_default_options();
  options.batch_size = BATCH;
  options.hidden_size = 16;
  options.target_entropy = -1.5;
  return options;
}

static SacOptions otherwise(void) {
  SacOptions options = published();
  options.policy_layers = (OptionList){3, {12, 7, 20}};
  options.critic_layers = (OptionList){2, {24, 9}};
  options.policy_learning_rate = 1e-3;
  options.critic_learning_rate = 2e-3;
  options.alpha_learning_rate = 5e-3;
  options.reward_scale = 2.5;
  options.policy_interval = 2;
  options.target_interval = 3;
  options.target_entropy = NAN;
  return options;
}

static void read_parameters(FILE* file, Sac* sac) {
  golden_read_real(sac->policy, file, "policy", sac->policy_net.size);
  golden_read_real(sac->critics, file, "critics", sac->critic_net.size);
  golden_read_real(sac->targets, file, "targets", sac->critic_net.size);
  golden_read_real(&sac->log_alpha, file, "log_alpha", 1);
}

static void read_batch(FILE* file, Batch* batch, Real* noise, Real* next_noise) {
  golden_read_real(batch->obs, file, "obs", BATCH * OBS);
  golden_read_real(batch->act, file, "act", BATCH * ACT);
  golden_read_real(batch->next_obs, file, "next_obs", BATCH * OBS);
  golden_read_real(batch->rew, file, "rew", BATCH);
  golden_read_real(batch->terminated, file, "terminated", BATCH);
  golden_read_real(noise, file, "noise", BATCH * ACT);
  golden_read_real(next_noise, file, "next_noise", BATCH * ACT);
}

static void assert_close(double distance, const char* name, int step) {
  if (!(distance <= TOLERANCE)) {
    fail_msg("step %d: %s differs by %.3g, allowed %.3g", step, name, distance, TOLERANCE);
  }
}

static void compare_losses(FILE* file, const SacLosses* losses, int step) {
  static const char* const names[] = {"critic loss", "policy loss", "alpha loss",
                                      "alpha", "entropy", "mean Q"};
  double got[] = {losses->critic_loss, losses->policy_loss, losses->alpha_loss,
                  losses->alpha, losses->entropy, losses->q_mean};
  double expected[6];
  golden_read(expected, file, "losses", 6);
  for (int i = 0; i < 6; i++) {
    // mean Q and policy loss are differences of larger numbers: their scale is that of Q, about 1
    double scale = fmax(fabs(expected[i]), 1);
    assert_close(fabs(got[i] - expected[i]) / scale, names[i], step);
  }
}

static void ten_updates_match_pytorch(const char* name, SacOptions options) {
  gemm_init();
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  Sac sac;
  sac_init(&sac, &options, OBS, ACT, &rng, &arena);
  Batch batch;
  batch_init(&batch, BATCH, OBS, ACT, &arena);
  Real* noise = ARENA_NEW(&arena, BATCH * ACT, Real);
  Real* next_noise = ARENA_NEW(&arena, BATCH * ACT, Real);

  FILE* file = golden_open(name);
  read_parameters(file, &sac);
  for (int step = 0; step < STEPS; step++) {
    read_batch(file, &batch, noise, next_noise);
    double critic_loss = sac_critic_loss(&sac, &batch, next_noise);
    SacLosses losses;
    sac_update(&losses, &sac, &batch, noise, next_noise);
    compare_losses(file, &losses, step);
    assert_close(fabs(critic_loss / losses.critic_loss - 1), "sac_critic_loss", step);
    assert_close(golden_distance(file, "d_policy", sac.d_policy, sac.policy_net.size),
                 "policy gradient", step);
    assert_close(golden_distance(file, "d_critics", sac.d_critics, sac.critic_net.size),
                 "critic gradient", step);
    assert_close(golden_distance(file, "d_log_alpha", &sac.d_log_alpha, 1), "alpha gradient",
                 step);
  }
  assert_close(golden_distance(file, "policy", sac.policy, sac.policy_net.size), "policy", STEPS);
  assert_close(golden_distance(file, "critics", sac.critics, sac.critic_net.size), "critics",
               STEPS);
  assert_close(golden_distance(file, "targets", sac.targets, sac.critic_net.size), "targets",
               STEPS);
  assert_close(golden_distance(file, "log_alpha", &sac.log_alpha, 1), "log_alpha", STEPS);
  fclose(file);
  arena_free(&arena);
}

static void the_published_algorithm_is_that_of_pytorch(void** state) {
  (void)state;
  ten_updates_match_pytorch("sac.golden", published());
}

static void each_option_does_what_it_does_in_pytorch(void** state) {
  (void)state;
  ten_updates_match_pytorch("sac_options.golden", otherwise());
}

static void a_fixed_temperature_is_that_of_pytorch(void** state) {
  (void)state;
  SacOptions options = published();
  options.temperature = 0.2;
  ten_updates_match_pytorch("sac_fixed.golden", options);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_algorithm_is_that_of_pytorch),
      cmocka_unit_test(each_option_does_what_it_does_in_pytorch),
      cmocka_unit_test(a_fixed_temperature_is_that_of_pytorch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
