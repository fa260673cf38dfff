#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the four above
#include <cmocka.h>

#include "base/rng.h"
#include "theory/mdp.h"

#define KINDS 3

static void assert_close(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) {
    fail_msg("%.17g is not %.17g within %g", value, expected, tolerance);
  }
}

// Small problems of each kind.
static void init(Mdp* mdp, MdpKind kind, double gamma, Arena* arena) {
  mdp_init(mdp, kind, kind == MDP_PENDULUM ? 9 : 20, gamma, 0.4, 0.1, 3, arena);
}

static void moves_and_rewards_are_in_range(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int kind = 0; kind < KINDS; kind++) {
    Mdp mdp;
    init(&mdp, (MdpKind)kind, 0.9, &arena);
    for (int i = 0; i < mdp.cells * mdp.actions; i++) {
      assert_in_range(mdp.next[i], 0, mdp.cells - 1);
      // with the wiggle of at most 0.05 either way, rewards are in [0, 1]
      assert_true(mdp.rew[i] >= 0.05 - 1e-15 && mdp.rew[i] <= 0.95 + 1e-15);
    }
  }
  arena_free(&arena);
}

static void optimal_values_solve_the_bellman_equation(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int kind = 0; kind < KINDS; kind++) {
    Mdp mdp;
    init(&mdp, (MdpKind)kind, 0.95, &arena);
    for (int cell = 0; cell < mdp.cells; cell++) {
      assert_true(mdp_backup(&mdp, mdp.v_star, cell) == mdp.v_star[cell]);
    }
  }
  arena_free(&arena);
}

static void greedy_policy_of_the_optimal_values_attains_them(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int kind = 0; kind < KINDS; kind++) {
    Mdp mdp;
    init(&mdp, (MdpKind)kind, 0.95, &arena);
    int* policy = ARENA_NEW(&arena, mdp.cells, int);
    double* value = ARENA_NEW(&arena, mdp.cells, double);
    mdp_greedy(policy, &mdp, mdp.v_star);
    mdp_evaluate(value, &mdp, policy);
    for (int cell = 0; cell < mdp.cells; cell++) {
      // 20 units in the last place of V_max = 20
      assert_close(value[cell], mdp.v_star[cell], 1e-13);
    }
    // and no other policy exceeds them
    for (int cell = 0; cell < mdp.cells; cell++) {
      policy[cell] = (policy[cell] + 1) % mdp.actions;
    }
    mdp_evaluate(value, &mdp, policy);
    for (int cell = 0; cell < mdp.cells; cell++) {
      assert_true(value[cell] <= mdp.v_star[cell] + 1e-13);
    }
  }
  arena_free(&arena);
}

static void no_policy_loses_more_than_the_worst(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mdp mdp;
  mdp_init(&mdp, MDP_RANDOM, 4, 0.7, 0.5, 0.0, 5, &arena);
  double largest = 0.0;
  for (int code = 0; code < 81; code++) {
    int policy[4] = {code % 3, code / 3 % 3, code / 9 % 3, code / 27};
    double value[4];
    double sum = 0.0;
    mdp_evaluate(value, &mdp, policy);
    for (int cell = 0; cell < 4; cell++) {
      sum += (mdp.v_star[cell] - value[cell]) / 4;
    }
    largest = fmax(largest, sum);
  }
  assert_close(mdp_worst_loss(&mdp, 1.0, &arena), largest, 1e-14);
  arena_free(&arena);
}

// Known answer: from the hill's top on the ring, the best is to step off and back for ever.
static void ring_value_at_the_top_is_a_geometric_sum(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mdp mdp;
  mdp_init(&mdp, MDP_RING, 20, 0.5, 0.5, 0.0, 0, &arena);
  // cells 13 and 14 are centred at 0.675 and 0.725, both 0.025 from the top: reward 1 - 0.125
  assert_close(mdp.v_star[13], 0.875 / 0.5, 1e-14);
  assert_close(mdp.v_star[14], 0.875 / 0.5, 1e-14);
  arena_free(&arena);
}

