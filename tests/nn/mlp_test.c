#include "nn/mlp.h"

#include <string.h>

#include "gradient_check.h"
#include "nn/gemm.h"

#define B 5
#define IN 4
#define HIDDEN 9
#define OUT 3
#define MAX_MEMBERS 3

// A loss that is linear in the networks' output: its d_out is `weight`.
typedef struct {
  Arena arena;
  Mlp mlp;
  MlpTape tape;
  bool in_shared;
  Real* params;
  Real* d_params;
  Real in[MAX_MEMBERS * B * IN];
  Real weight[MAX_MEMBERS * B * OUT];
  Real d_in[MAX_MEMBERS * B * IN];
} Problem;

static void problem_init(Problem* problem, int members, Activation activation, bool in_shared) {
  Rng rng = rng_stream(3, 0, RNG_TEST, 0);
  *problem = (Problem){.in_shared = in_shared};
  arena_init(&problem->arena);
  problem->mlp = mlp_make(members, IN, HIDDEN, 2, OUT, activation);
  mlp_tape_init(&problem->tape, &problem->mlp, B, true, &problem->arena);
  problem->params = ARENA_NEW(&problem->arena, problem->mlp.size, Real);
  problem->d_params = ARENA_NEW(&problem->arena, problem->mlp.size, Real);
  fill_normal(problem->params, problem->mlp.size, 0.5, &rng);
  fill_normal(problem->in, MAX_MEMBERS * B * IN, 1, &rng);
  fill_normal(problem->weight, MAX_MEMBERS * B * OUT, 1, &rng);
}

static double problem_loss(void* context) {
  Problem* problem = context;
  mlp_forward(&problem->tape, &problem->mlp, problem->params, problem->in, problem->in_shared, B);
  double loss = 0;
  for (int i = 0; i < problem->mlp.members * B * OUT; i++) {
    loss += (double)problem->weight[i] * (double)problem->tape.out[i];
  }
  return loss;
}

static void problem_backward(Problem* problem) {
  problem_loss(problem);
  mlp_backward(problem->d_params, &problem->tape, &problem->mlp, problem->params, problem->weight,
               B);
}

// The member whose output counts in each row; member 1 has no row.
static const int32_t row_member[B] = {2, 0, 0, 2, 2};

// The loss of those outputs alone; the input is shared.
static double row_loss(void* context) {
  Problem* problem = context;
  mlp_forward(&problem->tape, &problem->mlp, problem->params, problem->in, true, B);
  double loss = 0;
  for (int b = 0; b < B; b++) {
    for (int o = 0; o < OUT; o++) {
      loss += (double)problem->weight[b * OUT + o] *
              (double)problem->tape.out[(row_member[b] * B + b) * OUT + o];
    }
  }
  return loss;
}

static void row_backward(Problem* problem, int in_first, int in_count) {
  row_loss(problem);
  mlp_backward_by_row(problem->d_in, in_first, in_count, &problem->tape, &problem->mlp,
                      problem->params, row_member, problem->weight, B);
}

// ReLU's kinks are wider than the step only in double precision; float's ReLU is compared with the
// plain loops below.
#ifdef AUTOMBPO_FLOAT64
static const Activation checked[] = {ACTIVATION_SWISH, ACTIVATION_TANH, ACTIVATION_RELU};
#else
static const Activation checked[] = {ACTIVATION_SWISH, ACTIVATION_TANH};
#endif
static const int checked_count = (int)(sizeof checked / sizeof checked[0]);

static void parameter_gradients_equal_central_differences(void** state) {
  (void)state;
  for (int i = 0; i < checked_count; i++) {
    for (int members = 1; members <= MAX_MEMBERS; members++) {
      for (int shared = 0; shared < 2; shared++) {
        Problem problem;
        problem_init(&problem, members, checked[i], shared);
        problem_backward(&problem);
        assert_gradient(problem_loss, &problem, problem.params, problem.d_params,
                        problem.mlp.size);
        arena_free(&problem.arena);
      }
    }
  }
}

static void input_gradients_equal_central_differences(void** state) {
  (void)state;
  for (int i = 0; i < checked_count; i++) {
    Problem problem;
    problem_init(&problem, MAX_MEMBERS, checked[i], true);
    row_backward(&problem, 0, IN);
    assert_gradient(row_loss, &problem, problem.in, problem.d_in, B * IN);
    arena_free(&problem.arena);
  }
}

