#include "sac/sac.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../count_allocations.h"
#include "nn/gemm.h"

#define OBS 4
#define ACT 2
#define BATCH 32
#define MANY 700
#define BANDIT_BATCH 64
#define BANDIT_UPDATES 3000

static SacOptions small_options(void) {
  SacOptions options = sac_default_options();
  options.batch_size = BATCH;
  options.hidden_size = 16;
  options.target_entropy = -2;
  return options;
}

typedef struct {
  Arena arena;
  Rng rng;
  Sac sac;
  Batch batch;
  Real* noise;       // (MANY, ACT)
  Real* next_noise;  // (MANY, ACT)
} Fixture;

static void draw_batch(Fixture* f) {
  rng_fill_normal(f->batch.obs, f->batch.size * OBS, &f->rng);
  rng_fill_normal(f->batch.next_obs, f->batch.size * OBS, &f->rng);
  rng_fill_normal(f->batch.rew, f->batch.size, &f->rng);
  rng_fill_normal(f->noise, f->batch.size * ACT, &f->rng);
  rng_fill_normal(f->next_noise, f->batch.size * ACT, &f->rng);
  for (int i = 0; i < f->batch.size * ACT; i++) {
    f->batch.act[i] = (Real)rng_range(&f->rng, -1, 1);
  }
  for (int b = 0; b < f->batch.size; b++) {
    f->batch.terminated[b] = (Real)(b % 5 == 0);
  }
}

static void set_up(Fixture* f, int batch_size) {
  gemm_init();
  arena_init(&f->arena);
  f->rng = rng_stream(11, 0, RNG_TEST, 0);
  SacOptions options = small_options();
  sac_init(&f->sac, &options, OBS, ACT, &f->rng, &f->arena);
  batch_init(&f->batch, batch_size, OBS, ACT, &f->arena);
  f->noise = ARENA_NEW(&f->arena, MANY * ACT, Real);
  f->next_noise = ARENA_NEW(&f->arena, MANY * ACT, Real);
  draw_batch(f);
}

static void tear_down(Fixture* f) { arena_free(&f->arena); }

static void run_updates(Fixture* f, int count) {
  for (int i = 0; i < count; i++) {
    SacLosses losses;
    draw_batch(f);
    sac_update(&losses, &f->sac, &f->batch, f->noise, f->next_noise);
  }
}

static uint64_t checksum(Sac* sac) {
  Archive archive;
  archive_init_checksum(&archive);
  sac_visit(sac, &archive, "sac");
  return archive.checksum;
}

static void resume_equals_uninterrupted(void** state) {
  (void)state;
  Fixture whole;
  Fixture resumed;
  set_up(&whole, BATCH);
  set_up(&resumed, BATCH);
  run_updates(&whole, 3);
  Archive archive;
  ArchiveMemory memory = {0};
  archive_init_memory(&archive, ARCHIVE_SAVE, &memory);
  sac_visit(&whole.sac, &archive, "sac");
  rng_visit(&whole.rng, &archive, "rng");
  archive_init_memory(&archive, ARCHIVE_LOAD, &memory);
  sac_visit(&resumed.sac, &archive, "sac");
  rng_visit(&resumed.rng, &archive, "rng");
  assert_false(archive.failed);
  assert_true(checksum(&whole.sac) == checksum(&resumed.sac));
  uint64_t before = checksum(&whole.sac);
  run_updates(&whole, 4);
  run_updates(&resumed, 4);
  assert_true(checksum(&whole.sac) == checksum(&resumed.sac));
  assert_true(checksum(&whole.sac) != before);
  archive_memory_free(&memory);
  tear_down(&whole);
  tear_down(&resumed);
}

static void a_fixed_temperature_stays_what_it_is(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, BATCH);
  SacOptions options = small_options();
  options.temperature = 0.2;
  sac_init(&f.sac, &options, OBS, ACT, &f.rng, &f.arena);
  run_updates(&f, 3);
  SacLosses losses;
  sac_update(&losses, &f.sac, &f.batch, f.noise, f.next_noise);
  assert_true(fabs(losses.alpha - 0.2) < 1e-7 && losses.alpha_loss == 0);
  assert_true(f.sac.log_alpha == (Real)log(0.2));
  tear_down(&f);
}

// Sizes of Hopper: which kernels a product takes, and whether they allocate, depends on its shape.
static void updates_allocate_nothing(void** state) {
  (void)state;
  if (!COUNTS_ALLOCATIONS) {
    skip();
  }
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(13, 0, RNG_TEST, 0);
  SacOptions options = small_options();
  options.batch_size = 256;
  options.hidden_size = 256;
  Sac sac;
  sac_init(&sac, &options, 11, 3, &rng, &arena);
  Batch batch;
  batch_init(&batch, 256, 11, 3, &arena);
  Real* noise = ARENA_NEW(&arena, 256 * 3, Real);
  SacLosses losses;
  sac_update(&losses, &sac, &batch, noise, noise);
  sac_act(batch.act, NULL, &sac, batch.obs, noise, 1);
  long before = allocations;
  size_t bytes = arena_bytes(&arena);
  for (int i = 0; i < 3; i++) {
    sac_update(&losses, &sac, &batch, noise, noise);
    sac_act(batch.act, NULL, &sac, batch.obs, noise, 1);
    sac_act(batch.act, batch.rew, &sac, batch.obs, noise, 256);
    sac_critic_loss(&sac, &batch, noise);
  }
  assert_int_equal(allocations, before);
  assert_int_equal(arena_bytes(&arena), bytes);
  arena_free(&arena);
  assert_true(before > 0);
}