// On a long ring, m steps of +-1 from uniform states bring at most m + 1 cells to one: then
// C = (1 - gamma)^2 sum m (m + 1) gamma^{m-1} = 2 / (1 - gamma).
static void concentrability_of_the_ring_is_known(void** state) {
  (void)state;
  Arena arena;
  Arena scratch;
  arena_init(&arena);
  arena_init(&scratch);
  const double gammas[] = {0.1, 0.5, 0.9};
  for (int i = 0; i < 3; i++) {
    Mdp mdp;
    mdp_init(&mdp, MDP_RING, 1001, gammas[i], 0.5, 0.0, 0, &arena);
    double expected = 2.0 / (1.0 - gammas[i]);
    assert_close(mdp_concentrability(&mdp, &scratch) / expected, 1.0, 1e-10);
  }
  arena_free(&scratch);
  arena_free(&arena);
}

#define TINY_CELLS 4
#define TINY_STEPS 4

// The largest share of mass that any sequence of `left` policies brings to one cell, by trying
// all 2^n policies of each step.
static double most_mass(const Mdp* mdp, const double* mass, int left) {
  double largest = 0.0;
  if (left == 0) {
    for (int c = 0; c < mdp->cells; c++) {
      largest = fmax(largest, mass[c]);
    }
    return largest;
  }
  for (int policy = 0; policy < 1 << mdp->cells; policy++) {
    double moved[TINY_CELLS] = {0};
    for (int c = 0; c < mdp->cells; c++) {
      moved[mdp->next[c * mdp->actions + (policy >> c & 1)]] += mass[c];
    }
    largest = fmax(largest, most_mass(mdp, moved, left - 1));
  }
  return largest;
}

static void concentrability_agrees_with_trying_all_policies(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mdp mdp;
  mdp_init(&mdp, MDP_RING, TINY_CELLS, 0.05, 0.5, 0.0, 0, &arena);
  // an irregular graph: 0 -> 1, 2; 1 -> 1, 3; 2 -> 0, 3; 3 -> 2, 0
  const int next[] = {1, 2, 1, 3, 0, 3, 2, 0};
  for (int i = 0; i < 8; i++) {
    mdp.next[i] = next[i];
  }
  double mass[TINY_CELLS] = {0.25, 0.25, 0.25, 0.25};
  double sum = 0.0;
  double tail = 0.0;
  for (int m = 1; m < 20; m++) {
    double weight = 0.95 * 0.95 * m * pow(0.05, m - 1);
    if (m <= TINY_STEPS) {
      sum += weight * most_mass(&mdp, mass, m) / 0.25;
    } else {
      tail += weight * TINY_CELLS;
    }
  }
  double found = mdp_concentrability(&mdp, &arena);
  assert_true(tail < 2e-4);
  assert_true(found >= sum - 1e-14 && found <= sum + tail + 1e-12);
  arena_free(&arena);
}

static void functions_are_constant_on_plateaus(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int kind = 0; kind < KINDS; kind++) {
    Mdp mdp;
    init(&mdp, (MdpKind)kind, 0.9, &arena);
    Rng rng = rng_stream(1, 0, RNG_TEST, 0);
    for (int i = 0; i < 1000; i++) {
      int cell = (int)rng_below(&rng, mdp.cells);
      double offset[MDP_DIMS] = {rng_uniform(&rng), rng_uniform(&rng)};
      double at[MDP_DIMS] = {0};
      mdp_place(at, &mdp, cell, offset);
      // a plateau's edge may round into the gap: a relative 1e-16 of a cell, times the slope
      assert_close(mdp_value_at(&mdp, mdp.v_star, at), mdp.v_star[cell], 1e-12);
    }
  }
  arena_free(&arena);
}