// ReLU member e: output of row b; its share of the first biases' gradient is added to d_bias.
static void plain_row(double out[OUT], double d_bias[HIDDEN], const Problem* problem, int e,
                      int b) {
  const Mlp* mlp = &problem->mlp;
  const Real* w0 = problem->params + mlp->weights[0] + e * IN * HIDDEN;
  const Real* b0 = problem->params + mlp->biases[0] + e * HIDDEN;
  const Real* w1 = problem->params + mlp->weights[1] + e * HIDDEN * HIDDEN;
  const Real* b1 = problem->params + mlp->biases[1] + e * HIDDEN;
  const Real* w2 = problem->params + mlp->weights[2] + e * HIDDEN * OUT;
  const Real* b2 = problem->params + mlp->biases[2] + e * OUT;
  double z0[HIDDEN], z1[HIDDEN], d1[HIDDEN];
  for (int i = 0; i < HIDDEN; i++) {
    z0[i] = (double)b0[i];
    for (int j = 0; j < IN; j++) {
      z0[i] += (double)problem->in[(e * B + b) * IN + j] * (double)w0[j * HIDDEN + i];
    }
  }
  for (int i = 0; i < HIDDEN; i++) {
    z1[i] = (double)b1[i];
    for (int j = 0; j < HIDDEN; j++) {
      z1[i] += fmax(z0[j], 0) * (double)w1[j * HIDDEN + i];
    }
  }
  for (int o = 0; o < OUT; o++) {
    out[o] = (double)b2[o];
    for (int j = 0; j < HIDDEN; j++) {
      out[o] += fmax(z1[j], 0) * (double)w2[j * OUT + o];
    }
  }
  for (int j = 0; j < HIDDEN; j++) {
    d1[j] = 0;
    for (int o = 0; o < OUT; o++) {
      double weight = (double)problem->weight[(e * B + b) * OUT + o];
      d1[j] += z1[j] > 0 ? weight * (double)w2[j * OUT + o] : 0;
    }
  }
  for (int j = 0; j < HIDDEN; j++) {
    for (int i = 0; i < HIDDEN; i++) {
      d_bias[j] += z0[j] > 0 ? d1[i] * (double)w1[j * HIDDEN + i] : 0;
    }
  }
}

static void relu_networks_equal_plain_loops(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem, MAX_MEMBERS, ACTIVATION_RELU, false);
  problem_backward(&problem);
  // sums of about ten products of order 1
  const double tolerance = sizeof(Real) == 4 ? 2e-5 : 1e-13;
  for (int e = 0; e < MAX_MEMBERS; e++) {
    double d_bias[HIDDEN] = {0};
    for (int b = 0; b < B; b++) {
      double out[OUT];
      plain_row(out, d_bias, &problem, e, b);
      for (int o = 0; o < OUT; o++) {
        assert_true(fabs((double)problem.tape.out[(e * B + b) * OUT + o] - out[o]) < tolerance);
      }
    }
    const Real* computed = problem.d_params + problem.mlp.biases[0] + e * HIDDEN;
    for (int j = 0; j < HIDDEN; j++) {
      assert_true(fabs((double)computed[j] - d_bias[j]) < tolerance);
    }
  }
  arena_free(&problem.arena);
}

static void input_gradient_of_a_column_range_is_that_part_of_the_whole(void** state) {
  (void)state;
  Problem whole, part;
  problem_init(&whole, MAX_MEMBERS, ACTIVATION_SWISH, true);
  problem_init(&part, MAX_MEMBERS, ACTIVATION_SWISH, true);
  row_backward(&whole, 0, IN);
  row_backward(&part, 1, 2);
  for (int row = 0; row < B; row++) {
    assert_memory_equal(&part.d_in[row * 2], &whole.d_in[row * IN + 1], 2 * sizeof(Real));
  }
  arena_free(&whole.arena);
  arena_free(&part.arena);
}

static void input_gradient_leaves_the_tape_as_it_is(void** state) {
  (void)state;
  Problem with, without;
  problem_init(&with, MAX_MEMBERS, ACTIVATION_RELU, true);
  problem_init(&without, MAX_MEMBERS, ACTIVATION_RELU, true);
  row_backward(&with, 0, IN);
  mlp_backward(with.d_params, &with.tape, &with.mlp, with.params, with.weight, B);
  problem_backward(&without);
  assert_memory_equal(with.d_params, without.d_params, sizeof(Real) * with.mlp.size);
  arena_free(&with.arena);
  arena_free(&without.arena);
}