static void targets_move_by_the_rate_towards_new_critics(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, BATCH);
  run_updates(&f, 3);
  size_t size = f.sac.critic_net.size;
  Real* old = ARENA_NEW(&f.arena, size, Real);
  memcpy(old, f.sac.targets, size * sizeof(Real));
  run_updates(&f, 1);
  for (size_t p = 0; p < size; p++) {
    double expected = (double)old[p] + 0.005 * ((double)f.sac.critics[p] - (double)old[p]);
    // one rounding of numbers below 1
    assert_true(fabs((double)f.sac.targets[p] - expected) < 2e-7);
  }
  tear_down(&f);
}

static void next_state_of_terminated_rows_has_no_effect(void** state) {
  (void)state;
  Fixture f;
  Fixture other;
  set_up(&f, BATCH);
  set_up(&other, BATCH);
  for (int b = 0; b < BATCH; b++) {
    for (int o = 0; o < OBS && f.batch.terminated[b] > 0; o++) {
      other.batch.next_obs[b * OBS + o] += 1;
    }
  }
  SacLosses losses;
  sac_update(&losses, &f.sac, &f.batch, f.noise, f.next_noise);
  sac_update(&losses, &other.sac, &other.batch, other.noise, other.next_noise);
  assert_true(checksum(&f.sac) == checksum(&other.sac));
  // and that of the other rows does
  other.batch.next_obs[1 * OBS] += 1;
  sac_update(&losses, &f.sac, &f.batch, f.noise, f.next_noise);
  sac_update(&losses, &other.sac, &other.batch, other.noise, other.next_noise);
  assert_true(checksum(&f.sac) != checksum(&other.sac));
  tear_down(&f);
  tear_down(&other);
}

static void critic_loss_of_any_size_is_the_mean_of_its_parts(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, MANY);
  double whole = sac_critic_loss(&f.sac, &f.batch, f.next_noise);
  double sum = 0;
  for (int first = 0; first < MANY; first += 100) {
    Batch part = f.batch;
    part.size = 100;
    part.obs += first * OBS;
    part.act += first * ACT;
    part.next_obs += first * OBS;
    part.rew += first;
    part.terminated += first;
    sum += 100 * sac_critic_loss(&f.sac, &part, f.next_noise + first * ACT);
  }
  // rows do not depend on their batch: only the order of the double sum differs
  assert_true(fabs(whole - sum / MANY) < 1e-12 * whole);
  tear_down(&f);
}

static void critic_loss_is_that_of_the_update(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, BATCH);
  double loss = sac_critic_loss(&f.sac, &f.batch, f.next_noise);
  SacLosses losses;
  sac_update(&losses, &f.sac, &f.batch, f.noise, f.next_noise);
  assert_true(fabs(loss - losses.critic_loss) < 1e-5 * loss);
  tear_down(&f);
}

static void actions_of_a_row_do_not_depend_on_the_other_rows(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, MANY);
  Real* act = ARENA_NEW(&f.arena, MANY * ACT, Real);
  Real* logp = ARENA_NEW(&f.arena, MANY, Real);
  Real* mean = ARENA_NEW(&f.arena, MANY * ACT, Real);
  sac_act(act, logp, &f.sac, f.batch.obs, f.noise, MANY);
  sac_act_mean(mean, &f.sac, f.batch.obs, MANY);
  for (int b = 0; b < MANY; b += 23) {
    Real one[ACT];
    Real one_logp;
    sac_act(one, &one_logp, &f.sac, f.batch.obs + b * OBS, f.noise + b * ACT, 1);
    assert_memory_equal(one, act + b * ACT, sizeof one);
    assert_true(one_logp == logp[b]);
    sac_act_mean(one, &f.sac, f.batch.obs + b * OBS, 1);
    assert_memory_equal(one, mean + b * ACT, sizeof one);
  }
  tear_down(&f);
}

static void zero_noise_gives_the_mean_action(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, MANY);
  Real* act = ARENA_NEW(&f.arena, MANY * ACT, Real);
  Real* mean = ARENA_NEW(&f.arena, MANY * ACT, Real);
  memset(f.noise, 0, MANY * ACT * sizeof(Real));
  sac_act(act, NULL, &f.sac, f.batch.obs, f.noise, MANY);
  sac_act_mean(mean, &f.sac, f.batch.obs, MANY);
  for (int i = 0; i < MANY * ACT; i++) {
    assert_true(fabs((double)act[i] - (double)mean[i]) < 1e-6);
  }
  tear_down(&f);
}

