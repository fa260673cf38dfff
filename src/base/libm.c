// libm.c - sin, exp, pow and others in the place of the C library's: the same bits on every CPU.
//
// glibc has several versions of these and takes one by what the CPU can do; another release, or
// another library, rounds otherwise. By their names, these here are what the program calls, and the
// libraries that simulate physics, too: a program's own functions go before those of libraries. To
// compare tasks to the bit with recordings of other programs, which had the C library's, those can
// be called instead.
//
// Each reduces its argument to a small interval, where a short Taylor series is as exact as a
// double can hold. What must be more exact than a double is a Pair, the sum of two. Nothing is used
// but sums, products, quotients, roots and fused multiply-adds, all of which IEEE 754 defines to
// the bit. Errors are measured in tests/base/libm_test.c. As throughout the program, errno and the
// flags of exceptions do not count.
#define _GNU_SOURCE  // RTLD_NEXT
#include "base/libm.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/libm_pair.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static const Pair half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
static const Pair pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};

// log(2) in three parts; multiples of the first by exponents are exact.
#define LOG_2_A 0x1.62e42fefa3000p-1
#define LOG_2_B 0x1.3de6af278ece6p-42
#define LOG_2_C 0x1.f97b57a079a19p-103

// pi / 2 likewise; multiples of the first by numbers below 2^20 are exact.
#define HALF_PI_A 0x1.921fb54400000p+0
#define HALF_PI_B 0x1.0b4611a626331p-34
#define HALF_PI_C 0x1.1701b839a2520p-88