// Outputs beyond GEMM_IN_PLACE, of which only the first OUT count: as if there were no others.
static void a_very_wide_output_has_the_gradient_of_its_columns(void** state) {
  (void)state;
  enum { WIDE = GEMM_IN_PLACE + 52 };
  static Real d_out[B * WIDE];
  Problem narrow, wide;
  problem_init(&narrow, 1, ACTIVATION_SWISH, true);
  problem_init(&wide, 1, ACTIVATION_SWISH, true);
  wide.mlp = mlp_make(1, IN, HIDDEN, 2, WIDE, ACTIVATION_SWISH);
  mlp_tape_init(&wide.tape, &wide.mlp, B, true, &wide.arena);
  size_t last = narrow.mlp.weights[2];
  Real* params = ARENA_NEW(&wide.arena, wide.mlp.size, Real);
  wide.d_params = ARENA_NEW(&wide.arena, wide.mlp.size, Real);
  memcpy(params, narrow.params, last * sizeof *params);
  for (int o = 0; o < OUT; o++) {
    for (int i = 0; i < HIDDEN; i++) {
      params[last + (size_t)(i * WIDE + o)] = narrow.params[last + (size_t)(i * OUT + o)];
    }
    for (int b = 0; b < B; b++) {
      d_out[b * WIDE + o] = narrow.weight[b * OUT + o];
    }
  }
  problem_backward(&narrow);
  mlp_forward(&wide.tape, &wide.mlp, params, wide.in, true, B);
  mlp_backward(wide.d_params, &wide.tape, &wide.mlp, params, d_out, B);
  for (size_t p = 0; p < last; p++) {
    double error = fabs((double)(wide.d_params[p] - narrow.d_params[p]));
    assert_true(error < (sizeof(Real) == 4 ? 1e-5 : 1e-13));
  }
  arena_free(&narrow.arena);
  arena_free(&wide.arena);
}

static void shared_input_equals_the_same_input_for_each_member(void** state) {
  (void)state;
  Problem shared, each;
  problem_init(&shared, MAX_MEMBERS, ACTIVATION_TANH, true);
  problem_init(&each, MAX_MEMBERS, ACTIVATION_TANH, false);
  for (int e = 1; e < MAX_MEMBERS; e++) {
    memcpy(each.in + e * B * IN, each.in, sizeof(Real) * B * IN);
  }
  problem_backward(&shared);
  problem_backward(&each);
  assert_memory_equal(shared.tape.out, each.tape.out, sizeof(Real) * MAX_MEMBERS * B * OUT);
  assert_memory_equal(shared.d_params, each.d_params, sizeof(Real) * each.mlp.size);
  arena_free(&shared.arena);
  arena_free(&each.arena);
}

static void forward_of_one_member_equals_its_part_of_the_forward_of_all(void** state) {
  (void)state;
  Problem problem;
  problem_init(&problem, MAX_MEMBERS, ACTIVATION_SWISH, false);
  problem_loss(&problem);
  MlpTape scratch;  // without the backward pass's buffers
  mlp_tape_init(&scratch, &problem.mlp, B, false, &problem.arena);
  for (int e = 0; e < MAX_MEMBERS; e++) {
    Real out[B * OUT];
    mlp_forward_member(out, &scratch, &problem.mlp, problem.params, e, problem.in + e * B * IN, B);
    assert_memory_equal(out, problem.tape.out + e * B * OUT, sizeof out);
  }
  arena_free(&problem.arena);
}

static void members_in_turn_equal_all_at_once(void** state) {
  (void)state;
  Problem all, turn;
  problem_init(&all, MAX_MEMBERS, ACTIVATION_SWISH, false);
  problem_init(&turn, MAX_MEMBERS, ACTIVATION_SWISH, false);
  problem_backward(&all);
  for (int e = 0; e < MAX_MEMBERS; e++) {
    mlp_forward_one(&turn.tape, &turn.mlp, turn.params, e, turn.in + e * B * IN, B);
    assert_memory_equal(turn.tape.out, all.tape.out + e * B * OUT, sizeof(Real) * B * OUT);
    mlp_backward_begin(&turn.tape, &turn.mlp, turn.weight + e * B * OUT, B);
    for (int l = turn.mlp.layers - 1; l >= 0; l--) {
      MlpGradient gradient = mlp_backward_layer(&turn.tape, &turn.mlp, turn.params, e, l, B);
      memcpy(turn.d_params + mlp_weights(&turn.mlp, l, e), gradient.weights,
             mlp_weights_count(&turn.mlp, l) * sizeof(Real));
      memcpy(turn.d_params + mlp_biases(&turn.mlp, l, e), gradient.biases,
             (size_t)turn.mlp.width[l + 1] * sizeof(Real));
    }
  }
  assert_memory_equal(turn.d_params, all.d_params, sizeof(Real) * all.mlp.size);
  arena_free(&all.arena);
  arena_free(&turn.arena);
}

