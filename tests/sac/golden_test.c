// Ten SAC updates from the parameters, batches and noise of tests/golden/make_golden.py, compared
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

static const SacOptions options = {
    .batch_size = BATCH,
    .hidden_size = 16,
    .hidden_layers = 2,
    .learning_rate = 3e-4,
    .discount = 0.99,
    .target_rate = 0.005,
    .initial_alpha = 1,
    .target_entropy = -1.5,
};

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

static void ten_updates_match_pytorch(void** state) {
  (void)state;
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

  FILE* file = golden_open("sac.golden");
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ten_updates_match_pytorch)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
