// Products and Adam's steps that threads share have the bits of those that one thread makes.
#include "base/team.h"

#include <string.h>

#include "gradient_check.h"
#include "nn/adam.h"
#include "nn/gemm.h"

#define SIDE 260
#define NUMBERS (SIDE * SIDE)
#define MOST_THREADS 4

typedef struct {
  Real A[NUMBERS], B[NUMBERS], C[NUMBERS], slope[NUMBERS];
  Real bias[SIDE], sums[SIDE];
} Matrices;

static Matrices filled;

typedef void (*Product)(const GemmEpilogue*, Real*, int, const Real*, int, const Real*, int, int,
                        int, int);

static void fill(Matrices* x, uint64_t seed) {
  Rng rng = rng_stream(seed, 0, RNG_TEST, 0);
  memset(x, 0, sizeof *x);
  fill_normal(x->A, NUMBERS, 0.3, &rng);
  fill_normal(x->B, NUMBERS, 0.3, &rng);
  fill_normal(x->C, NUMBERS, 1, &rng);
  fill_normal(x->bias, SIDE, 1, &rng);
}

// The result takes the place of the factor.
static void multiply(Matrices* x, Product product, GemmFinish finish, GemmPrecision precision,
                     bool sums, Team* team, const int size[3]) {
  bool backward = finish >= GEMM_RELU_BACKWARD;
  *x = filled;
  GemmEpilogue epilogue = {.precision = precision,
                           .finish = finish,
                           .bias = backward || finish == GEMM_PLAIN ? NULL : x->bias,
                           .factor = backward ? x->C : NULL,
                           .slope = finish == GEMM_SWISH ? x->slope : NULL,
                           .column_sums = sums ? x->sums : NULL,
                           .team = team};
  product(&epilogue, x->C, SIDE, x->A, SIDE, x->B, SIDE, size[0], size[1], size[2]);
}

static void assert_products(Team* team, GemmPrecision precision) {
  static const Product products[] = {gemm_nn_then, gemm_nt_then, gemm_tn_then};
  static const int sizes[][3] = {{256, 256, 256}, {256, 200, 200}, {200, 200, 256}, {256, 256, 14},
                                 {14, 256, 256},  {256, 6, 256},   {256, 1, 256},   {255, 33, 100},
                                 {256, 3, 256},   {7, 259, 251},   {259, 65, 17},    {256, 24, 200}};
  static Matrices alone, shared;
  for (int p = 0; p < 3; p++) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      for (GemmFinish finish = GEMM_PLAIN; finish <= GEMM_TANH_BACKWARD; finish++) {
        bool sums = (finish + s) % 2;
        multiply(&alone, products[p], finish, precision, sums, NULL, sizes[s]);
        multiply(&shared, products[p], finish, precision, sums, team, sizes[s]);
        if (memcmp(&alone, &shared, sizeof alone) != 0) {
          fail_msg("product %d of (%d, %d, %d), finish %d, on %d threads", p, sizes[s][0],
                   sizes[s][1], sizes[s][2], (int)finish, team_threads(team));
        }
      }
    }
  }
}

static void shared_products_have_the_same_bits(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  fill(&filled, 3);
  for (int threads = 2; threads <= MOST_THREADS; threads++) {
    Team* team;
    Error error;
    assert_true(team_open(&team, threads, &arena, &error));
    assert_products(team, GEMM_FLOAT32);
    if (gemm_has_bfloat16()) {
      assert_products(team, GEMM_BFLOAT16);
    }
    team_close(team);
  }
  arena_free(&arena);
}

typedef struct {
  Adam adam;
  Real params[NUMBERS], targets[NUMBERS];
  double squares;
} Steps;

// Steps of all parameters, of some, and of all with targets.
static void take_steps(Steps* s, Team* team, Arena* arena) {
  static Matrices x;
  fill(&x, 4);
  adam_init(&s->adam, NUMBERS, 1e-2, arena);
  s->adam.team = team;
  memcpy(s->params, x.A, sizeof x.A);
  memcpy(s->targets, x.C, sizeof x.C);
  for (int i = 0; i < 3; i++) {
    adam_step(&s->adam, s->params, x.B);
    adam_step_polyak(&s->adam, s->params, x.B, s->targets, 0.01);
    s->squares = adam_step_part(&s->adam, adam_begin(&s->adam), s->params, x.B, 1e-3, 1001, 40000);
  }
}

static void shared_steps_have_the_same_bits(void** state) {
  (void)state;
  static Steps alone, shared;
  Arena arena;
  arena_init(&arena);
  take_steps(&alone, NULL, &arena);
  for (int threads = 2; threads <= MOST_THREADS; threads++) {
    Team* team;
    Error error;
    assert_true(team_open(&team, threads, &arena, &error));
    take_steps(&shared, team, &arena);
    assert_memory_equal(shared.params, alone.params, sizeof alone.params);
    assert_memory_equal(shared.targets, alone.targets, sizeof alone.targets);
    assert_memory_equal(shared.adam.first, alone.adam.first, sizeof alone.params);
    assert_memory_equal(shared.adam.second, alone.adam.second, sizeof alone.params);
    assert_memory_equal(&shared.squares, &alone.squares, sizeof alone.squares);
    team_close(team);
  }
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shared_products_have_the_same_bits),
      cmocka_unit_test(shared_steps_have_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
