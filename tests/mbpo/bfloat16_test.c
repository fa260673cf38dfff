// Learners in bfloat16 beside the same in float32: near it, not equal to it, and as good.

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../dynamics/ensemble_fixture.h"
#include "sac/sac.h"

#define BATCH 64
#define WIDTH 48

// |a - b| / |b|
static double distance(const Real* a, const Real* b, size_t count) {
  double difference = 0, length = 0;
  for (size_t i = 0; i < count; i++) {
    difference += pow((double)a[i] - (double)b[i], 2);
    length += pow((double)b[i], 2);
  }
  return sqrt(difference / length);
}

// 8 bits of mantissa in each operand: some 2^-9 of each product, with random signs in the sums.
static void assert_near(const Real* rounded, const Real* exact, size_t count) {
  double far = distance(rounded, exact, count);
  if (!(far > 1e-5 && far < 2e-2)) {
    fail_msg("relative distance %g", far);
  }
}

static Sac sac_after_one_update(GemmPrecision precision, Arena* arena) {
  Sac sac;
  SacLosses losses;
  Batch batch;
  Rng rng = rng_stream(31, 0, RNG_TEST, 0);
  SacOptions options = sac_default_options();
  options.batch_size = BATCH;
  options.hidden_size = WIDTH;
  options.precision = precision;
  Real* noise = ARENA_NEW(arena, 2 * BATCH * ACT, Real);
  sac_init(&sac, &options, OBS, ACT, &rng, arena);
  batch_init(&batch, BATCH, OBS, ACT, arena);
  rng_fill_normal(batch.obs, BATCH * OBS, &rng);
  rng_fill_normal(batch.next_obs, BATCH * OBS, &rng);
  rng_fill_normal(batch.rew, BATCH, &rng);
  rng_fill_normal(batch.act, BATCH * ACT, &rng);
  rng_fill_normal(noise, 2 * BATCH * ACT, &rng);
  sac_update(&losses, &sac, &batch, noise, noise + BATCH * ACT);
  return sac;
}

static void sac_gradients_are_near_those_of_float32(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Sac exact = sac_after_one_update(GEMM_FLOAT32, &arena);
  Sac rounded = sac_after_one_update(GEMM_BFLOAT16, &arena);
  assert_near(rounded.d_policy, exact.d_policy, exact.policy_net.size);
  assert_near(rounded.d_critics, exact.d_critics, exact.critic_net.size);
  arena_free(&arena);
}

static void ensemble_learns_as_well_as_in_float32(void** state) {
  (void)state;
  double loss[2];
  for (int precision = GEMM_FLOAT32; precision <= GEMM_BFLOAT16; precision++) {
    Fixture f;
    EnsembleOptions options = small_options();
    options.learning_rate = 3e-3;
    options.hidden_size = WIDTH;
    options.precision = (GemmPrecision)precision;
    set_up(&f, &options);
    add_transitions(&f.replay, 4 * ROWS, &f.rng);
    loss[precision] = train(&f).validation_loss;
    tear_down(&f);
  }
  assert_true(loss[GEMM_BFLOAT16] != loss[GEMM_FLOAT32]);
  // both are near the noise of the data, which no model can go below
  assert_true(loss[GEMM_FLOAT32] < 1.4 * NOISE_SD * NOISE_SD);
  assert_true(loss[GEMM_BFLOAT16] < 1.1 * loss[GEMM_FLOAT32]);
}

int main(void) {
  gemm_init();
  if (!gemm_has_bfloat16()) {
    printf("skipped: this CPU has no AVX512_BF16\n");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sac_gradients_are_near_those_of_float32),
      cmocka_unit_test(ensemble_learns_as_well_as_in_float32),
  };
  return cmocka_run_group_tests_name("bfloat16", tests, NULL, NULL);
}
