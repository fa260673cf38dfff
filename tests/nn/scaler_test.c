#include "nn/scaler.h"

#include <float.h>

#include "gradient_check.h"

#define N 1000
#define D 3

static void scaled_data_has_mean_zero_and_deviation_one(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Scaler scaler;
  scaler_init(&scaler, D, &arena);
  Real* x = ARENA_NEW(&arena, N * D, Real);
  Rng rng = rng_stream(7, 0, RNG_TEST, 0);
  for (int i = 0; i < N * D; i++) {
    // column 2 is constant: it is only shifted
    x[i] = i % D == 2 ? 4 : (Real)(10 + 3 * (i % D + 1) * rng_normal(&rng));
  }
  scaler_fit(&scaler, x, N);
  scaler_apply(x, x, &scaler, N);
  for (int d = 0; d < D; d++) {
    double sum = 0, square = 0;
    for (int n = 0; n < N; n++) {
      sum += (double)x[n * D + d];
      square += (double)x[n * D + d] * (double)x[n * D + d];
    }
    // the mean is rounded to Real: 1e-6 of 10
    assert_true(fabs(sum / N) < 1e-6);
    assert_true(fabs(square / N - (d == 2 ? 0 : 1)) < 1e-5);
  }
  arena_free(&arena);
}

// Numbers around `level` that differ by their last binary digit alone, and a test row beside them.
static Real scaled_excursion(Real level, Real excursion) {
  Arena arena;
  arena_init(&arena);
  Scaler scaler;
  scaler_init(&scaler, 1, &arena);
  Real* x = ARENA_NEW(&arena, N, Real);
  Rng rng = rng_stream(7, 1, RNG_TEST, 0);
  for (int i = 0; i < N; i++) {
    float last_digit = (float)rng_below(&rng, 2) * FLT_EPSILON;
    x[i] = level * (1 + last_digit);
  }
  scaler_fit(&scaler, x, N);
  Real out = level + excursion;
  scaler_apply(&out, &out, &scaler, 1);
  arena_free(&arena);
  return out;
}

static void rounding_of_a_constant_column_is_not_blown_up(void** state) {
  (void)state;
  static const Real levels[] = {1, -1, 1e-3f, 300, 1e6f};
  for (int i = 0; i < 5; i++) {
    Real scaled = scaled_excursion(levels[i], (Real)fabs(levels[i]) / 100);
    // only shifted: what is 1 % away stays 1 % of the level away, to float's rounding of the level
    assert_true(fabs(scaled - fabs(levels[i]) / 100) < fabs(levels[i]) * 1e-6);
  }
}

static void a_small_deviation_that_float_can_hold_is_scaled(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Scaler scaler;
  scaler_init(&scaler, 2, &arena);
  // deviations of 1e-5 beside a mean of 1, and of 1e-9 beside a mean of 0
  const Real x[4] = {1 - 1e-5f, -1e-9f, 1 + 1e-5f, 1e-9f};
  scaler_fit(&scaler, x, 2);
  assert_true(fabs(scaler.inverse[0] * 1e-5 - 1) < 0.01);
  assert_true(fabs(scaler.inverse[1] * 1e-9 - 1) < 0.01);
  arena_free(&arena);
}

static void unfitted_scaler_is_the_identity(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Scaler scaler;
  scaler_init(&scaler, D, &arena);
  const Real x[D] = {1, -2, 3};
  Real out[D];
  scaler_apply(out, x, &scaler, 1);
  assert_memory_equal(out, x, sizeof x);
  arena_free(&arena);
}

static void loaded_scaler_equals_the_saved_one(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Scaler saved, loaded;
  scaler_init(&saved, D, &arena);
  scaler_init(&loaded, D, &arena);
  const Real x[2 * D] = {1, 2, 3, 5, 7, 11};
  scaler_fit(&saved, x, 2);
  ArchiveMemory memory = {0};
  Archive archive;
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  scaler_visit(&saved, &archive, "scaler");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  scaler_visit(&loaded, &archive, "scaler");
  assert_false(archive.failed);
  assert_memory_equal(loaded.mean, saved.mean, D * sizeof(Real));
  assert_memory_equal(loaded.inverse, saved.inverse, D * sizeof(Real));
  archive_memory_free(&memory);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scaled_data_has_mean_zero_and_deviation_one),
      cmocka_unit_test(rounding_of_a_constant_column_is_not_blown_up),
      cmocka_unit_test(a_small_deviation_that_float_can_hold_is_scaled),
      cmocka_unit_test(unfitted_scaler_is_the_identity),
      cmocka_unit_test(loaded_scaler_equals_the_saved_one),
  };
  return cmocka_run_group_tests_name("scaler", tests, NULL, NULL);
}
