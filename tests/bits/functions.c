// functions.c - a line for each function below sac/ and dynamics/: its name, and a hash of what it
// gives for odd sizes and numbers at the edge. Two builds that give the same bits print the same text.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/vector_math.h"
#include "nn/adam.h"
#include "nn/categorical.h"
#include "nn/gaussian_nll.h"
#include "nn/gemm.h"
#include "nn/mlp.h"
#include "nn/scaler.h"
#include "nn/squashed_gaussian.h"

#define SIDE 300
#define COUNT 20011  // a prime: no multiple of a vector
#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

typedef struct {
  Real in[3][SIDE * SIDE];
  Real out[3][SIDE * SIDE];
  Arena arena;
} Numbers;

// Bits, but all that are no number are one.
static uint64_t hash(uint64_t h, const Real* x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = 0x7fc00000;
    if (x[i] == x[i]) {
      memcpy(&bits, &x[i], sizeof bits);
    }
    h = (h ^ bits) * 1099511628211u;
  }
  return h;
}

static void print(const char* name, uint64_t h) { printf("%-32s %016" PRIx64 "\n", name, h); }

static void print_outputs(const char* name, Numbers* x) {
  print(name, hash(1, x->out[0], sizeof x->out / sizeof(Real)));
  memset(x->out, 0, sizeof x->out);
}

