// The rules of population-based training, against cases worked out by hand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/population.h"

#define MOST 16

static const PbtOptions plain = {.members = 11, .truncation = 0.2, .perturbation = 0.2,
                                 .resample = 0.25, .frequencies = {1, {1}}};

static Arena arena;

static int set_up(void** state) {
  (void)state;
  arena_init(&arena);
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  arena_free(&arena);
  return 0;
}

static void evolve(Member* next, const Member* now, const double* scores, int round,
                   const PbtOptions* o, uint64_t seed) {
  Error error;
  assert_true(population_evolve(next, now, scores, round, o, seed, &arena, &error));
}

static bool same_point(const Member* a, const Member* b) {
  return memcmp(&a->point, &b->point, sizeof a->point) == 0;
}

// Of 10 others a member must be among the best 8; what is not copies one of the best 2.
static void the_worst_copy_the_best(void** state) {
  (void)state;
  const double scores[] = {5, 90, 10, 30, 2, 40, 80, 20, 1, 60, 50};
  Member now[MOST], next[MOST];
  int copied[MOST] = {0};
  population_begin(now, &plain, 7);
  for (int seed = 0; seed < 50; seed++) {
    evolve(next, now, scores, 3, &plain, (uint64_t)seed);
    for (int i = 0; i < plain.members; i++) {
      bool loses = i == 0 || i == 4 || i == 8;  // 5, 2 and 1: places 8, 9 and 10
      assert_true(loses ? next[i].parent == 1 || next[i].parent == 6 : next[i].parent == i);
      assert_true(loses || same_point(&next[i], &now[i]));
      copied[next[i].parent] += loses;
    }
  }
  assert_true(copied[1] > 50 && copied[6] > 50);  // 75 each are expected of 150, sd 6
}

// Two members: the one must be the better (1 of 1), and the other copies it.
static void nobody_copies_where_no_share_is_replaced(void** state) {
  (void)state;
  const double scores[MOST] = {5, 90, 10, 30, 2, 40, 80, 20, 1, 60, 50};
  PbtOptions o = plain;
  Member now[MOST], next[MOST];
  o.truncation = 0;
  population_begin(now, &o, 7);
  evolve(next, now, scores, 3, &o, 1);
  for (int i = 0; i < o.members; i++) {
    assert_true(next[i].parent == i && same_point(&next[i], &now[i]));
  }
}

static void two_members_are_a_population(void** state) {
  (void)state;
  PbtOptions o = plain;
  o.members = 2;
  Member now[2], next[2];
  population_begin(now, &o, 0);
  evolve(next, now, (double[]){1, 2}, 0, &o, 0);
  assert_int_equal(next[0].parent, 1);
  assert_int_equal(next[1].parent, 1);
  evolve(next, now, (double[]){2, 2}, 0, &o, 0);  // equal: the first is the better
  assert_int_equal(next[0].parent, 0);
  assert_int_equal(next[1].parent, 0);
}

static void whoever_copies_draws_from_a_stream_of_its_own(void** state) {
  (void)state;
  PbtOptions o = plain;
  o.truncation = 0.1;
  Member now[MOST], next[MOST];
  population_begin(now, &o, 1);
  for (int loser = 0; loser < o.members; loser++) {
    double scores[MOST] = {0}, first = -1;
    int others = 0;
    scores[loser] = -1;
    for (int seed = 0; seed < 30; seed++) {
      evolve(next, now, scores, 0, &o, (uint64_t)seed);
      assert_true(next[loser].parent != loser);
      first = seed == 0 ? next[loser].point.place[0] : first;
      others += next[loser].point.place[0] != first;
    }
    assert_true(others > 0);
  }
}

