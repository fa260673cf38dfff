// The bulk functions of base/rng.h.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"

#define COUNT 300  // over four times what is drawn at once, and no multiple of it
#define MANY 400000

static Rng stream(void) { return rng_stream(123456789012345, 7, RNG_TEST, 3); }

static void uniforms_are_the_streams_words_in_order(void** state) {
  (void)state;
  Rng bulk = stream(), single = stream();
  Real out[COUNT];
  rng_fill_uniform(out, COUNT, &bulk);
  for (int i = 0; i < COUNT; i++) {
    assert_true(out[i] == (Real)(rng_bits(&single) >> 8) * (Real)0x1p-24);
  }
  assert_int_equal(bulk.block, single.block);
}

static void indices_are_the_streams_words_scaled(void** state) {
  (void)state;
  Rng bulk = stream(), single = stream();
  int32_t out[COUNT];
  rng_fill_below(out, COUNT, 1000003, &bulk);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(out[i], rng_below(&single, 1000003));
  }
}

static void normals_are_box_muller_of_the_streams_words(void** state) {
  (void)state;
  Rng bulk = stream(), single = stream();
  Real out[COUNT];
  rng_fill_normal(out, COUNT, &bulk);
  for (int i = 0; i < COUNT; i += 2) {
    double uniform = (floor(rng_bits(&single) / 2.0) + 1) * 0x1p-31;
    double angle = 6.283185307179586477 * 0x1p-32 * rng_bits(&single);
    double radius = sqrt(-2 * log(uniform));
    // 4 ulp of a radius up to 6.6; near radius 0 the rounding of `uniform` counts as its root
    double tolerance = uniform > 0.999 ? 2e-5 : 2e-6;
    assert_true(fabs((double)out[i] - radius * cos(angle)) < tolerance);
    assert_true(fabs((double)out[i + 1] - radius * sin(angle)) < tolerance);
  }
}

static void parts_at_multiples_of_four_equal_the_whole(void** state) {
  (void)state;
  for (int part = 4; part < COUNT; part += 36) {
    Rng whole = stream(), parts = stream();
    Real a[COUNT], b[COUNT];
    rng_fill_normal(a, COUNT, &whole);
    rng_fill_normal(b, part, &parts);
    rng_fill_normal(b + part, COUNT - part, &parts);
    assert_memory_equal(a, b, sizeof a);
    rng_fill_uniform(a, COUNT, &whole);
    rng_fill_uniform(b, part, &parts);
    rng_fill_uniform(b + part, COUNT - part, &parts);
    assert_memory_equal(a, b, sizeof a);
  }
}

static void nothing_is_written_beyond_count(void** state) {
  (void)state;
  for (int count = 0; count < 70; count++) {
    Rng rng = stream();
    Real out[71];
    int32_t index[71];
    out[count] = 99;
    index[count] = 99;
    rng_fill_normal(out, count, &rng);
    rng_fill_uniform(out, count, &rng);
    rng_fill_below(index, count, 10, &rng);
    assert_true(out[count] == 99);
    assert_int_equal(index[count], 99);
    assert_int_equal(rng.block, 3 * ((count + 3) / 4));
  }
}

static void normals_have_the_moments_of_the_normal_distribution(void** state) {
  (void)state;
  static Real out[MANY];
  Rng rng = stream();
  rng_fill_normal(out, MANY, &rng);
  double moment[5] = {0}, neighbours = 0;
  for (int i = 0; i < MANY; i++) {
    double power = 1;
    for (int n = 1; n <= 4; n++) {
      power *= (double)out[i];
      moment[n] += power / MANY;
    }
    neighbours += (double)out[i] * (double)out[(i + 1) % MANY] / MANY;
  }
  // five standard errors: sqrt(1, 2, 15, 96, 1 over the count)
  assert_true(fabs(moment[1]) < 5 * sqrt(1.0 / MANY));
  assert_true(fabs(moment[2] - 1) < 5 * sqrt(2.0 / MANY));
  assert_true(fabs(moment[3]) < 5 * sqrt(15.0 / MANY));
  assert_true(fabs(moment[4] - 3) < 5 * sqrt(96.0 / MANY));
  assert_true(fabs(neighbours) < 5 * sqrt(1.0 / MANY));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uniforms_are_the_streams_words_in_order),
      cmocka_unit_test(indices_are_the_streams_words_scaled),
      cmocka_unit_test(normals_are_box_muller_of_the_streams_words),
      cmocka_unit_test(parts_at_multiples_of_four_equal_the_whole),
      cmocka_unit_test(nothing_is_written_beyond_count),
      cmocka_unit_test(normals_have_the_moments_of_the_normal_distribution),
  };
  return cmocka_run_group_tests_name("rng_fill", tests, NULL, NULL);
}
