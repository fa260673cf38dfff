// Ten ensemble steps from the parameters and batches of tests/golden/make_golden.py, compared with
// float64 PyTorch at each step.
#include "../golden/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dynamics/ensemble.h"
#include "nn/gemm.h"

#define STEPS 10
#define MEMBERS 3
#define OBS 5
#define ACT 2
#define BATCH 16

// float: the bound that this project promises; double: rounding only.
#ifdef AUTOMBPO_FLOAT64
#define TOLERANCE 1e-10
#else
#define TOLERANCE 1e-5
#endif

static const EnsembleOptions options = {
    .members = MEMBERS,
    .elites = 2,
    .hidden_size = 8,
    .hidden_layers = 4,
    .learning_rate = 1e-3,
    .batch_size = BATCH,
    .weight_decay = 1,
    .holdout_ratio = 0.2,
    .holdout_limit = 5000,
    .patience = 5,
    .improvement = 0.01,
};

static void assert_close(double distance, const char* name, int step) {
  if (!(distance <= TOLERANCE)) {
    fail_msg("step %d: %s differs by %.3g, allowed %.3g", step, name, distance, TOLERANCE);
  }
}

// The gradient that a step was made of, from Adam's mean of gradients before and after it.
static void find_gradient(Real* gradient, const Real* before, const Real* after, size_t size) {
  for (size_t p = 0; p < size; p++) {
    gradient[p] = (Real)(((double)after[p] - 0.9 * (double)before[p]) / 0.1);
  }
}

static void ten_steps_match_pytorch(void** state) {
  (void)state;
  gemm_init();
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  Ensemble ensemble;
  ensemble_init(&ensemble, &options, OBS, ACT, 100, &rng, &arena);
  size_t in_count = MEMBERS * BATCH * (OBS + ACT);
  size_t target_count = MEMBERS * BATCH * (OBS + 1);
  size_t size = ensemble.net.size + 2 * (OBS + 1);
  Real* in = ARENA_NEW(&arena, in_count, Real);
  Real* target = ARENA_NEW(&arena, target_count, Real);
  Real* mean_before = ARENA_NEW(&arena, size, Real);
  Real* gradient = ARENA_NEW(&arena, size, Real);

  FILE* file = golden_open("ensemble.golden");
  golden_read_real(ensemble.params, file, "params", size);
  for (int step = 0; step < STEPS; step++) {
    golden_read_real(in, file, "in", in_count);
    golden_read_real(target, file, "target", target_count);
    memcpy(mean_before, ensemble.adam.first, size * sizeof(Real));
    double loss = ensemble_step(&ensemble, in, target, BATCH);
    find_gradient(gradient, mean_before, ensemble.adam.first, size);
    double expected;
    golden_read(&expected, file, "loss", 1);
    assert_close(fabs(loss / expected - 1), "loss", step);
    assert_close(golden_distance(file, "gradient", gradient, size), "gradient", step);
  }
  assert_close(golden_distance(file, "params", ensemble.params, size), "params", STEPS);
  fclose(file);
  ensemble_free(&ensemble);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ten_steps_match_pytorch)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