static void a_copy_explores_around_its_parent(void** state) {
  (void)state;
  const double scores[] = {100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  PbtOptions o = plain;
  o.truncation = 0.1;  // one is copied, so the parent is known
  Member now[MOST], next[MOST];
  int anew = 0, up = 0;
  population_begin(now, &o, 1);
  now[0].point = (SearchPoint){{0.5, 0.9, 0, 1}};
  for (int seed = 0; seed < 400; seed++) {
    evolve(next, now, scores, 0, &o, (uint64_t)seed);
    const double* place = next[1].point.place;
    assert_int_equal(next[1].parent, 0);
    if (place[0] != 0.5 * 0.8 && place[0] != 0.5 * 1.2) {
      anew++;
      continue;
    }
    up += place[0] > 0.5;
    assert_true(place[1] == 0.9 * 0.8 || place[1] == 1);  // 1.08 is cut
    assert_true(place[2] == 0);
    assert_true(place[3] == 0.8 || place[3] == 1);
  }
  assert_true(anew > 70 && anew < 130);  // 100 are expected, sd 8.7
  assert_true(up > 110 && up < 190);     // half of 300, sd 8.7
}

static void nobody_goes_on_from_one_that_diverged(void** state) {
  (void)state;
  double scores[11];
  Member now[MOST], next[MOST];
  population_begin(now, &plain, 2);
  for (int i = 0; i < 11; i++) {
    scores[i] = i == 4 ? 3 : i == 9 ? 1 : NAN;
  }
  for (int seed = 0; seed < 50; seed++) {
    evolve(next, now, scores, 0, &plain, (uint64_t)seed);
    for (int i = 0; i < 11; i++) {
      assert_true(next[i].parent == 4 || next[i].parent == 9);
    }
    assert_int_equal(next[9].parent, 9);
  }
  Error error;
  scores[4] = scores[9] = NAN;
  assert_false(population_evolve(next, now, scores, 5, &plain, 0, &arena, &error));
  assert_non_null(strstr(error.text, "all 11 members of round 5 diverged"));
}

// Parts of 4: members 0 to 3 evolve every round, 4 to 7 every other. All rankings by hand.
static const PbtOptions two_parts = {.members = 8, .perturbation = 0.2, .resample = 0,
                                     .frequencies = {2, {1, 2}}};

static void only_the_part_whose_time_it_is_evolves(void** state) {
  (void)state;
  // part 0, best first: 1 (70), 0 (40), 3 (20), 2 (10); the others, best first: 6 (60), 4, 7, 5
  const double scores[] = {40, 70, 10, 20, 50, 15, 60, 30};
  Member now[MOST], next[MOST];
  population_begin(now, &two_parts, 3);
  evolve(next, now, scores, 0, &two_parts, 0);
  const int parents[] = {0, 1, 1, 6, 4, 5, 6, 7};
  for (int i = 0; i < 8; i++) {
    assert_int_equal(next[i].parent, parents[i]);
    assert_true(i == 2 || i == 3 || same_point(&next[i], &now[i]));
  }
  assert_true(next[2].point.place[0] == now[1].point.place[0] * 0.8 ||
              next[2].point.place[0] == fmin(1, now[1].point.place[0] * 1.2));
  // from a slower part: with its hyperparameters, as they are
  assert_true(same_point(&next[3], &now[6]));
}

static void what_comes_from_a_faster_part_is_taught_by_the_own_best(void** state) {
  (void)state;
  // part 1, best first: 6 (60), 4 (50), 7 (30), 5 (15); the best of the others: 1 (70)
  const double scores[] = {40, 70, 10, 20, 50, 15, 60, 30};
  Member now[MOST], next[MOST];
  population_begin(now, &two_parts, 3);
  evolve(next, now, scores, 1, &two_parts, 0);
  assert_int_equal(next[7].parent, 1);
  assert_true(same_point(&next[7], &now[6]));
  assert_int_equal(next[5].parent, 6);
  // nobody comes who is not better
  const double good[] = {1, 2, 3, 4, 50, 15, 60, 30};
  evolve(next, now, good, 1, &two_parts, 0);
  assert_int_equal(next[7].parent, 7);
  assert_true(same_point(&next[7], &now[7]));
}

static void what_comes_from_a_part_as_fast_keeps_the_hyperparameters_of_its_place(void** state) {
  (void)state;
  const double scores[] = {40, 70, 10, 20, 50, 15, 60, 30};
  PbtOptions o = two_parts;
  o.frequencies.value[1] = 1;
  Member now[MOST], next[MOST];
  population_begin(now, &o, 3);
  evolve(next, now, scores, 0, &o, 0);
  assert_int_equal(next[3].parent, 6);
  assert_true(same_point(&next[3], &now[3]));
  assert_int_equal(next[7].parent, 1);
  assert_true(same_point(&next[7], &now[7]));
}

static void a_part_that_waits_still_replaces_what_diverged(void** state) {
  (void)state;
  const double scores[] = {40, 70, 10, 20, 50, NAN, 60, 30};
  Member now[MOST], next[MOST];
  population_begin(now, &two_parts, 3);
  evolve(next, now, scores, 0, &two_parts, 0);
  assert_int_equal(next[5].parent, 6);
}

static void the_next_round_is_a_function_of_seed_and_round(void** state) {
  (void)state;
  const double scores[] = {5, 90, 10, 30, 2, 40, 80, 20, 1, 60, 50};
  Member now[MOST], a[MOST], b[MOST];
  population_begin(now, &plain, 7);
  evolve(a, now, scores, 3, &plain, 1);
  evolve(b, now, scores, 3, &plain, 1);
  for (int i = 0; i < plain.members; i++) {
    assert_int_equal(a[i].parent, b[i].parent);
    assert_true(same_point(&a[i], &b[i]));
  }
  evolve(b, now, scores, 4, &plain, 1);
  assert_false(same_point(&a[4], &b[4]));
}

// Mean and standard error over seeds of the mean place of a head after some rounds, with scores that
// are noise and, so much of them, the place itself.
static void place_after_rounds(double* mean, double* error, HyperHead head, double worth,
                               const PbtOptions* o) {
  enum { SEEDS = 400, ROUNDS = 12 };
  double sum = 0, squares = 0;
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    Member now[MOST], next[MOST];
    Rng noise = rng_stream(seed, 4, RNG_TEST, 0);
    population_begin(now, o, seed);
    for (int round = 0; round < ROUNDS; round++) {
      double scores[MOST];
      for (int i = 0; i < o->members; i++) {
        scores[i] = rng_normal(&noise) + worth * now[i].point.place[head];
      }
      evolve(next, now, scores, round, o, seed);
      memcpy(now, next, sizeof now);
    }
    double place = 0;
    for (int i = 0; i < o->members; i++) {
      place += now[i].point.place[head] / o->members;
    }
    sum += place;
    squares += place * place;
  }
  *mean = sum / SEEDS;
  *error = sqrt((squares / SEEDS - *mean * *mean) / (SEEDS - 1));
}

