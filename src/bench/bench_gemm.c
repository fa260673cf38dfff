// bench_gemm.c - the products of hidden layers, ours and the BLAS's.
#include "bench/blas.h"
#include "bench/peak.h"
#include "bench_internal.h"
#include "nn/gemm.h"

#define CALLS 16  // in one go
#define SHAPES 6

typedef struct {
  const char* name;
  GemmKind kind;
  bool blas;
  int m, n, k;
  Real *A, *B, *C;
  GemmEpilogue how;
} Product;

typedef void Multiply(const GemmEpilogue* epilogue, Real* C, int ldc, const Real* A, int lda,
                      const Real* B, int ldb, int m, int n, int k);

static void run(void* self) {
  Multiply* const products[] = {
      [GEMM_NN] = gemm_nn_then, [GEMM_NT] = gemm_nt_then, [GEMM_TN] = gemm_tn_then};
  const Product* p = self;
  for (int i = 0; i < CALLS; i++) {
    int lda = p->kind == GEMM_TN ? p->m : p->k;
    int ldb = p->kind == GEMM_NT ? p->k : p->n;
    if (p->blas) {
      blas_gemm(p->kind, p->C, p->n, p->A, lda, p->B, ldb, p->m, p->n, p->k);
    } else {
      products[p->kind](&p->how, p->C, p->n, p->A, lda, p->B, ldb, p->m, p->n, p->k);
    }
  }
}

static Real* numbers(int rows, int columns, Rng* rng, Arena* arena) {
  int64_t count = (int64_t)rows * columns;
  Real* x = ARENA_NEW(arena, count, Real);
  rng_fill_normal(x, count, rng);
  return x;
}

static double gflops(const Product* p, const Timing* timing) {
  return 2e-9 * CALLS * p->m * p->n * p->k / timing->seconds;
}

// The value is that of a forward product between the first hidden layers of SAC's critics: such
// products are most of an update.
bool bench_gemm(BenchResult* result, const BenchSetup* setup, Arena* arena, Error* error) {
  (void)error;
  const RunSpec* x = setup->spec;
  const OptionList* widths = &x->sac.critic_layers;
  int B = x->sac.batch_size;
  int H = widths->count > 0 ? (int)widths->value[0] : x->sac.hidden_size;
  int next = widths->count > 1 ? (int)widths->value[1] : H;
  int b = x->model.batch_size, h = x->model.hidden_size;
  Rng rng = rng_stream(x->seed, 0, RNG_TEST, 0);
  Product products[2 * SHAPES] = {
      {.name = "sac forward", .kind = GEMM_NN, .m = B, .n = next, .k = H},
      {.name = "sac backward", .kind = GEMM_NT, .m = B, .n = H, .k = next},
      {.name = "sac weights", .kind = GEMM_TN, .m = H, .n = next, .k = B},
      {.name = "ensemble forward", .kind = GEMM_NN, .m = b, .n = h, .k = h},
      {.name = "ensemble backward", .kind = GEMM_NT, .m = b, .n = h, .k = h},
      {.name = "ensemble weights", .kind = GEMM_TN, .m = h, .n = h, .k = b}};
  static const char* const blas_names[SHAPES] = {
      "blas sac forward", "blas sac backward", "blas sac weights",
      "blas ensemble forward", "blas ensemble backward", "blas ensemble weights"};
  Real any;
  Timed timed[2 * SHAPES + 1] = {[2 * SHAPES] = {peak_run, &any}};
  Timing timings[2 * SHAPES + 1];
  for (int i = 0; i < 2 * SHAPES; i++) {
    Product* p = &products[i];
    if (i >= SHAPES) {
      *p = products[i - SHAPES];
      p->name = blas_names[i - SHAPES];
      p->blas = true;
    } else {
      bool hidden = i < SHAPES / 2;
      p->how.precision = hidden ? x->sac.precision : x->model.precision;
      p->A = numbers(p->m, p->k, &rng, arena);
      p->B = numbers(p->k, p->n, &rng, arena);
      p->C = numbers(p->m, p->n, &rng, arena);
    }
    timed[i] = (Timed){run, p};
  }
  measure(timings, timed, 2 * SHAPES + 1, setup->repeats, setup->seconds / SHAPES);
  *result = (BenchResult){.unit = "GFLOP/s", .batch = B};
  bench_rate(result, setup, &timings[0], 2e-9 * CALLS * B * H * next);
  result->floor = gflops(&products[SHAPES], &timings[SHAPES]);
  bench_peak(result, &timings[2 * SHAPES], result->value);
  for (int i = 0; i < 2 * SHAPES; i++) {
    bench_add_figure(result, products[i].name, gflops(&products[i], &timings[i]));
  }
  return true;
}