static void functions_change_no_more_than_their_slope(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  for (int kind = 0; kind < KINDS; kind++) {
    Mdp mdp;
    init(&mdp, (MdpKind)kind, 0.9, &arena);
    double* value = ARENA_NEW(&arena, mdp.cells, double);
    Rng rng = rng_stream(2, 0, RNG_TEST, 0);
    for (int cell = 0; cell < mdp.cells; cell++) {
      value[cell] = rng_range(&rng, 0.0, mdp.v_max);
    }
    double slope = mdp_slope(&mdp, value);
    assert_true(slope <= mdp_lipschitz(&mdp));
    double steepest = 0.0;
    for (int i = 0; i < 20000; i++) {
      double from[MDP_DIMS] = {rng_range(&rng, -2.0, 3.0), rng_range(&rng, -2.0, 3.0)};
      double to[MDP_DIMS] = {from[0] + rng_range(&rng, -0.01, 0.01),
                             from[1] + rng_range(&rng, -0.01, 0.01)};
      double change = fabs(mdp_value_at(&mdp, value, to) - mdp_value_at(&mdp, value, from));
      double across = mdp.dims == 1 ? 0.0 : to[1] - from[1];
      double length = hypot(to[0] - from[0], across);
      assert_true(change <= slope * length + 1e-12);
      steepest = fmax(steepest, change / (length + 1e-12));
    }
    assert_true(steepest > 0.3 * slope);  // so the claim is not empty
  }
  arena_free(&arena);
}

static void circles_wrap_and_intervals_clip(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mdp mdp;
  init(&mdp, MDP_PENDULUM, 0.9, &arena);
  double inside[MDP_DIMS] = {1.0, 0.5 * mdp.width[1]};
  double around[MDP_DIMS] = {1.0 + 9 * mdp.width[0], -5.0};
  double expected = mdp_value_at(&mdp, mdp.v_star, inside);
  assert_close(mdp_value_at(&mdp, mdp.v_star, around), expected, 1e-12);
  double top[MDP_DIMS] = {1.0, 8.5 * mdp.width[1]};
  double above[MDP_DIMS] = {1.0, 100.0};
  expected = mdp_value_at(&mdp, mdp.v_star, top);
  assert_close(mdp_value_at(&mdp, mdp.v_star, above), expected, 1e-12);
  arena_free(&arena);
}

static void cell_power_agrees_with_quadrature(void** state) {
  (void)state;
  const double powers[] = {1.0, 2.0, 3.5};
  const double heights[] = {0.0, 0.02, -0.3, 1.0};
  for (int i = 0; i < 12; i++) {
    double p = powers[i % 3];
    double g = heights[i / 3];
    double sum = 0.0;
    for (int t = 0; t < 100000; t++) {
      sum += pow(fabs(g - 0.2 * ((t + 0.5) / 100000 - 0.5)), p) / 100000;
    }
    assert_close(mdp_cell_power(g, 0.2, p), sum, 1e-10);
  }
  assert_close(mdp_cell_power(-0.5, 0.0, 2.0), 0.25, 1e-16);
}

// A constant fits a slope w best in the middle: w / 4 in the 1-norm, w / sqrt(12) in the 2-norm.
static void inherent_bellman_error_is_known(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mdp mdp;
  init(&mdp, MDP_RING, 0.9, &arena);
  assert_close(mdp_bellman_error(&mdp, 1.0), 0.1 / 4.0, 1e-15);
  assert_close(mdp_bellman_error(&mdp, 2.0), 0.1 / sqrt(12.0), 1e-15);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_and_rewards_are_in_range),
      cmocka_unit_test(optimal_values_solve_the_bellman_equation),
      cmocka_unit_test(greedy_policy_of_the_optimal_values_attains_them),
      cmocka_unit_test(no_policy_loses_more_than_the_worst),
      cmocka_unit_test(ring_value_at_the_top_is_a_geometric_sum),
      cmocka_unit_test(concentrability_of_the_ring_is_known),
      cmocka_unit_test(concentrability_agrees_with_trying_all_policies),
      cmocka_unit_test(functions_are_constant_on_plateaus),
      cmocka_unit_test(functions_change_no_more_than_their_slope),
      cmocka_unit_test(circles_wrap_and_intervals_clip),
      cmocka_unit_test(cell_power_agrees_with_quadrature),
      cmocka_unit_test(inherent_bellman_error_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
