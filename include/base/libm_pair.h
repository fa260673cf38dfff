// libm_pair.h - numbers of twice the precision of a double, as the sum of two (Dekker 1971, Knuth).
#ifndef BASE_LIBM_PAIR_H
#define BASE_LIBM_PAIR_H

// hi is the double nearest to the sum, lo the rest.
typedef struct {
  double hi;
  double lo;
} Pair;

// a + b, exactly, for |a| >= |b|.
static inline Pair ordered_sum(double a, double b) {
  double sum = a + b;
  return (Pair){sum, b - (sum - a)};
}

// a + b, exactly.
static inline Pair sum_of(double a, double b) {
  double sum = a + b;
  double second = sum - a;
  return (Pair){sum, (a - (sum - second)) + (b - second)};
}

// a b, exactly.
static inline Pair product_of(double a, double b) {
  double product = a * b;
  return (Pair){product, __builtin_fma(a, b, -product)};
}

static inline Pair pair_sum(Pair a, Pair b) {
  Pair sum = sum_of(a.hi, b.hi);
  return ordered_sum(sum.hi, sum.lo + (a.lo + b.lo));
}

static inline Pair pair_product(Pair a, Pair b) {
  Pair product = product_of(a.hi, b.hi);
  return ordered_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline Pair pair_quotient(Pair a, Pair b) {
  double quotient = a.hi / b.hi;
  double rest = __builtin_fma(-quotient, b.hi, a.hi) + (a.lo - quotient * b.lo);
  return ordered_sum(quotient, rest / b.hi);
}

#endif  // BASE_LIBM_PAIR_H
