#include "base/vector_math.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SAMPLES 400000

typedef double (*Reference)(double);

// Calls of the vector functions, LANES values at a time.
#define CALL_OF(name) \
  static void call_##name(Real* out, const Real* in) { \
    vector_store(out, vector_##name(vector_load(in))); \
  }
CALL_OF(exp)
CALL_OF(log)
CALL_OF(log1p)
CALL_OF(tanh)
CALL_OF(sin)
CALL_OF(cos)
CALL_OF(sigmoid)
CALL_OF(softplus)

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

// Largest error over evenly spaced x in [low, high], in units of the last place of the result;
// results below `smallest` are measured in the last place of `smallest`.
static double worst_error(void (*call)(Real*, const Real*), Reference reference, double low,
                          double high, double smallest) {
  double worst = 0;
  for (int i = 0; i < SAMPLES; i += LANES) {
    Real in[VECTOR_BYTES / sizeof(Real)], out[VECTOR_BYTES / sizeof(Real)];
    for (int j = 0; j < LANES; j++) {
      in[j] = (Real)(low + (high - low) * (i + j) / (SAMPLES - 1.0));
    }
    call(out, in);
    for (int j = 0; j < LANES; j++) {
      double expected = reference((double)in[j]);
      float size = (float)fmax(fabs(expected), smallest);
      double unit = (double)(nextafterf(size, INFINITY) - size);
      worst = fmax(worst, fabs((double)out[j] - expected) / unit);
    }
  }
  return worst;
}

static void assert_error(const char* name, double worst, double limit) {
  print_message("%s: %.2f ulp\n", name, worst);
  if (!(worst <= limit)) {
    fail_msg("%s: %.2f ulp, at most %.1f expected", name, worst, limit);
  }
}

static void functions_are_accurate_to_a_few_units_of_the_last_place(void** state) {
  (void)state;
  assert_error("exp", worst_error(call_exp, exp, -87, 88.7, 0), 2);
  assert_error("exp of small results", worst_error(call_exp, exp, -110, -87, 1.2e-38), 2);
  assert_error("log", worst_error(call_log, log, 1e-6, 3, 0), 2);
  assert_error("log of large numbers", worst_error(call_log, log, 3, 1e6, 0), 2);
  assert_error("log1p", worst_error(call_log1p, log1p, 0, 1, 0), 2);
  assert_error("tanh", worst_error(call_tanh, tanh, -10, 10, 0), 3);
  assert_error("sin", worst_error(call_sin, sin, -0.7853982, 0.7853982, 0), 2);
  assert_error("cos", worst_error(call_cos, cos, -0.7853982, 0.7853982, 0), 2);
  assert_error("sigmoid", worst_error(call_sigmoid, sigmoid, -80, 80, 0), 4);
  assert_error("softplus", worst_error(call_softplus, softplus, -80, 80, 0), 3);
}

static Real one(void (*call)(Real*, const Real*), double x) {
  Real in[VECTOR_BYTES / sizeof(Real)] = {(Real)x}, out[VECTOR_BYTES / sizeof(Real)];
  call(out, in);
  return out[0];
}

static void ends_of_the_range_are_those_of_libm(void** state) {
  (void)state;
  assert_true(one(call_exp, 0) == 1);
  assert_true(one(call_exp, -200) == 0);
  assert_true(one(call_exp, -INFINITY) == 0);
  assert_true(isinf(one(call_exp, 200)));
  assert_true(isinf(one(call_exp, INFINITY)));
  assert_true(one(call_log, 1) == 0);
  assert_true(one(call_tanh, 50) == 1);
  assert_true(one(call_tanh, -INFINITY) == -1);
  assert_true(one(call_sigmoid, -200) == 0);
  assert_true(one(call_sigmoid, 200) == 1);
  assert_true(one(call_softplus, 1e30) == (Real)1e30);
}

static void not_a_number_stays_one(void** state) {
  (void)state;
  assert_true(isnan(one(call_exp, NAN)));
  assert_true(isnan(one(call_tanh, NAN)));
  assert_true(isnan(one(call_sigmoid, NAN)));
  assert_true(isnan(one(call_softplus, NAN)));
}

// Of all floats every 4099th, so that each exponent comes with many mantissas.
static void sigmoid_is_to_the_bit_what_its_definition_gives(void** state) {
  (void)state;
  for (int64_t i = 0; i < (int64_t)UINT32_MAX - 4099 * LANES; i += 4099 * LANES) {
    float in[VECTOR_BYTES / sizeof(Real)];
    for (int j = 0; j < LANES; j++) {
      uint32_t bits = (uint32_t)(i + 4099 * j);
      memcpy(&in[j], &bits, sizeof bits);
    }
    Vector x = vector_load(in);
    Vector given = vector_sigmoid(x), defined = 1 / (1 + vector_exp(-x));
    for (int j = 0; j < LANES; j++) {
      if (given[j] != defined[j] && !isnan(in[j])) {
        fail_msg("%a: %a, %a expected", (double)in[j], (double)given[j], (double)defined[j]);
      }
    }
  }
}

static void a_lane_does_not_depend_on_its_place(void** state) {
  (void)state;
  void (*const calls[])(Real*, const Real*) = {call_exp, call_tanh, call_sigmoid, call_softplus};
  Real in[VECTOR_BYTES / sizeof(Real)], out[VECTOR_BYTES / sizeof(Real)];
  for (int j = 0; j < LANES; j++) {
    in[j] = (Real)(0.37 * j - 2);
  }
  for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
    calls[c](out, in);
    for (int j = 0; j < LANES; j++) {
      Real alone = one(calls[c], (double)in[j]);
      assert_memory_equal(&alone, &out[j], sizeof alone);
    }
  }
}

static void some_lanes_are_loaded_and_stored_and_no_others(void** state) {
  (void)state;
  for (int count = 0; count <= LANES + 1; count++) {
    Real from[VECTOR_BYTES / sizeof(Real) + 1], to[VECTOR_BYTES / sizeof(Real) + 1];
    for (int j = 0; j <= LANES; j++) {
      from[j] = (Real)(j + 1);
      to[j] = -1;
    }
    Vector x = vector_load_some(from, count);
    vector_store_some(to, x, count);
    for (int j = 0; j <= LANES; j++) {
      assert_true(j >= LANES || x[j] == (j < count ? from[j] : 0));
      assert_true(to[j] == (j < count && j < LANES ? from[j] : -1));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_are_accurate_to_a_few_units_of_the_last_place),
      cmocka_unit_test(ends_of_the_range_are_those_of_libm),
      cmocka_unit_test(not_a_number_stays_one),
      cmocka_unit_test(sigmoid_is_to_the_bit_what_its_definition_gives),
      cmocka_unit_test(a_lane_does_not_depend_on_its_place),
      cmocka_unit_test(some_lanes_are_loaded_and_stored_and_no_others),
  };
  return cmocka_run_group_tests_name("vector_math", tests, NULL, NULL);
}