// Noise alone: selection prefers no place beyond what chance explains. (Without perturbation, which
// drifts by itself: D24 of docs/algorithms.md.) Where a place is worth something, it is found.
static void no_place_is_preferred_where_nothing_is_to_be_learnt(void** state) {
  (void)state;
  PbtOptions kinds[] = {plain, plain};
  kinds[1].members = 8;
  kinds[1].frequencies = (OptionList){2, {1, 4}};
  for (int kind = 0; kind < 2; kind++) {
    kinds[kind].perturbation = 0;
    for (HyperHead h = 0; h < HEAD_COUNT; h++) {
      double mean, error;
      place_after_rounds(&mean, &error, h, 0, &kinds[kind]);
      assert_true(error < 0.02);
      assert_true(fabs(mean - 0.5) <= 4 * error);
      place_after_rounds(&mean, &error, h, 3, &kinds[kind]);
      assert_true(mean - 0.5 > 8 * error);
    }
  }
}

static void each_number_has_an_equal_share_of_the_places(void** state) {
  (void)state;
  const SearchOptions s = {.train_every_max = 4};
  const HyperOptions o = {.real_ratio_min = 0.2, .real_ratio_max = 0.6, .policy_updates_min = 1,
                          .policy_updates_max = 20, .rollout_length_min = 1,
                          .rollout_length_max = 3};
  SearchPoint point = {{0.25, 0.5, 0.999, 1}};
  assert_true(search_value(&point, HEAD_TRAIN_MODEL, &s, &o) == 2);
  assert_true(search_value(&point, HEAD_REAL_RATIO, &s, &o) == 0.2 + 0.5 * (0.6 - 0.2));
  assert_true(search_value(&point, HEAD_POLICY_UPDATES, &s, &o) == 20);
  assert_true(search_value(&point, HEAD_ROLLOUT_LENGTH, &s, &o) == 3);
  HyperState all = {.allowed = {3, 7, 7, 0}};
  for (int decision = 0; decision < 5; decision++) {
    HyperAction action;
    hyper_action_none(&action);
    search_decide(&action, &point, decision, &all, &s, &o);
    assert_true(action.value[HEAD_TRAIN_MODEL] == (decision % 2 == 0));
    assert_false(action.sets[HEAD_ROLLOUT_LENGTH]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_worst_copy_the_best),
      cmocka_unit_test(nobody_copies_where_no_share_is_replaced),
      cmocka_unit_test(two_members_are_a_population),
      cmocka_unit_test(whoever_copies_draws_from_a_stream_of_its_own),
      cmocka_unit_test(a_copy_explores_around_its_parent),
      cmocka_unit_test(nobody_goes_on_from_one_that_diverged),
      cmocka_unit_test(only_the_part_whose_time_it_is_evolves),
      cmocka_unit_test(what_comes_from_a_faster_part_is_taught_by_the_own_best),
      cmocka_unit_test(what_comes_from_a_part_as_fast_keeps_the_hyperparameters_of_its_place),
      cmocka_unit_test(a_part_that_waits_still_replaces_what_diverged),
      cmocka_unit_test(the_next_round_is_a_function_of_seed_and_round),
      cmocka_unit_test(no_place_is_preferred_where_nothing_is_to_be_learnt),
      cmocka_unit_test(each_number_has_an_equal_share_of_the_places),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
