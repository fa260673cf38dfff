#include "nn/gemm.h"

#include "gradient_check.h"

#define SIDE 131  // larger than the largest size, so that rows are strided
#define ROWS 300

typedef struct {
  Real A[ROWS * SIDE];
  Real B[ROWS * SIDE];
  Real C[ROWS * SIDE];
} Matrices;

typedef void (*Product)(Real*, int, const Real*, int, const Real*, int, int, int, int);

static void assert_product(Product product, int m, int n, int k) {
  static Matrices matrices;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  Real* A = matrices.A;
  Real* B = matrices.B;
  Real* C = matrices.C;
  fill_normal(A, ROWS * SIDE, 1, &rng);
  fill_normal(B, ROWS * SIDE, 1, &rng);
  for (int i = 0; i < ROWS * SIDE; i++) {
    C[i] = 7;  // must be overwritten inside and kept outside
  }
  product(C, SIDE, A, SIDE, B, SIDE, m, n, k);
  // rounding of a sum of k products of standard normals
  double tolerance = 40 * (sizeof(Real) == 4 ? 6e-8 : 1.2e-16) * k;
  for (int i = 0; i < m + 1; i++) {
    for (int j = 0; j < SIDE; j++) {
      double sum = 0;
      for (int l = 0; l < k; l++) {
        double a = (double)(product == gemm_tn ? A[l * SIDE + i] : A[i * SIDE + l]);
        double b = (double)(product == gemm_nt ? B[j * SIDE + l] : B[l * SIDE + j]);
        sum += a * b;
      }
      double expected = i < m && j < n ? sum : 7;
      if (!(fabs((double)C[i * SIDE + j] - expected) <= tolerance)) {
        fail_msg("(%d, %d, %d) at %d, %d: %g, not %g", m, n, k, i, j, (double)C[i * SIDE + j],
                 expected);
      }
    }
  }
}

static void product_equals_the_sum_of_products_for_all_sizes(void** state) {
  (void)state;
  const Product products[] = {gemm_nn, gemm_nt, gemm_tn};
  const int sizes[] = {1, 2, 3, 6, 7, 13, 16, 17, 31, 33, 64, 100, 130};
  const int count = (int)(sizeof sizes / sizeof sizes[0]);
  for (int p = 0; p < 3; p++) {
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        assert_product(products[p], sizes[i], sizes[j], sizes[(i + 3 * j) % count]);
      }
    }
  }
  assert_product(gemm_nn, 290, 33, 120);
  assert_product(gemm_tn, 33, 130, 290);
}

int main(void) {
  gemm_init();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(product_equals_the_sum_of_products_for_all_sizes),
  };
  return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
