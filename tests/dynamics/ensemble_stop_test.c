#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../count_allocations.h"
#include "ensemble_fixture.h"

#define MEMBERS 4
#define BATCH 64

static EnsembleOptions alone_options(void) {
  EnsembleOptions options = small_options();
  strcpy(options.stop, "alone");
  options.patience = 0;
  return options;
}

static uint64_t checksum(Fixture* f) {
  Archive archive;
  archive_init_checksum(&archive);
  ensemble_visit(&f->ensemble, &archive, "ensemble");
  rng_visit(&f->rng, &archive, "rng");
  return archive.checksum;
}

// Hash of the part of `numbers`, an array of the networks' shape, that belongs to member e.
static uint64_t hash_member(const Mlp* net, const Real* numbers, int e) {
  uint64_t hash = HASH_START;
  for (int l = 0; l < net->layers; l++) {
    hash = hash_bytes(hash, numbers + mlp_weights(net, l, e),
                      mlp_weights_count(net, l) * sizeof(Real));
    hash = hash_bytes(hash, numbers + mlp_biases(net, l, e),
                      (size_t)net->width[l + 1] * sizeof(Real));
  }
  return hash;
}

// Hash of all that a gradient step changes of member e.
static uint64_t hash_state(const Ensemble* ensemble, int e) {
  return hash_member(&ensemble->net, ensemble->params, e) ^
         hash_member(&ensemble->net, ensemble->adam.first, e) * 3 ^
         hash_member(&ensemble->net, ensemble->adam.second, e) * 5;
}

static void fill_batch(Real* in, Real* target, Rng* rng) {
  rng_fill_normal(in, MEMBERS * BATCH * (OBS + ACT), rng);
  rng_fill_normal(target, MEMBERS * BATCH * TARGET, rng);
}

static void a_member_that_stopped_keeps_weights_and_moments(void** state) {
  (void)state;
  static const bool active[MEMBERS] = {true, false, true, false};
  static Real in[MEMBERS * BATCH * (OBS + ACT)];
  static Real target[MEMBERS * BATCH * TARGET];
  Fixture all;
  Fixture some;
  EnsembleOptions options = small_options();
  set_up(&all, &options);
  set_up(&some, &options);
  fill_batch(in, target, &all.rng);
  ensemble_step(&all.ensemble, in, target, BATCH);
  ensemble_step(&some.ensemble, in, target, BATCH);
  uint64_t before[MEMBERS];
  for (int e = 0; e < MEMBERS; e++) {
    before[e] = hash_state(&some.ensemble, e);
    assert_true(before[e] == hash_state(&all.ensemble, e));
  }
  Real bound = ensemble_max_logvar(&some.ensemble)[0];

  fill_batch(in, target, &all.rng);
  ensemble_step(&all.ensemble, in, target, BATCH);
  target[BATCH * TARGET] = (Real)NAN;  // of member 1, whose rows nobody may read
  double loss = ensemble_step_active(&some.ensemble, active, in, target, BATCH);
  assert_true(isfinite(loss));
  for (int e = 0; e < MEMBERS; e++) {
    uint64_t now = hash_state(&some.ensemble, e);
    assert_true(now == (active[e] ? hash_state(&all.ensemble, e) : before[e]));
    assert_true((now == before[e]) == !active[e]);
  }
  assert_true(ensemble_max_logvar(&some.ensemble)[0] != bound);
  tear_down(&all);
  tear_down(&some);
}

// Trains for at most `epochs` epochs from the beginning.
static EnsembleTraining train_for(int epochs, EnsembleOptions options, uint64_t* sum) {
  Fixture f;
  options.max_epochs = epochs;
  set_up(&f, &options);
  EnsembleTraining training = train(&f);
  *sum = checksum(&f);
  tear_down(&f);
  return training;
}

static void a_member_that_stopped_alone_never_comes_back(void** state) {
  (void)state;
  enum { batches = 4 };  // of 240 rows: 3 * 64 + 48
  int64_t before = 0;
  int64_t active = MEMBERS;
  uint64_t sum;
  int partial = 0;
  EnsembleTraining training = {0};
  EnsembleTraining whole = train_for(0, alone_options(), &sum);
  for (int epochs = 1; epochs <= whole.epochs; epochs++) {
    training = train_for(epochs, alone_options(), &sum);
    int64_t steps = training.member_steps - before;
    assert_int_equal(training.epochs, epochs);
    assert_int_equal(training.steps, epochs * batches);
    assert_int_equal(steps % batches, 0);
    assert_true(steps > 0 && steps / batches <= active);
    active = steps / batches;
    partial += active < MEMBERS;
    before = training.member_steps;
  }
  // otherwise the loop has shown nothing
  assert_true(partial > 0);
  assert_int_equal(training.member_steps, whole.member_steps);
  for (int e = 0; e < MEMBERS; e++) {
    assert_true(training.holdout_error[e] == whole.holdout_error[e]);
  }
}

static void as_published_one_member_keeps_all_going(void** state) {
  (void)state;
  EnsembleOptions together = alone_options();
  strcpy(together.stop, "together");
  uint64_t sum;
  EnsembleTraining published = train_for(0, together, &sum);
  EnsembleTraining alone = train_for(0, alone_options(), &sum);
  assert_int_equal(published.member_steps, MEMBERS * published.steps);
  assert_true(alone.member_steps < MEMBERS * alone.steps);
  assert_true(alone.member_steps < published.member_steps);
}

static void while_nobody_stops_both_ways_are_the_same(void** state) {
  (void)state;
  EnsembleOptions together = small_options();
  EnsembleOptions alone = small_options();
  strcpy(alone.stop, "alone");
  uint64_t sums[2];
  train_for(together.patience + 1, together, &sums[0]);
  train_for(together.patience + 1, alone, &sums[1]);
  assert_true(sums[0] == sums[1]);
}

static void resume_equals_uninterrupted(void** state) {
  (void)state;
  Fixture whole;
  Fixture resumed;
  EnsembleOptions options = alone_options();
  set_up(&whole, &options);
  set_up(&resumed, &options);
  EnsembleTraining first = train(&whole);
  assert_true(first.member_steps < MEMBERS * first.steps);
  copy_through_archive(&resumed, &whole);
  train(&whole);
  train(&resumed);
  assert_true(checksum(&whole) == checksum(&resumed));
  tear_down(&whole);
  tear_down(&resumed);
}

static void stopping_alone_allocates_nothing(void** state) {
  (void)state;
  if (!COUNTS_ALLOCATIONS) {
    skip();
  }
  Fixture f;
  EnsembleOptions options = alone_options();
  set_up(&f, &options);
  train(&f);
  long before = allocations;
  EnsembleTraining training = train(&f);
  assert_true(training.member_steps < MEMBERS * training.steps);
  assert_int_equal(allocations, before);
  tear_down(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_member_that_stopped_keeps_weights_and_moments),
      cmocka_unit_test(a_member_that_stopped_alone_never_comes_back),
      cmocka_unit_test(as_published_one_member_keeps_all_going),
      cmocka_unit_test(while_nobody_stops_both_ways_are_the_same),
      cmocka_unit_test(resume_equals_uninterrupted),
      cmocka_unit_test(stopping_alone_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