static void logp_of_drawn_actions_is_the_logp_of_the_draw(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, MANY);
  Real* act = ARENA_NEW(&f.arena, MANY * ACT, Real);
  Real* drawn = ARENA_NEW(&f.arena, MANY, Real);
  Real* given = ARENA_NEW(&f.arena, MANY, Real);
  sac_act(act, drawn, &f.sac, f.batch.obs, f.noise, MANY);
  sac_logp(given, &f.sac, f.batch.obs, act, MANY);
  int compared = 0;
  for (int b = 0; b < MANY; b++) {
    // near +-1 the inverse of tanh magnifies float's rounding
    if (fabs((double)act[b * ACT]) < 0.95 && fabs((double)act[b * ACT + 1]) < 0.95) {
      assert_true(fabs((double)drawn[b] - (double)given[b]) < 1e-4);
      compared++;
    }
  }
  assert_true(compared > MANY / 4);
  tear_down(&f);
}

static void a_nan_or_infinite_parameter_is_noticed(void** state) {
  (void)state;
  Fixture f;
  set_up(&f, BATCH);
  assert_true(sac_is_finite(&f.sac));
  f.sac.targets[f.sac.critic_net.size - 1] = (Real)INFINITY;
  assert_false(sac_is_finite(&f.sac));
  f.sac.targets[f.sac.critic_net.size - 1] = 0;
  f.sac.policy[0] = (Real)NAN;
  assert_false(sac_is_finite(&f.sac));
  f.sac.policy[0] = 0;
  f.sac.log_alpha = (Real)NAN;
  assert_false(sac_is_finite(&f.sac));
  tear_down(&f);
}

// One-step episodes with reward -4 (act - best(obs))^2, actions drawn uniformly.
static void draw_bandit_batch(Batch* batch, Rng* rng) {
  for (int b = 0; b < batch->size; b++) {
    Real obs = (Real)rng_range(rng, -1, 1);
    Real act = (Real)rng_range(rng, -1, 1);
    Real error = act - (Real)0.6 * obs;
    batch->obs[b] = obs;
    batch->act[b] = act;
    batch->next_obs[b] = obs;
    batch->rew[b] = -4 * error * error;
    batch->terminated[b] = 1;
  }
}

static void learns_the_best_arm_of_a_bandit(void** state) {
  (void)state;
  gemm_init();
  Arena arena;
  arena_init(&arena);
  Rng rng = rng_stream(12, 0, RNG_TEST, 0);
  SacOptions options = small_options();
  options.batch_size = BANDIT_BATCH;
  options.hidden_size = 32;
  options.learning_rate = 3e-3;
  options.target_entropy = -1.5;
  Sac sac;
  sac_init(&sac, &options, 1, 1, &rng, &arena);
  Batch batch;
  batch_init(&batch, BANDIT_BATCH, 1, 1, &arena);
  Real noise[BANDIT_BATCH];
  Real next_noise[BANDIT_BATCH];
  SacLosses losses;
  for (int i = 0; i < BANDIT_UPDATES; i++) {
    draw_bandit_batch(&batch, &rng);
    rng_fill_normal(noise, BANDIT_BATCH, &rng);
    rng_fill_normal(next_noise, BANDIT_BATCH, &rng);
    sac_update(&losses, &sac, &batch, noise, next_noise);
  }
  for (int i = -4; i <= 4; i++) {
    Real obs = (Real)i / 5;
    Real act;
    sac_act_mean(&act, &sac, &obs, 1);
    // the exact optimum is 0.6 obs; what is left is the critics' error
    assert_true(fabs((double)act - 0.6 * (double)obs) < 0.1);
  }
  // the temperature steers the entropy to its target
  assert_true(fabs(losses.entropy - options.target_entropy) < 0.5);
  assert_true(losses.alpha < 0.5);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fixed_temperature_stays_what_it_is),
      cmocka_unit_test(resume_equals_uninterrupted),
      cmocka_unit_test(updates_allocate_nothing),
      cmocka_unit_test(targets_move_by_the_rate_towards_new_critics),
      cmocka_unit_test(next_state_of_terminated_rows_has_no_effect),
      cmocka_unit_test(critic_loss_of_any_size_is_the_mean_of_its_parts),
      cmocka_unit_test(critic_loss_is_that_of_the_update),
      cmocka_unit_test(actions_of_a_row_do_not_depend_on_the_other_rows),
      cmocka_unit_test(zero_noise_gives_the_mean_action),
      cmocka_unit_test(logp_of_drawn_actions_is_the_logp_of_the_draw),
      cmocka_unit_test(a_nan_or_infinite_parameter_is_noticed),
      cmocka_unit_test(learns_the_best_arm_of_a_bandit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
