#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../count_allocations.h"
#include "ensemble_fixture.h"

static uint64_t checksum(Ensemble* ensemble) {
  Archive archive;
  archive_init_checksum(&archive);
  ensemble_visit(ensemble, &archive, "ensemble");
  return archive.checksum;
}

static void learns_a_linear_system(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.learning_rate = 3e-3;
  set_up(&f, &options);
  add_transitions(&f.replay, 4 * ROWS, &f.rng);
  EnsembleTraining training = train(&f);
  assert_false(training.diverged);
  // no model can do better than the noise, 0.0025
  double noise = NOISE_SD * NOISE_SD;
  assert_true(training.validation_loss > 0.8 * noise);
  assert_true(training.validation_loss < 1.4 * noise);

  // predictions without noise are close to the true mean
  enum { count = 100 };
  Real obs[count * OBS];
  Real act[count * ACT];
  Real next_obs[count * OBS];
  Real rew[count];
  Real noises[count * TARGET] = {0};
  int32_t member[count];
  double squares = 0;
  rng_fill_normal(obs, count * OBS, &f.rng);
  rng_fill_uniform(act, count * ACT, &f.rng);
  for (int b = 0; b < count; b++) {
    member[b] = f.ensemble.elites[0];
  }
  ensemble_sample(next_obs, rew, &f.ensemble, obs, act, member, noises, count);
  for (int b = 0; b < count; b++) {
    double target[TARGET];
    true_target(target, obs + b * OBS, act + b * ACT);
    squares += pow((double)rew[b] - target[0], 2);
    squares += pow((double)(next_obs[b * OBS + 1] - obs[b * OBS + 1]) - target[2], 2);
  }
  assert_true(squares / (2 * count) < noise);

  // and the predicted deviation is close to that of the noise
  for (int i = 0; i < count * TARGET; i++) {
    noises[i] = 1;
  }
  Real shifted_obs[count * OBS];
  Real shifted[count];
  ensemble_sample(shifted_obs, shifted, &f.ensemble, obs, act, member, noises, count);
  double deviation = 0;
  for (int b = 0; b < count; b++) {
    deviation += (double)(shifted[b] - rew[b]) / count;
  }
  assert_true(deviation > 0.6 * NOISE_SD && deviation < 1.6 * NOISE_SD);
  tear_down(&f);
}

// Reward that elite 0 predicts for one fixed row.
static Real predict_rew(Ensemble* ensemble) {
  Real obs[OBS] = {1, 2, 3};
  Real act[ACT] = {0.5, -1};
  Real noise[TARGET] = {1, 0, 0, 0};
  Real next_obs[OBS];
  Real rew;
  int32_t member = ensemble->elites[0];
  ensemble_sample(next_obs, &rew, ensemble, obs, act, &member, noise, 1);
  return rew;
}

static void resume_equals_uninterrupted(void** state) {
  (void)state;
  Fixture whole;
  Fixture resumed;
  EnsembleOptions options = small_options();
  options.max_epochs = 3;
  set_up(&whole, &options);
  set_up(&resumed, &options);
  train(&whole);
  copy_through_archive(&resumed, &whole);
  uint64_t before = checksum(&whole.ensemble);
  assert_true(checksum(&resumed.ensemble) == before);
  assert_true(predict_rew(&resumed.ensemble) == predict_rew(&whole.ensemble));
  EnsembleTraining one = train(&whole);
  EnsembleTraining other = train(&resumed);
  assert_true(checksum(&whole.ensemble) == checksum(&resumed.ensemble));
  assert_true(checksum(&whole.ensemble) != before);
  assert_true(one.validation_loss == other.validation_loss);
  tear_down(&whole);
  tear_down(&resumed);
}

static Real* stored_rew(Replay* replay, int row) {
  return &replay->rows[(row + 1) * replay->row.size - 3];
}

static Real* stored_obs(Replay* replay, int row) {
  return &replay->rows[row * replay->row.size];
}

