#include <stdio.h>
#include <string.h>

#include "gradient_check.h"
#include "nn/gemm.h"

enum { SIDE = 300, FEW = 14 };  // with FEW rows or less a product stays in float32

typedef void (*Product)(const GemmEpilogue*, Real*, int, const Real*, int, const Real*, int, int,
                        int, int);

static Real A[SIDE * SIDE], B[SIDE * SIDE], C[SIDE * SIDE];
static const GemmEpilogue rounded = {.precision = GEMM_BFLOAT16};

static void fill(uint64_t number) {
  Rng rng = rng_stream(5, (int64_t)number, RNG_TEST, 0);
  fill_normal(A, SIDE * SIDE, 1, &rng);
  fill_normal(B, SIDE * SIDE, 1, &rng);
  for (int i = 0; i < SIDE * SIDE; i++) {
    C[i] = 7;  // must be overwritten inside and kept outside
  }
}

// The nearest number with 8 bits of mantissa, ties to even.
static double round_to_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &bits, sizeof x);
  return (double)x;
}

static double exact(Product product, int i, int j, int k) {
  double sum = 0;
  for (int l = 0; l < k; l++) {
    sum += round_to_bfloat16(product == gemm_tn_then ? A[l * SIDE + i] : A[i * SIDE + l]) *
           round_to_bfloat16(product == gemm_nt_then ? B[j * SIDE + l] : B[l * SIDE + j]);
  }
  return sum;
}

static void assert_product(Product product, int m, int n, int k) {
  fill((uint64_t)(m + n + k));
  product(&rounded, C, SIDE, A, SIDE, B, SIDE, m, n, k);
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      double expected = i < m && j < n ? exact(product, i, j, k) : 7;
      // float32 sums of k products of order 1; a rounding of operands left out would be 1e-3
      if (!(fabs((double)C[i * SIDE + j] - expected) <= 4e-7 * k)) {
        fail_msg("(%d, %d, %d) at %d, %d: %g, not %g", m, n, k, i, j, (double)C[i * SIDE + j],
                 expected);
      }
    }
  }
}

static void product_equals_the_sum_of_rounded_products(void** state) {
  (void)state;
  const Product products[] = {gemm_nn_then, gemm_nt_then, gemm_tn_then};
  const int sizes[][3] = {{15, 5, 5},    {16, 16, 16},  {17, 31, 33}, {28, 33, 64},
                          {200, 6, 200}, {31, 290, 99}, {40, 40, 299}};
  for (int p = 0; p < 3; p++) {
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
      assert_product(products[p], sizes[s][0], sizes[s][1], sizes[s][2]);
    }
  }
}

static void a_row_does_not_depend_on_its_batch(void** state) {
  (void)state;
  static Real part[SIDE * SIDE];
  fill(1);
  gemm_nn_then(&rounded, C, SIDE, A, SIDE, B, SIDE, 100, 256, 256);
  gemm_nn_then(&rounded, part, SIDE, A + 33 * SIDE, SIDE, B, SIDE, 17, 256, 256);
  for (int i = 0; i < 17; i++) {
    assert_memory_equal(part + i * SIDE, C + (33 + i) * SIDE, 256 * sizeof(Real));
  }
}

static void few_rows_stay_in_float32(void** state) {
  (void)state;
  static Real same[SIDE * SIDE];
  fill(2);
  gemm_nn_then(&rounded, C, SIDE, A, SIDE, B, SIDE, FEW, 200, 200);
  gemm_nn(same, SIDE, A, SIDE, B, SIDE, FEW, 200, 200);
  for (int i = 0; i < FEW; i++) {
    assert_memory_equal(same + i * SIDE, C + i * SIDE, 200 * sizeof(Real));
  }
}

static void an_epilogue_follows_the_product(void** state) {
  (void)state;
  static Real plain[SIDE * SIDE], sums[SIDE];
  fill(3);
  GemmEpilogue relu = {.precision = GEMM_BFLOAT16, .finish = GEMM_RELU, .bias = B,
                       .column_sums = sums};
  gemm_nt_then(&relu, C, SIDE, A, SIDE, B, SIDE, 45, 77, 290);
  gemm_nt_then(&rounded, plain, SIDE, A, SIDE, B, SIDE, 45, 77, 290);
  for (int j = 0; j < 77; j++) {
    double sum = 0;
    for (int i = 0; i < 45; i++) {
      Real z = plain[i * SIDE + j] + B[j];
      assert_true(C[i * SIDE + j] == (z > 0 ? z : 0));
      sum += (double)C[i * SIDE + j];
    }
    assert_true(fabs((double)sums[j] - sum) < 1e-3);
  }
}

int main(void) {
  gemm_init();
  if (!gemm_has_bfloat16()) {
    printf("skipped: this CPU has no AVX512_BF16\n");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(product_equals_the_sum_of_rounded_products),
      cmocka_unit_test(a_row_does_not_depend_on_its_batch),
      cmocka_unit_test(few_rows_stay_in_float32),
      cmocka_unit_test(an_epilogue_follows_the_product),
  };
  return cmocka_run_group_tests_name("gemm_bfloat16", tests, NULL, NULL);
}
