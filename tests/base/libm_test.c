// The functions of base/libm.c against those of the C library in long double, which it does not
// replace.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/libm.h"
#include "base/rng.h"

#define SAMPLES 100000

typedef double Function(double);
typedef long double Reference(long double);

// |value - expected| in units of the last place of `expected`.
static double error_of(double value, long double expected) {
  if (value != value) {
    return expected != expected ? 0 : INFINITY;
  }
  if (fabsl(expected) > (long double)DBL_MAX || isinf(value)) {
    return value == (double)expected ? 0 : INFINITY;
  }
  double size = fabs((double)expected);
  double unit = nextafter(size, INFINITY) - size;
  return (double)(fabsl((long double)value - expected) / (long double)unit);
}

static void assert_error(const char* name, double low, double high, double worst, double at) {
  print_message("%s in %g ... %g: %.3f ulp\n", name, low, high, worst);
  double limit = low <= -745 ? 0.76 : 0.6;  // a subnormal result is rounded twice
  if (!(worst < limit)) {
    fail_msg("%s(%a): %.3f ulp", name, at, worst);
  }
}

// Evenly spread over [low, high]; by ratios if both are of one sign and far apart.
static double sample(double low, double high, Rng* rng) {
  double u = rng_uniform(rng);
  double first = log2(fabs(low)), span = log2(fabs(high)) - first;
  return low * high > 0 && fabs(span) > 8 ? (low < 0 ? -1 : 1) * exp2(first + u * span)
                                          : low + u * (high - low);
}

static void check(const char* name, Function* f, Reference* reference, double low, double high) {
  double worst = 0, worst_x = 0;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  for (int i = 0; i < SAMPLES; i++) {
    double x = sample(low, high, &rng);
    double error = error_of(f(x), reference((long double)x));
    worst_x = error > worst ? x : worst_x;
    worst = fmax(worst, error);
  }
  assert_error(name, low, high, worst, worst_x);
}

#define CHECK_OF(name, low, high) check(#name, name, name##l, low, high)

static void functions_of_one_number_round_almost_to_the_nearest(void** state) {
  (void)state;
  CHECK_OF(exp, -700, 700);
  CHECK_OF(exp, -745, -700);
  CHECK_OF(exp, 1e-9, 1);
  CHECK_OF(expm1, -1, 1);
  CHECK_OF(expm1, -50, 700);
  CHECK_OF(expm1, 1e-20, 0.5);
  CHECK_OF(log, 1e-310, 1e300);
  CHECK_OF(log, 0.9, 1.1);
  CHECK_OF(log1p, -0.99, 1);
  CHECK_OF(log1p, 1e-20, 1e10);
  CHECK_OF(log1p, -0.9, -1e-20);
  CHECK_OF(sin, -4, 4);
  CHECK_OF(sin, 1e-300, 1e300);
  CHECK_OF(cos, -4, 4);
  CHECK_OF(cos, 1, 1e15);
  CHECK_OF(cos, 1e5, 1e300);
  CHECK_OF(tan, -4, 4);
  CHECK_OF(tan, -1e15, -1e-15);
  CHECK_OF(asin, -1, 1);
  CHECK_OF(asin, 1e-310, 1);
  CHECK_OF(acos, -1, 1);
  CHECK_OF(atan, -2, 2);
  CHECK_OF(atan, 1e-310, 1e300);
}

// The doubles next to multiples of a quarter turn lose the most in the reduction.
static void angles_keep_their_accuracy_beside_whole_quarter_turns(void** state) {
  (void)state;
  double worst = 0, at = 0;
  for (int n = 1; n < 2000000; n += 37) {
    double x = (double)((long double)n * 1.57079632679489661923132169163975144L);
    double error = fmax(error_of(sin(x), sinl((long double)x)), error_of(tan(x), tanl((long double)x)));
    error = fmax(error, error_of(cos(x), cosl((long double)x)));
    at = error > worst ? x : at;
    worst = fmax(worst, error);
  }
  assert_error("sin, cos, tan", 1, 3e6, worst, at);
}

static void functions_of_two_numbers_round_almost_to_the_nearest(void** state) {
  (void)state;
  const double spans[] = {1e-300, 1e-3, 1, 1e3, 1e300};
  Rng rng = rng_stream(2, 0, RNG_TEST, 0);
  double worst_angle = 0, worst_power = 0, at_angle = 0, at_power = 0;
  for (int i = 0; i < 2 * SAMPLES; i++) {
    double y = (2 * rng_uniform(&rng) - 1) * spans[rng_below(&rng, 5)];
    double x = (2 * rng_uniform(&rng) - 1) * spans[rng_below(&rng, 5)];
    double error = error_of(atan2(y, x), atan2l((long double)y, (long double)x));
    // long double has no more range to be exact with where the result is not normal
    error = fabs(atan2(y, x)) < DBL_MIN ? 0 : error;
    at_angle = error > worst_angle ? y : at_angle;
    worst_angle = fmax(worst_angle, error);
    // an exponent such that the result is normal; powl is good for 2^-64 of its logarithm
    double exponent = (2 * rng_uniform(&rng) - 1) * 700 / fmax(fabs(log(fabs(x))), 1e-3);
    error = error_of(pow(fabs(x), exponent), powl((long double)fabs(x), (long double)exponent));
    at_power = error > worst_power ? x : at_power;
    worst_power = fmax(worst_power, error);
  }
  assert_error("atan2", -1e300, 1e300, worst_angle, at_angle);
  assert_error("pow", -1e300, 1e300, worst_power, at_power);
}