// Early stopping compares errors with each other, never with a number of its own.
static void rewards_of_any_size_are_learnt(void** state) {
  (void)state;
  static const double sizes[] = {1e-6, 1, 1e6, 1e8};
  for (int i = 0; i < 4; i++) {
    Fixture f;
    EnsembleOptions options = small_options();
    options.max_epochs = 12;
    set_up(&f, &options);
    for (int row = 0; row < ROWS; row++) {
      *stored_rew(&f.replay, row) *= (Real)sizes[i];
    }
    size_t bytes = f.ensemble.net.size * sizeof(Real);
    Real* before = ARENA_NEW(&f.arena, f.ensemble.net.size, Real);
    memcpy(before, f.ensemble.params, bytes);
    EnsembleTraining training = train(&f);
    assert_false(training.diverged);
    for (int e = 0; e < options.members; e++) {
      size_t biases = mlp_biases(&f.ensemble.net, 0, e);
      assert_memory_not_equal(before + biases, f.ensemble.params + biases, sizeof(Real));
    }
    tear_down(&f);
  }
}

static void without_improvement_networks_return_but_bounds_stay_learnt(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.improvement = 1;  // an error cannot fall by more than itself
  options.patience = 3;
  set_up(&f, &options);
  size_t bytes = f.ensemble.net.size * sizeof(Real);
  Real* before = ARENA_NEW(&f.arena, f.ensemble.net.size, Real);
  memcpy(before, f.ensemble.params, bytes);
  Real max_before = ensemble_max_logvar(&f.ensemble)[0];
  EnsembleTraining training = train(&f);
  assert_int_equal(training.epochs, 4);
  assert_memory_equal(before, f.ensemble.params, bytes);
  assert_true(ensemble_max_logvar(&f.ensemble)[0] != max_before);
  assert_int_equal(f.ensemble.adam.steps, training.steps);
  tear_down(&f);
}

static void an_epoch_uses_every_bootstrap_row_and_the_partial_batch(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&f, &options);
  EnsembleTraining training = train(&f);
  // 300 rows, 60 held out, 240 = 3 * 64 + 48
  assert_int_equal(training.epochs, 2);
  assert_int_equal(training.steps, 2 * 4);
  options.holdout_limit = 10;
  tear_down(&f);
  set_up(&f, &options);
  training = train(&f);
  // 290 = 4 * 64 + 34
  assert_int_equal(training.steps, 2 * 5);
  tear_down(&f);
}

// The order in which a training will shuffle the rows: its first `held` rows are held out.
static void predict_order(int32_t* order, const Fixture* f) {
  Rng rng = f->rng;
  for (int i = 0; i < ROWS; i++) {
    order[i] = i;
  }
  rng_shuffle(order, ROWS, &rng);
}

static void holdout_rows_are_never_trained_on(void** state) {
  (void)state;
  EnsembleOptions options = small_options();
  options.max_epochs = 1;
  uint64_t sums[3];
  double errors[3];
  for (int variant = 0; variant < 3; variant++) {
    Fixture f;
    set_up(&f, &options);
    int32_t order[ROWS];
    predict_order(order, &f);
    // variant 1 changes a hold-out row, variant 2 all rows of the train split
    static const int first[3] = {0, 0, 60};
    static const int last[3] = {0, 1, ROWS};
    for (int i = first[variant]; i < last[variant]; i++) {
      *stored_obs(&f.replay, order[i]) += 1;  // would also move the scaler
      *stored_rew(&f.replay, order[i]) += 1;
    }
    EnsembleTraining training = train(&f);
    sums[variant] = hash_bytes(HASH_START, f.ensemble.params, f.ensemble.net.size * sizeof(Real));
    errors[variant] = training.holdout_error[0];
    tear_down(&f);
  }
  assert_true(sums[0] == sums[1]);
  assert_true(errors[0] != errors[1]);
  assert_true(sums[0] != sums[2]);
}

static void a_training_draws_split_bootstrap_and_one_shuffle_a_member_and_epoch(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&f, &options);
  int32_t rows[ROWS];
  predict_order(rows, &f);
  Rng rng = f.rng;
  train(&f);
  rng_shuffle(rows, ROWS, &rng);
  for (int e = 0; e < options.members; e++) {
    rng_fill_below(rows, 240, 240, &rng);
  }
  for (int i = 0; i < 2 * options.members; i++) {
    rng_shuffle(rows, 240, &rng);
  }
  assert_int_equal(rng.block, f.rng.block);
  assert_int_equal(rng_bits(&rng), rng_bits(&f.rng));
  tear_down(&f);
}

static void elites_are_the_members_with_the_lowest_holdout_error(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 5;
  set_up(&f, &options);
  EnsembleTraining training = train(&f);
  const int* ranked = f.ensemble.elites;
  int seen = 0;
  for (int i = 0; i < options.members; i++) {
    seen |= 1 << ranked[i];
    if (i > 0) {
      assert_true(training.holdout_error[ranked[i - 1]] <= training.holdout_error[ranked[i]]);
    }
  }
  assert_int_equal(seen, 15);
  double mean = (training.holdout_error[ranked[0]] + training.holdout_error[ranked[1]]) / 2;
  assert_true(fabs(training.validation_loss - mean) < 1e-12);
  tear_down(&f);
}

