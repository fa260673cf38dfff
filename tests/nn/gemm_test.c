#include "nn/gemm.h"

#include <stdbool.h>
#include <string.h>

#include "gradient_check.h"

#define SIDE 131  // larger than the largest size, so that rows are strided
#define ROWS 300

typedef struct {
  Real A[ROWS * SIDE];
  Real B[ROWS * SIDE];
  Real C[ROWS * SIDE];
} Matrices;

static int least(int a, int b) { return a < b ? a : b; }

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
  const int sizes[] = {1, 2, 3, 6, 7, 13, 16, 17, 24, 31, 33, 40, 64, 100, 130};
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

// An epilogue by its definition, in double.
static double finished(const GemmEpilogue* epilogue, double x, int at, int j) {
  double z = x + (epilogue->bias ? (double)epilogue->bias[j] : 0);
  double factor = epilogue->factor ? (double)epilogue->factor[at] : 0;
  switch (epilogue->finish) {
    case GEMM_PLAIN:
      return x;
    case GEMM_BIAS:
      return z;
    case GEMM_RELU:
      return z > 0 ? z : 0;
    case GEMM_SWISH:
      return z / (1 + exp(-z));
    case GEMM_TANH:
      return tanh(z);
    case GEMM_RELU_BACKWARD:
      return factor > 0 ? x : 0;
    case GEMM_SWISH_BACKWARD:
      return x * factor;
    case GEMM_TANH_BACKWARD:
      return x * (1 - factor * factor);
  }
  return NAN;
}

// (m, n, k) = A B^T with an epilogue, all strides SIDE; checks C, slopes and column sums.
static void assert_epilogue(GemmFinish finish, int m, int n, int k) {
  static Matrices matrices, more;
  static Real sums[SIDE];
  Rng rng = rng_stream(2, finish, RNG_TEST, 0);
  fill_normal(matrices.A, ROWS * SIDE, 0.3, &rng);
  fill_normal(matrices.B, ROWS * SIDE, 0.3, &rng);
  fill_normal(more.A, ROWS * SIDE, 1, &rng);  // factors
  fill_normal(more.B, SIDE, 1, &rng);         // biases
  GemmEpilogue epilogue = {.finish = finish, .column_sums = sums};
  bool backward = finish >= GEMM_RELU_BACKWARD;
  epilogue.factor = backward ? more.A : NULL;
  epilogue.bias = backward || finish == GEMM_PLAIN ? NULL : more.B;
  epilogue.slope = finish == GEMM_SWISH ? more.C : NULL;
  gemm_nt_then(&epilogue, matrices.C, SIDE, matrices.A, SIDE, matrices.B, SIDE, m, n, k);
  const double tolerance = (sizeof(Real) == 4 ? 1e-6 : 1e-14) * k;
  for (int j = 0; j < n; j++) {
    double sum = 0;
    for (int i = 0; i < m; i++) {
      double x = 0;
      for (int l = 0; l < k; l++) {
        x += (double)matrices.A[i * SIDE + l] * (double)matrices.B[j * SIDE + l];
      }
      int at = i * SIDE + j;
      sum += (double)matrices.C[at];
      assert_true(fabs((double)matrices.C[at] - finished(&epilogue, x, at, j)) < tolerance);
      if (epilogue.slope) {
        double z = x + (double)epilogue.bias[j], sigmoid = 1 / (1 + exp(-z));
        assert_true(fabs((double)more.C[at] - sigmoid * (1 + z * (1 - sigmoid))) < tolerance);
      }
    }
    assert_true(fabs((double)sums[j] - sum) < tolerance * m);
  }
}

static void epilogues_follow_their_definitions(void** state) {
  (void)state;
  for (int finish = GEMM_PLAIN; finish <= GEMM_TANH_BACKWARD; finish++) {
    assert_epilogue((GemmFinish)finish, 37, 45, 21);
    assert_epilogue((GemmFinish)finish, 30, 3, 17);
    assert_epilogue((GemmFinish)finish, 29, 1, 100);
  }
}

// Whole against parts, for the three shapes of a layer of 256; also k and n beyond one block.
static void a_row_does_not_depend_on_its_batch(void** state) {
  (void)state;
  enum { M = 45, N = 300, K = 600 };
  static Real A[M * K], B[K * N], whole[M * N], part[M * N];
  const int columns[] = {N, 256, 40, 6, 3, 1};
  Rng rng = rng_stream(3, 0, RNG_TEST, 0);
  fill_normal(A, M * K, 1, &rng);
  fill_normal(B, K * N, 1, &rng);
  for (int c = 0; c < 6; c++) {
    int n = columns[c];
    gemm_nt(whole, n, A, K, B, K, M, least(n, N / 2), K);
    for (int i = 0; i < M; i += 1 + i) {
      gemm_nt(part, n, A + i * K, K, B, K, 1, least(n, N / 2), K);
      assert_memory_equal(part, whole + i * n, sizeof(Real) * (size_t)least(n, N / 2));
    }
    gemm_nn(whole, n, A, K, B, n, M, n, K);
    for (int i = 0; i < M; i += 1 + i) {
      gemm_nn(part, n, A + i * K, K, B, n, 1, n, K);
      assert_memory_equal(part, whole + i * n, sizeof(Real) * (size_t)n);
    }
  }
}

// More steps of k than one block of A^T B has.
static void blocks_of_long_sums_add_up(void** state) {
  (void)state;
  enum { M = 20, N = 290, K = 700 };
  static Real A[K * M], B[K * N], C[M * N];
  Rng rng = rng_stream(4, 0, RNG_TEST, 0);
  fill_normal(A, M * K, 1, &rng);
  fill_normal(B, K * N, 1, &rng);
  gemm_tn(C, N, A, M, B, N, M, N, K);
  for (int i = 0; i < M; i++) {
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int l = 0; l < K; l++) {
        sum += (double)A[l * M + i] * (double)B[l * N + j];
      }
      // sums of 700 products, each rounding below 100 ulp of 1
      assert_true(fabs((double)C[i * N + j] - sum) < (sizeof(Real) == 4 ? 1e-3 : 1e-11));
    }
  }
}

// C may be the factor of its own epilogue, however long the sums are.
static void a_result_may_take_the_place_of_its_factor(void** state) {
  (void)state;
  enum { M = 45, N = 70, K = GEMM_IN_PLACE };
  static Real A[M * K], B[N * K], factor[M * N], apart[M * N];
  Rng rng = rng_stream(5, 0, RNG_TEST, 0);
  fill_normal(A, M * K, 1, &rng);
  fill_normal(B, N * K, 1, &rng);
  fill_normal(factor, M * N, 1, &rng);
  const int depths[] = {10, 200, 400, K};
  for (int d = 0; d < 4; d++) {
    GemmEpilogue epilogue = {.finish = GEMM_SWISH_BACKWARD, .factor = factor};
    gemm_nt_then(&epilogue, apart, N, A, K, B, K, M, N, depths[d]);
    static Real place[M * N];
    memcpy(place, factor, sizeof place);
    epilogue.factor = place;
    gemm_nt_then(&epilogue, place, N, A, K, B, K, M, N, depths[d]);
    assert_memory_equal(place, apart, sizeof apart);
  }
}

int main(void) {
  gemm_init();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(product_equals_the_sum_of_products_for_all_sizes),
      cmocka_unit_test(epilogues_follow_their_definitions),
      cmocka_unit_test(a_row_does_not_depend_on_its_batch),
      cmocka_unit_test(blocks_of_long_sums_add_up),
      cmocka_unit_test(a_result_may_take_the_place_of_its_factor),
  };
  return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