static void forward_computes_the_definition(void** state) {
  (void)state;
  // one hidden unit, one input: out = w2 f(w1 x + b1) + b2
  const double sigmoid = 1 / (1 + exp(-1.25));
  const double expected[] = {1.25, 1.25 * sigmoid, tanh(1.25)};
  for (int i = 0; i < 3; i++) {
    Arena arena;
    arena_init(&arena);
    Mlp mlp = mlp_make(1, 1, 1, 1, 1, (Activation)i);
    MlpTape tape;
    mlp_tape_init(&tape, &mlp, 1, false, &arena);
    assert_int_equal(mlp.size, 4);
    const Real params[] = {(Real)0.5, (Real)0.25, 3, (Real)-0.75};
    const Real in[] = {2};
    mlp_forward(&tape, &mlp, params, in, false, 1);
    assert_true(fabs((double)tape.out[0] - (3 * expected[i] - 0.75)) < 1e-6);
    arena_free(&arena);
  }
}

static void hidden_layers_may_differ_in_width(void** state) {
  (void)state;
  static const int widths[] = {3, 2, 40, 17, 5};
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(7, 0, RNG_TEST, 0);
  Mlp mlp = mlp_make_layers(2, IN, widths, 5, OUT, ACTIVATION_SWISH);
  assert_int_equal(mlp.size, 2 * (IN * 3 + 3 + 3 * 2 + 2 + 2 * 40 + 40 + 40 * 17 + 17 + 17 * 5 + 5 +
                                  5 * OUT + OUT));
  Real* params = ARENA_NEW(&arena, mlp.size, Real);
  Real in[B * IN];
  fill_normal(params, mlp.size, 0.5, &rng);
  fill_normal(in, B * IN, 1, &rng);
  MlpTape whole, forward_only;  // the second has two buffers for all five layers
  mlp_tape_init(&whole, &mlp, B, true, &arena);
  mlp_tape_init(&forward_only, &mlp, B, false, &arena);
  mlp_forward(&whole, &mlp, params, in, true, B);
  mlp_forward(&forward_only, &mlp, params, in, true, B);
  assert_memory_equal(whole.out, forward_only.out, 2 * B * OUT * sizeof(Real));
  arena_free(&arena);
}

static void glorot_draws_stay_in_their_range_and_fill_it(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mlp mlp = mlp_make(2, 10, 30, 1, 5, ACTIVATION_RELU);
  Real* params = ARENA_NEW(&arena, mlp.size, Real);
  Rng rng = rng_stream(5, 0, RNG_TEST, 0);
  mlp_init_glorot(params, &mlp, &rng);
  double limit = sqrt(6.0 / 40), largest = 0;
  for (size_t p = mlp.weights[0]; p < mlp.biases[0]; p++) {
    largest = fmax(largest, fabs((double)params[p]));
  }
  // 600 uniform draws: the largest is below 0.97 of the limit with probability 1e-8
  assert_true(largest <= limit && largest > 0.97 * limit);
  for (size_t p = mlp.biases[0]; p < mlp.weights[1]; p++) {
    assert_true(params[p] == 0);
  }
  arena_free(&arena);
}

static void truncated_normal_is_cut_at_two_deviations(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mlp mlp = mlp_make(2, 100, 100, 1, 5, ACTIVATION_SWISH);
  Real* params = ARENA_NEW(&arena, mlp.size, Real);
  Rng rng = rng_stream(6, 0, RNG_TEST, 0);
  mlp_init_truncated_normal(params, &mlp, &rng);
  double square = 0, sd = 1 / (2 * sqrt(100.0));
  size_t count = mlp.biases[0] - mlp.weights[0];
  for (size_t p = mlp.weights[0]; p < mlp.biases[0]; p++) {
    assert_true(fabs((double)params[p]) <= 2 * sd * (1 + 1e-6));
    square += (double)params[p] * (double)params[p];
  }
  // variance of the cut normal: 0.7737; 20000 draws know it within 1 %, three times over
  assert_true(fabs(square / (double)count / (sd * sd) - 0.7737) < 0.024);
  arena_free(&arena);
}

int main(void) {
  gemm_init();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forward_computes_the_definition),
      cmocka_unit_test(parameter_gradients_equal_central_differences),
      cmocka_unit_test(input_gradients_equal_central_differences),
      cmocka_unit_test(relu_networks_equal_plain_loops),
      cmocka_unit_test(input_gradient_of_a_column_range_is_that_part_of_the_whole),
      cmocka_unit_test(input_gradient_leaves_the_tape_as_it_is),
      cmocka_unit_test(a_very_wide_output_has_the_gradient_of_its_columns),
      cmocka_unit_test(shared_input_equals_the_same_input_for_each_member),
      cmocka_unit_test(forward_of_one_member_equals_its_part_of_the_forward_of_all),
      cmocka_unit_test(members_in_turn_equal_all_at_once),
      cmocka_unit_test(hidden_layers_may_differ_in_width),
      cmocka_unit_test(glorot_draws_stay_in_their_range_and_fill_it),
      cmocka_unit_test(truncated_normal_is_cut_at_two_deviations),
  };
  return cmocka_run_group_tests_name("mlp", tests, NULL, NULL);
}