static void members_differ_by_initialisation_and_bootstrap(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 1;
  set_up(&f, &options);
  // the same initial weights for members 0 and 1: only the bootstrap can tell them apart
  Mlp* net = &f.ensemble.net;
  for (int l = 0; l < net->layers; l++) {
    size_t weights = (size_t)net->width[l] * (size_t)net->width[l + 1];
    Real* first = f.ensemble.params + net->weights[l];
    memcpy(first + weights, first, weights * sizeof(Real));
  }
  EnsembleTraining training = train(&f);
  assert_true(training.holdout_error[0] != training.holdout_error[1]);
  assert_true(training.holdout_error[2] != training.holdout_error[3]);
  tear_down(&f);
}

static void a_loss_that_is_not_finite_is_reported_and_leaves_finite_parameters(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  set_up(&f, &options);
  for (int i = 0; i < ROWS / 2; i++) {
    *stored_rew(&f.replay, i) = (Real)NAN;
  }
  EnsembleTraining training = train(&f);
  assert_true(training.diverged);
  for (size_t p = 0; p < f.ensemble.adam.size; p++) {
    assert_true(isfinite(f.ensemble.params[p]));
  }
  tear_down(&f);
}

static void two_transitions_are_enough(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&f, &options);
  replay_set_capacity(&f.replay, 2);
  EnsembleTraining training = train(&f);
  assert_false(training.diverged);
  assert_int_equal(training.steps, 2);
  assert_true(isfinite(training.validation_loss));
  tear_down(&f);
}

static void trainings_and_samples_allocate_nothing(void** state) {
  (void)state;
  if (!COUNTS_ALLOCATIONS) {
    skip();
  }
  enum { count = 600 };
  static Real obs[count * OBS];
  static Real act[count * ACT];
  static Real rew[count];
  static Real noise[count * TARGET];
  static int32_t member[count];
  Fixture f;
  EnsembleOptions options = small_options();
  options.hidden_size = 200;  // kernels, and whether they allocate, depend on the sizes
  options.hidden_layers = 4;
  options.batch_size = 256;
  options.max_epochs = 2;
  set_up(&f, &options);
  train(&f);
  ensemble_sample(obs, rew, &f.ensemble, obs, act, member, noise, count);
  long before = allocations;
  size_t bytes = arena_bytes(&f.arena);
  add_transitions(&f.replay, ROWS, &f.rng);
  train(&f);
  ensemble_sample(obs, rew, &f.ensemble, obs, act, member, noise, count);
  assert_int_equal(allocations, before);
  assert_int_equal(arena_bytes(&f.arena), bytes);
  tear_down(&f);
}

static void load_refuses_an_elite_that_is_no_member(void** state) {
  (void)state;
  Fixture f;
  EnsembleOptions options = small_options();
  set_up(&f, &options);
  f.ensemble.elites[1] = 4;
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  ensemble_visit(&f.ensemble, &archive, "ensemble");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  ensemble_visit(&f.ensemble, &archive, "ensemble");
  assert_true(archive.failed);
  archive_memory_free(&memory);
  tear_down(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(learns_a_linear_system),
      cmocka_unit_test(resume_equals_uninterrupted),
      cmocka_unit_test(rewards_of_any_size_are_learnt),
      cmocka_unit_test(without_improvement_networks_return_but_bounds_stay_learnt),
      cmocka_unit_test(an_epoch_uses_every_bootstrap_row_and_the_partial_batch),
      cmocka_unit_test(holdout_rows_are_never_trained_on),
      cmocka_unit_test(a_training_draws_split_bootstrap_and_one_shuffle_a_member_and_epoch),
      cmocka_unit_test(elites_are_the_members_with_the_lowest_holdout_error),
      cmocka_unit_test(members_differ_by_initialisation_and_bootstrap),
      cmocka_unit_test(a_loss_that_is_not_finite_is_reported_and_leaves_finite_parameters),
      cmocka_unit_test(two_transitions_are_enough),
      cmocka_unit_test(trainings_and_samples_allocate_nothing),
      cmocka_unit_test(load_refuses_an_elite_that_is_no_member),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