// name(x) for floats from all over the line: every 2^32 / COUNT-th pattern of bits.
#define PRINT_VECTOR(name) \
  do { \
    uint64_t h = 1; \
    for (uint32_t i = 0; i < COUNT; i += (uint32_t)LANES) { \
      Real in[VECTOR_BYTES / sizeof(Real)], out[VECTOR_BYTES / sizeof(Real)]; \
      for (uint32_t j = 0; j < (uint32_t)LANES; j++) { \
        uint32_t bits = (i + j) * 214633u; \
        memcpy(&in[j], &bits, sizeof bits); \
      } \
      vector_store(out, vector_##name(vector_load(in))); \
      h = hash(h, out, COUNT - i < (uint32_t)LANES ? COUNT - i : (size_t)LANES); \
    } \
    print("vector_" #name, h); \
  } while (0)

static void vectors(void) {
  PRINT_VECTOR(exp);
  PRINT_VECTOR(log);
  PRINT_VECTOR(log1p);
  PRINT_VECTOR(tanh);
  PRINT_VECTOR(sin);
  PRINT_VECTOR(cos);
  PRINT_VECTOR(sqrt);
  PRINT_VECTOR(sigmoid);
  PRINT_VECTOR(softplus);
  PRINT_VECTOR(abs);
}

#define PRINT_DOUBLE(call) \
  do { \
    uint64_t h = 1; \
    for (int i = 0; i < COUNT; i++) { \
      double x = rng_range(&rng, -1, 1), value = call; \
      memcpy(pair, &value, sizeof value); \
      h = hash(h, pair, 2); \
    } \
    print(#call, h); \
  } while (0)

static void doubles(void) {
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  Real pair[2];
  PRINT_DOUBLE(exp(50 * x));
  PRINT_DOUBLE(expm1(x));
  PRINT_DOUBLE(log(fabs(x)));
  PRINT_DOUBLE(log1p(x));
  PRINT_DOUBLE(pow(fabs(x), 10 * x));
  PRINT_DOUBLE(sin(10 * x));
  PRINT_DOUBLE(cos(1e9 * x));
  PRINT_DOUBLE(tan(3 * x));
  PRINT_DOUBLE(asin(x));
  PRINT_DOUBLE(acos(x));
  PRINT_DOUBLE(atan(9 * x));
  PRINT_DOUBLE(atan2(x, 0.3));
  PRINT_DOUBLE(x * rng_normal(&rng));
}

static void products(Numbers* x) {
  typedef void Multiply(const GemmEpilogue*, Real*, int, const Real*, int, const Real*, int, int, int, int);
  Multiply* const multiply[] = {gemm_nn_then, gemm_nt_then, gemm_tn_then};
  const char* const names[] = {"nn", "nt", "tn"};
  const int shapes[][3] = {{1, 1, 1},    {7, 1, 5},     {33, 2, 299}, {61, 3, 100}, {256, 4, 23},
                           {5, 5, 5},    {256, 12, 14}, {17, 16, 256}, {3, 17, 290}, {100, 24, 257},
                           {64, 33, 40}, {29, 100, 7},  {256, 200, 200}, {299, 299, 299}};
  for (int kind = 0; kind < 3; kind++) {
    for (int s = 0; s < LENGTH(shapes); s++) {
      int m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
      for (int finish = GEMM_PLAIN; finish <= GEMM_TANH_BACKWARD; finish++) {
        GemmEpilogue epilogue = {.finish = (GemmFinish)finish, .bias = x->in[2], .factor = x->in[2],
                                 .slope = x->out[1], .column_sums = finish ? x->out[2] : NULL};
        multiply[kind](&epilogue, x->out[0], SIDE, x->in[0], SIDE, x->in[1], SIDE, m, n, k);
        char name[64];
        snprintf(name, sizeof name, "gemm_%s %d x %d x %d, %d", names[kind], m, n, k, finish);
        print_outputs(name, x);
      }
    }
  }
}

static void optimisers(Numbers* x) {
  const size_t sizes[] = {1, 37, 4096, 20011};
  for (int s = 0; s < LENGTH(sizes); s++) {
    Adam adam;
    adam_init(&adam, sizes[s], 1e-3, &x->arena);
    memcpy(x->out[0], x->in[0], sizeof x->out[0]);
    for (int step = 0; step < 3; step++) {
      adam_step_polyak(&adam, x->out[0], x->in[1], x->out[1], 0.005);
      double sum = adam_step_part(&adam, adam_begin(&adam), x->out[0], x->in[2], 0.01, 0, sizes[s]);
      memcpy(x->out[2] + 2 * step, &sum, sizeof sum);
    }
    print_outputs("adam", x);
  }
}

static void heads(Numbers* x) {
  for (int A = 1; A < 20; A += 3) {
    Real* logp = x->out[1];
    squashed_gaussian_forward(x->out[0], logp, x->in[0], x->in[1], 77, A);
    squashed_gaussian_logp(logp + 100, x->in[0], x->out[0], 77, A);
    squashed_gaussian_mean(x->out[0] + 40000, x->in[0], 77, A);
    squashed_gaussian_backward(x->out[2], x->in[1], x->in[2], x->out[0], x->in[1], x->in[0], 77, A);
    print_outputs("squashed_gaussian", x);
    gaussian_sample(x->out[1], x->in[0], x->in[1], x->in[2], x->in[2] + 50, 77, A);
    double loss = gaussian_nll(x->out[0], x->out[2], x->out[2] + 50, x->in[0], x->in[1], x->in[2],
                               x->in[2] + 50, 77, A);
    loss += gaussian_squared_error(x->in[0], x->in[1], 77, A);
    memcpy(x->out[2] + 100, &loss, sizeof loss);
    print_outputs("gaussian", x);
    categorical_logp(x->out[0], x->in[0], 77, A);
    for (int i = 0; i < 77; i++) {
      categorical_logp_backward(x->out[1] + i * A, x->out[0] + i * A, i % A, 0.3, A);
      x->out[2][i] = (Real)categorical_entropy(x->out[0] + i * A, A);
    }
    print_outputs("categorical", x);
  }
}

static void networks(Numbers* x) {
  for (int activation = ACTIVATION_RELU; activation <= ACTIVATION_TANH; activation++) {
    Mlp mlp = mlp_make(2, 14, 43, 2, 3, (Activation)activation);
    MlpTape tape;
    Rng rng = rng_stream(7, 0, RNG_TEST, 0);
    mlp_tape_init(&tape, &mlp, 50, true, &x->arena);
    mlp_init_glorot(x->out[0], &mlp, &rng);
    mlp_init_truncated_normal(x->out[1], &mlp, &rng);
    mlp_forward(&tape, &mlp, x->out[0], x->in[0], true, 50);
    mlp_backward(x->out[2], &tape, &mlp, x->out[0], x->in[1], 50);
    print_outputs("mlp", x);
  }
  Scaler scaler;
  scaler_init(&scaler, 23, &x->arena);
  scaler_fit(&scaler, x->in[0], 999);
  scaler_apply(x->out[0], x->in[1], &scaler, 999);
  print_outputs("scaler", x);
}

static void streams(Numbers* x) {
  Rng rng = rng_stream(9, 0, RNG_TEST, 0);
  rng_fill_normal(x->in[0], SIDE * SIDE, &rng);
  rng_fill_normal(x->in[1], SIDE * SIDE, &rng);
  rng_fill_uniform(x->in[2], SIDE * SIDE, &rng);
  print("rng", hash(1, x->in[0], 3 * SIDE * SIDE));
}

int main(void) {
  static Numbers x;
  arena_init(&x.arena);
  streams(&x);
  vectors();
  doubles();
  products(&x);
  optimisers(&x);
  heads(&x);
  networks(&x);
  arena_free(&x.arena);
  return 0;
}
