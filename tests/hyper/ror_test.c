// RoR's trainer: its gradient, what it learns, and that it learns nothing where there is nothing.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/ror_trainer.h"

#define ACTIONS (1 << ROR_HEADS)
#define ALL (ACTIONS - 1u)

static const RorOptions options = {.levels = {2, {0.2, 1}}, .explore_decisions = 40,
                                   .discount = 0.99, .learning_rate = 0.1, .target_mixing = 0.5,
                                   .updates = 4, .batch_size = 8, .tie_noise = 0.1,
                                   .learn = true};

static RorTrainer trainer_of(uint64_t seed) {
  RorTrainer t;
  Rng rng = rng_stream(seed, 0, RNG_CONTROLLER, 0);
  ror_begin(&t, &rng);
  return t;
}

// One transition, a batch of it, and no discount: a step of Adadelta on (Q - r)^2 is
// -lr sqrt(S + e) / sqrt(0.95 G + 0.05 g^2 + e) g, from which the gradient g can be told.
static void an_update_follows_the_gradient_of_the_squared_error(void** state) {
  (void)state;
  RorOptions o = options;
  o.discount = 0;
  o.updates = 1;
  RorTrainer t = trainer_of(3);
  Rng rng = rng_stream(3, 1, RNG_TEST, 0);
  for (int i = 0; i < ROR_PARAMS; i++) {
    t.network[i] = 0.5 * rng_normal(&rng);
    t.gradient_square[i] = 0.01 * rng_uniform(&rng);
    t.step_square[i] = 0.01 * rng_uniform(&rng);
  }
  t.last_action = 5;
  t.last_reward = 1;
  RorTrainer after = t;
  ror_decide(&after, ALL, 2, &o, &rng);  // the real reward rose: r = 1
  for (int i = 0; i < ROR_PARAMS; i++) {
    double q[2][ACTIONS], network[ROR_PARAMS];
    for (int side = 0; side < 2; side++) {
      memcpy(network, t.network, sizeof network);
      network[i] += side ? 1e-6 : -1e-6;
      ror_values(q[side], network);
    }
    double mean = (q[0][5] + q[1][5]) / 2;
    double gradient = 2 * (mean - 1) * (q[1][5] - q[0][5]) / 2e-6;
    double square = 0.95 * t.gradient_square[i] + 0.05 * gradient * gradient;
    double step = sqrt(t.step_square[i] + 1e-6) / sqrt(square + 1e-6) * gradient;
    // central differences of 1e-6 in double: some 1e-9 of the gradient
    assert_true(fabs(after.network[i] - (t.network[i] - 0.1 * step)) < 1e-7);
    assert_true(fabs(after.gradient_square[i] - square) < 1e-7);
    assert_true(fabs(after.step_square[i] - (0.95 * t.step_square[i] + 0.05 * step * step)) < 1e-7);
    assert_true(after.target[i] == t.target[i] + 0.5 * (after.network[i] - t.target[i]));
  }
  assert_true(after.action[0] == 5 && after.reward[0] == 1 && after.transitions == 1);
}

// The real reward rises after actions with bit 1 and falls after the others.
static void it_finds_what_makes_the_reward_rise(void** state) {
  (void)state;
  int good = 0;
  for (int seed = 0; seed < 20; seed++) {
    RorTrainer t = trainer_of((uint64_t)seed);
    Rng rng = rng_stream((uint64_t)seed, 2, RNG_TEST, 0);
    double reward = 0;
    int action = 0;
    for (int d = 0; d < 200; d++) {
      action = ror_decide(&t, ALL, reward, &options, &rng);
      reward += action & 2 ? 1 : -1;
      good += d >= 150 && (action & 2) != 0;
    }
  }
  assert_true(good > 950);  // of 1000
}

// Noise alone: over seeds, no level is preferred beyond what chance explains.
static void no_level_is_preferred_where_nothing_is_to_be_learnt(void** state) {
  (void)state;
  enum { SEEDS = 400, DECISIONS = 150 };
  double sum[ROR_HEADS] = {0}, squares[ROR_HEADS] = {0};
  for (int seed = 0; seed < SEEDS; seed++) {
    RorTrainer t = trainer_of((uint64_t)seed);
    Rng rng = rng_stream((uint64_t)seed, 3, RNG_TEST, 0);
    Rng noise = rng_stream((uint64_t)seed, 4, RNG_TEST, 0);
    int high[ROR_HEADS] = {0};
    for (int d = 0; d < DECISIONS; d++) {
      int action = ror_decide(&t, ALL, rng_normal(&noise), &options, &rng);
      for (int h = 0; h < ROR_HEADS; h++) {
        high[h] += action >> h & 1;
      }
    }
    for (int h = 0; h < ROR_HEADS; h++) {
      double share = (double)high[h] / DECISIONS;
      sum[h] += share;
      squares[h] += share * share;
    }
  }
  for (int h = 0; h < ROR_HEADS; h++) {
    double mean = sum[h] / SEEDS;
    double error = sqrt((squares[h] / SEEDS - mean * mean) / (SEEDS - 1));
    assert_true(error < 0.02);
    assert_true(fabs(mean - 0.5) <= 5 * error);
  }
}

static void levels_of_heads_that_are_not_scheduled_stay_low(void** state) {
  (void)state;
  RorTrainer t = trainer_of(1);
  Rng rng = rng_stream(1, 5, RNG_TEST, 0);
  for (int d = 0; d < 200; d++) {
    assert_int_equal(ror_decide(&t, 5u, rng_normal(&rng), &options, &rng) & ~5, 0);
  }
}

static void it_begins_with_small_weights_and_biases_of_zero(void** state) {
  (void)state;
  RorTrainer t = trainer_of(1);
  int zeros = 0;
  for (int i = 0; i < ROR_PARAMS; i++) {
    zeros += t.network[i] == 0;
    assert_true(fabs((double)t.network[i]) < 0.01);
  }
  assert_int_equal(zeros, 2 * ROR_UNITS + 1);  // two hidden layers, and one output
}

static void without_learning_it_stays_what_it_was(void** state) {
  (void)state;
  RorOptions o = options;
  o.learn = false;
  RorTrainer t = trainer_of(1), before = t;
  Rng rng = rng_stream(1, 6, RNG_TEST, 0);
  for (int d = 0; d < 50; d++) {
    ror_decide(&t, ALL, d, &o, &rng);
  }
  assert_memory_equal(t.network, before.network, sizeof t.network);
  assert_true(t.transitions == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_update_follows_the_gradient_of_the_squared_error),
      cmocka_unit_test(it_finds_what_makes_the_reward_rise),
      cmocka_unit_test(no_level_is_preferred_where_nothing_is_to_be_learnt),
      cmocka_unit_test(levels_of_heads_that_are_not_scheduled_stay_low),
      cmocka_unit_test(it_begins_with_small_weights_and_biases_of_zero),
      cmocka_unit_test(without_learning_it_stays_what_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