// The nearest whole number to one below 2^51.
static double nearest(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

// 2^n for n in [-1022, 1023].
static double power_of_two(int n) {
  uint64_t bits = (uint64_t)(n + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

// coefficients[0] + coefficients[1] x + ...   (Horner)
static double series(double x, const double* coefficients, int count) {
  double sum = coefficients[count - 1];
  for (int i = count - 2; i >= 0; i--) {
    sum = __builtin_fma(sum, x, coefficients[i]);
  }
  return sum;
}

// Exponentials -----------------------------------------------------------------------------------

// e^r - 1 - r for |r| <= log(2) / 2.
static Pair exp_tail(double r) {
  static const double coefficients[] = {  // 1 / n!
      1. / 6,       1. / 24,       1. / 120,         1. / 720,
      1. / 5040,    1. / 40320,    1. / 362880,      1. / 3628800,
      1. / 39916800, 1. / 479001600, 1. / 6227020800., 1. / 87178291200.};
  Pair square = product_of(r, r);
  double cubes = square.hi * (r * series(r, coefficients, COUNT(coefficients)));
  return ordered_sum(square.hi / 2, square.lo / 2 + cubes);
}

// e^x = p 2^n with p in [0.7, 1.5].
static Pair exp_pair(int* n, Pair x) {
  double whole = nearest(x.hi * 0x1.71547652b82fep+0);
  Pair r = sum_of(__builtin_fma(-whole, LOG_2_A, x.hi), __builtin_fma(-whole, LOG_2_B, x.lo));
  *n = (int)whole;
  Pair tail = exp_tail(r.hi);
  tail.lo += r.lo * (1 + r.hi);
  return pair_sum(ordered_sum(1, r.hi), tail);
}

// p 2^n, infinite or 0 where that is too large or too small: in two steps, for results of few bits.
static double scaled(Pair p, int n) {
  return p.hi * power_of_two(n / 2) * power_of_two(n - n / 2);
}

static double exp_of(Pair x) {
  int n;
  if (!(x.hi < 710)) {
    return x.hi * INFINITY;  // or NaN
  }
  if (x.hi < -746) {
    return 0;
  }
  Pair p = exp_pair(&n, x);
  return scaled(p, n);
}

static double own_exp(double x) { return exp_of((Pair){x, 0}); }

static double own_expm1(double x) {
  int n;
  if (fabs(x) < 0x1p-54) {
    return x;
  }
  if (fabs(x) < 0.34) {
    return pair_sum((Pair){x, 0}, exp_tail(x)).hi;
  }
  if (!(fabs(x) < 40)) {
    return x < 0 ? -1 : own_exp(x);  // the 1 is lost in rounding
  }
  Pair p = exp_pair(&n, (Pair){x, 0});
  double power = power_of_two(n);
  return pair_sum((Pair){p.hi * power, p.lo * power}, (Pair){-1, 0}).hi;
}

// Logarithms -------------------------------------------------------------------------------------

// log(x) for a normal x > 0: of 2^k m with m in [sqrt(1/2), sqrt(2)), log(m) = 2 atanh(s) =
// 2 (s + s^3 / 3 + s^5 / 5 ...), s = (m - 1) / (m + 1).
static Pair log_pair(Pair x) {
  static const double coefficients[] = {1. / 7,  1. / 9,  1. / 11, 1. / 13, 1. / 15,
                                        1. / 17, 1. / 19, 1. / 21, 1. / 23};
  static const Pair third = {0x1.5555555555555p-2, 0x1.5555555555555p-56};
  static const Pair fifth = {0x1.999999999999ap-3, -0x1.999999999999ap-57};
  int64_t bits;
  memcpy(&bits, &x.hi, sizeof bits);
  int k = (int)((bits - 0x3fe6a09e667f3bcd) >> 52);
  double half = power_of_two(-(k / 2)), rest = power_of_two(k / 2 - k);
  Pair m = {x.hi * half * rest, x.lo * half * rest};
  Pair below = sum_of(m.hi - 1, m.lo);
  Pair above = pair_sum(m, (Pair){1, 0});
  Pair s = pair_quotient(below, above);
  Pair z = pair_product(s, s);
  Pair c = pair_product(z, (Pair){series(z.hi, coefficients, COUNT(coefficients)), 0});
  c = pair_product(z, pair_sum(fifth, c));
  c = pair_product(pair_product(s, z), pair_sum(third, c));
  c = pair_sum(s, c);
  Pair exponent = ordered_sum(k * LOG_2_A, k * LOG_2_B);
  return pair_sum(exponent, (Pair){2 * c.hi, 2 * c.lo});
}

// The same for any x > 0; log_pair is for those whose exponent is whole.
static Pair log_of(double x) {
  if (x >= 0x1p-1022) {
    return log_pair((Pair){x, 0});
  }
  Pair shift = ordered_sum(-54 * LOG_2_A, -54 * LOG_2_B);
  return pair_sum(shift, log_pair((Pair){x * 0x1p54, 0}));
}

static double own_log(double x) {
  if (!(x > 0)) {
    return x == 0 ? -INFINITY : (double)NAN;
  }
  return x < INFINITY ? log_of(x).hi : x;
}

static double own_log1p(double x) {
  if (!(x > -1)) {
    return x == -1 ? -INFINITY : (double)NAN;
  }
  return fabs(x) < 0x1p-54 || x == INFINITY ? x : log_pair(sum_of(1, x)).hi;
}

// Powers -----------------------------------------------------------------------------------------

static bool is_whole(double y) { return fabs(y) >= 0x1p53 || (double)(int64_t)y == y; }

static bool is_odd(double y) { return fabs(y) < 0x1p53 && is_whole(y) && (int64_t)y % 2 != 0; }

// Where x, not negative, is 0 or infinite, or y infinite, or one of them no number.
static double power_at_the_edge(double x, double y) {
  if (x != x || y != y) {
    return x + y;
  }
  if (x == 1) {
    return 1;
  }
  return (x > 1) == (y > 0) ? INFINITY : 0;
}

static double own_pow(double x, double y) {
  if (y == 0 || x == 1) {
    return 1;
  }
  double size = fabs(x);
  double sign = signbit(x) && is_odd(y) ? -1 : 1;
  if (!(size > 0 && size < INFINITY && fabs(y) < INFINITY)) {
    return sign * power_at_the_edge(size, y);
  }
  if (x < 0 && !is_whole(y)) {
    return (double)NAN;
  }
  Pair exponent = log_of(size);
  if (fabs(exponent.hi * y) > 800) {
    return sign * (exponent.hi * y > 0 ? INFINITY : 0);
  }
  return sign * exp_of(pair_product(exponent, (Pair){y, 0}));
}

// Angles -----------------------------------------------------------------------------------------

// The rest of x >= 2^20 and below infinity after whole quarter turns. The bits of 2 / pi that count
// are multiplied with those of x as integers; what lies before them adds whole turns.
static Pair reduce_large(int* quarters, double x) {
  static const uint64_t two_over_pi[] = {
      0,                  0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
      0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
      0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
      0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
      0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
      0xf0cfbc209af4361d};
  uint64_t bits, product[3], carry = 0;
  memcpy(&bits, &x, sizeof bits);
  uint64_t mantissa = (bits & 0xfffffffffffff) | 1ull << 52;
  int first = (int)(bits >> 52) - 1023 - 52 - 2 + 64;
  for (int i = 2; i >= 0; i--) {
    const uint64_t* from = &two_over_pi[first / 64 + i];
    uint64_t word = first % 64 ? from[0] << first % 64 | from[1] >> (64 - first % 64) : from[0];
    unsigned __int128 sum = (unsigned __int128)mantissa * word + carry;
    product[i] = (uint64_t)sum;
    carry = (uint64_t)(sum >> 64);
  }
  // two bits of quarters, then the rest of one as a signed fraction, in pieces that doubles hold
  int64_t high = (int64_t)(product[0] << 2 | product[1] >> 62);
  uint64_t low = product[1] << 2 | product[2] >> 62;
  *quarters = (int)(product[0] >> 62) + (high < 0);
  Pair fraction = sum_of((double)(high >> 32) * 0x1p-32, (double)(high & 0xffffffff) * 0x1p-64);
  fraction = pair_sum(fraction, sum_of((double)(low >> 32) * 0x1p-96,
                                       (double)(low & 0xffffffff) * 0x1p-128));
  return pair_product(fraction, half_pi);
}

// The rest of x >= 0 after whole quarter turns, at most an eighth of one. No number and infinity
// give no number.
static Pair reduce(int* quarters, double x) {
  *quarters = 0;
  if (x <= half_pi.hi / 2) {
    return (Pair){x, 0};
  }
  if (!(x < 0x1p20)) {
    return x < INFINITY ? reduce_large(quarters, x) : (Pair){(double)NAN, 0};
  }
  double whole = nearest(x * 0x1.45f306dc9c883p-1);
  *quarters = (int)whole;
  Pair second = product_of(whole, HALF_PI_B);
  Pair rest = sum_of(__builtin_fma(-whole, HALF_PI_A, x), -second.hi);
  return sum_of(rest.hi, rest.lo - second.lo - whole * HALF_PI_C);
}

// For |r| of at most an eighth of a turn: r - r^3 / 6 as Pairs, and what is left.
static Pair sin_pair(Pair r) {
  static const Pair sixth = {-0x1.5555555555555p-3, -0x1.5555555555555p-57};
  static const double coefficients[] = {  // 1 / n! with changing signs
      1. / 120,          -1. / 5040,           1. / 362880,         -1. / 39916800,
      1. / 6227020800.,  -1. / 1307674368000., 1. / 355687428096000.};
  Pair z = product_of(r.hi, r.hi);
  Pair cube = pair_product(pair_product(z, sixth), (Pair){r.hi, 0});
  double rest = r.hi * (z.hi * z.hi * series(z.hi, coefficients, COUNT(coefficients)));
  cube.lo += rest + r.lo * (1 - z.hi / 2);
  return pair_sum((Pair){r.hi, 0}, cube);
}

static Pair cos_pair(Pair r) {
  static const double coefficients[] = {
      1. / 24,           -1. / 720,          1. / 40320,            -1. / 3628800,
      1. / 479001600,    -1. / 87178291200., 1. / 20922789888000.,  -1. / 6402373705728000.};
  Pair z = product_of(r.hi, r.hi);
  Pair near = ordered_sum(1, -z.hi / 2);
  double tail = z.hi * z.hi * series(z.hi, coefficients, COUNT(coefficients));
  return ordered_sum(near.hi, near.lo + (tail - z.lo / 2 - r.hi * r.lo));
}

// The sine after so many quarter turns more.
static double sin_after(Pair r, int quarters) {
  double size = quarters & 1 ? cos_pair(r).hi : sin_pair(r).hi;
  return quarters & 2 ? -size : size;
}

static double own_sin(double x) {
  int quarters;
  Pair r = reduce(&quarters, fabs(x));
  double sine = sin_after(r, quarters);
  return signbit(x) ? -sine : sine;
}

static double own_cos(double x) {
  int quarters;
  Pair r = reduce(&quarters, fabs(x));
  return sin_after(r, quarters + 1);
}

static void own_sincos(double x, double* sine, double* cosine) {
  int quarters;
  Pair r = reduce(&quarters, fabs(x));
  double size = sin_after(r, quarters);
  *sine = signbit(x) ? -size : size;
  *cosine = sin_after(r, quarters + 1);
}

static double own_tan(double x) {
  int quarters;
  Pair r = reduce(&quarters, fabs(x));
  Pair sine = sin_pair(r), cosine = cos_pair(r);
  double size = quarters & 1 ? -pair_quotient(cosine, sine).hi : pair_quotient(sine, cosine).hi;
  return signbit(x) ? -size : size;
}

// Inverse functions of angles --------------------------------------------------------------------

// The angle of the point (x, y) in the first quarter: that of the nearest slope k / 16, and the
// rest by atan(a) - atan(b) = atan((a - b) / (1 + a b)).
static Pair angle_of(Pair y, Pair x) {
  static const Pair angles[] = {  // atan(k / 16)
      {0x0.0p+0, 0x0.0p+0},
      {0x1.ff55bb72cfdeap-5, -0x1.c934d86d23f1dp-60},
      {0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59},
      {0x1.7b97b4bce5b02p-3, 0x1.347b0b4f881cap-58},
      {0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
      {0x1.362773707ebccp-2, -0x1.963a544b672d8p-57},
      {0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56},
      {0x1.a64eec3cc23fdp-2, -0x1.24dec1b50b7ffp-56},
      {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
      {0x1.0657e94db30d0p-1, -0x1.d5b495f6349e6p-56},
      {0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58},
      {0x1.345f01cce37bbp-1, 0x1.1021137c71102p-55},
      {0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
      {0x1.5d58987169b18p-1, 0x1.0028e4bc5e7cap-57},
      {0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56},
      {0x1.819d0b7158a4dp-1, -0x1.bf76229d3b917p-56},
      {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55}};
  static const double coefficients[] = {-1. / 3, 1. / 5, -1. / 7, 1. / 9, -1. / 11, 1. / 13};
  bool steep = y.hi > x.hi;
  Pair a = steep ? x : y, b = steep ? y : x;
  double slope = nearest(16 * (a.hi / b.hi));
  double k = slope / 16;
  Pair over = pair_sum(a, pair_product((Pair){-k, 0}, b));
  Pair t = pair_quotient(over, pair_sum(b, pair_product((Pair){k, 0}, a)));
  double z = t.hi * t.hi;
  double tail = t.hi * (z * series(z, coefficients, COUNT(coefficients)));
  Pair angle = pair_sum(angles[(int)slope], ordered_sum(t.hi, t.lo + tail));
  return steep ? pair_sum(half_pi, (Pair){-angle.hi, -angle.lo}) : angle;
}

// The same above the axis: x may be negative.
static double angle_above(Pair y, Pair x) {
  if (x.hi >= 0) {
    return angle_of(y, x).hi;
  }
  Pair angle = angle_of(y, (Pair){-x.hi, -x.lo});
  return pair_sum(pi, (Pair){-angle.hi, -angle.lo}).hi;
}

// Where rounding would lose bits of very large or small numbers.
static double comfortable(double larger) {
  return larger > 0x1p500 ? 0x1p-600 : larger < 0x1p-500 ? 0x1p600 : 1;
}

static double own_atan2(double y, double x) {
  if (x != x || y != y) {
    return x + y;
  }
  double up = fabs(y), ahead = fabs(x);
  double larger = up > ahead ? up : ahead;
  if (larger == INFINITY) {
    up = up == INFINITY;
    ahead = ahead == INFINITY;
  } else if (larger == 0) {
    ahead = 1;
  } else {
    double scale = comfortable(larger);
    up *= scale;
    ahead *= scale;
  }
  double angle = angle_above((Pair){up, 0}, (Pair){signbit(x) ? -ahead : ahead, 0});
  return signbit(y) ? -angle : angle;
}

static double own_atan(double x) { return own_atan2(x, 1); }

// sqrt(1 - x^2) for |x| <= 1.
static Pair other_leg(double x) {
  Pair square = product_of(x, x);
  Pair left = pair_sum((Pair){1, 0}, (Pair){-square.hi, -square.lo});
  double root = __builtin_sqrt(left.hi);
  double rest = __builtin_fma(-root, root, left.hi) + left.lo;
  return root > 0 ? ordered_sum(root, rest / (2 * root)) : (Pair){0, 0};
}

static double own_asin(double x) {
  if (!(fabs(x) <= 1)) {
    return (double)NAN;
  }
  double angle = angle_of((Pair){fabs(x), 0}, other_leg(x)).hi;
  return signbit(x) ? -angle : angle;
}

static double own_acos(double x) {
  return fabs(x) <= 1 ? angle_above(other_leg(x), (Pair){x, 0}) : (double)NAN;
}

// By their names ---------------------------------------------------------------------------------

#define OF_ONE(F) F(exp) F(expm1) F(log) F(log1p) F(sin) F(cos) F(tan) F(atan) F(asin) F(acos)
#define OF_TWO(F) F(pow) F(atan2)

// The C library's, if those are called.
#define POINTER_ONE(name) double (*name)(double);
#define POINTER_TWO(name) double (*name)(double, double);
static struct {
  OF_ONE(POINTER_ONE)
  OF_TWO(POINTER_TWO)
  void (*sincos)(double, double*, double*);
} library;

void libm_use_library(void) {
#define FIND(name) *(void**)&library.name = dlsym(RTLD_NEXT, #name);
  OF_ONE(FIND)
  OF_TWO(FIND)
  FIND(sincos)
}

#define ONE(name) \
  double name(double x) { return library.name ? library.name(x) : own_##name(x); }
#define TWO(name) \
  double name(double x, double y) { return library.name ? library.name(x, y) : own_##name(x, y); }
OF_ONE(ONE)
OF_TWO(TWO)

void sincos(double x, double* sine, double* cosine) {
  (library.sincos ? library.sincos : own_sincos)(x, sine, cosine);
}