static bool same(double a, double b) { return (a != a && b != b) || (a == b && !signbit(a) == !signbit(b)); }

// Those of the C library, which are not called by their plain names here any more.
static Function* library_of(const char* name) {
  void* library = dlopen("libm.so.6", RTLD_LAZY);
  Function* f;
  void* found = dlsym(library, name);
  memcpy(&f, &found, sizeof f);
  return f;
}

typedef double FunctionOfTwo(double, double);

static FunctionOfTwo* of_two(Function* found) {
  FunctionOfTwo* f;
  memcpy(&f, &found, sizeof f);
  return f;
}

static const char* const names[] = {"exp", "expm1", "log",  "log1p", "sin",
                                    "cos", "tan",   "asin", "acos",  "atan"};
static Function* const ours[] = {exp, expm1, log, log1p, sin, cos, tan, asin, acos, atan};

static void numbers_at_the_edge_are_as_the_standard_says(void** state) {
  (void)state;
  const double edges[] = {0, -0.0, 1, -1, 0.5, 2, -2, 3, -3, 1e300, -1e300, 5e-324, -5e-324, 1e-310,
                          0x1p53, 0x1p53 + 2, -0x1p53, 2.5, -2.5, 709.9, -745.2, INFINITY, -INFINITY,
                          (double)NAN};
  const int count = (int)(sizeof edges / sizeof edges[0]);
  FunctionOfTwo* atan2_library = of_two(library_of("atan2"));
  FunctionOfTwo* pow_library = of_two(library_of("pow"));
  if (!pow_library) {
    skip();  // another C library
  }
  for (int i = 0; i < count; i++) {
    for (int f = 0; f < (int)(sizeof ours / sizeof ours[0]); f++) {
      double expected = library_of(names[f])(edges[i]);
      double value = ours[f](edges[i]);
      bool finite = isfinite(expected) && expected != 0;
      if (finite ? error_of(value, (long double)expected) > 1 : !same(value, expected)) {
        fail_msg("%s(%g) = %.17g, not %.17g", names[f], edges[i], value, expected);
      }
    }
    for (int j = 0; j < count; j++) {
      double expected = atan2_library(edges[i], edges[j]), value = atan2(edges[i], edges[j]);
      if (expected != 0 ? error_of(value, (long double)expected) > 1 : !same(value, expected)) {
        fail_msg("atan2(%g, %g) = %.17g, not %.17g", edges[i], edges[j], value, expected);
      }
      expected = pow_library(edges[i], edges[j]);
      value = pow(edges[i], edges[j]);
      bool finite = isfinite(expected) && expected != 0;
      if (finite ? error_of(value, (long double)expected) > 1 : !same(value, expected)) {
        fail_msg("pow(%g, %g) = %.17g, not %.17g", edges[i], edges[j], value, expected);
      }
    }
  }
}

// How many results of all functions differ from the C library's.
static int differences(void) {
  FunctionOfTwo* pow_library = of_two(library_of("pow"));
  FunctionOfTwo* atan2_library = of_two(library_of("atan2"));
  Function* sine_library = library_of("sin");
  int differing = 0;
  Rng rng = rng_stream(3, 0, RNG_TEST, 0);
  for (int i = 0; i < 20000; i++) {
    double x = 2 * rng_uniform(&rng) - 1, y = rng_uniform(&rng), sine, cosine;
    for (int f = 0; f < (int)(sizeof ours / sizeof ours[0]); f++) {
      differing += !same(ours[f](x), library_of(names[f])(x));
    }
    sincos(x, &sine, &cosine);
    differing += !same(sine, sine_library(x)) + !same(pow(y, x), pow_library(y, x)) +
                 !same(atan2(x, y), atan2_library(x, y));
  }
  return differing;
}

static void on_request_all_are_the_c_librarys(void** state) {
  (void)state;
  if (!library_of("pow")) {
    skip();  // another C library
  }
  assert_true(differences() > 0);
  libm_use_library();
  assert_int_equal(differences(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_of_one_number_round_almost_to_the_nearest),
      cmocka_unit_test(angles_keep_their_accuracy_beside_whole_quarter_turns),
      cmocka_unit_test(functions_of_two_numbers_round_almost_to_the_nearest),
      cmocka_unit_test(numbers_at_the_edge_are_as_the_standard_says),
      cmocka_unit_test(on_request_all_are_the_c_librarys),  // the last: it cannot be undone
  };
  return cmocka_run_group_tests_name("libm", tests, NULL, NULL);
}
