// What the features of the state are measured on: each worked out again by its definition.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/hyper_mdp.h"

static RunSpec spec;
static Arena arena;

// At the first decision of epoch `epoch`.
static void open_epoch(HyperEpisode* h, int epoch) {
  arena_init(&arena);
  spec = small_experiment();
  small_episode(h, &spec, 0, &arena);
  while (!(h->awaiting && h->mbpo.epoch == epoch && h->mbpo.step == 0)) {
    if (hyper_episode_advance(h) == HYPER_DECISION && h->mbpo.epoch < epoch) {
      hyper_episode_act(h, &(HyperAction){.choice = {1, 2, 2, 2}});
    }
  }
}

static void close_episode(HyperEpisode* h) {
  hyper_episode_free(h);
  arena_free(&arena);
}

static double cut_density(double logp) { return exp(fmax(-100, fmin(100, logp))); }

// Mean over the newest real samples.
static double policy_change(Mbpo* m, int rows) {
  double sum = 0;
  for (int i = 0; i < rows; i++) {
    const Real* row = replay_row(&m->real, m->real.size - rows + i);
    Real logp;
    sac_logp(&logp, &m->sac, transition_obs(&m->real.row, row), transition_act(&m->real.row, row),
             1);
    double old = cut_density((double)transition_logp(&m->real.row, row));
    sum += fmin(100, fabs(cut_density((double)logp) - old));
  }
  return sum / rows;
}

static void policy_change_is_of_the_newest_real_samples(void** state) {
  (void)state;
  HyperEpisode h;
  open_epoch(&h, 1);
  double expected = policy_change(&h.mbpo, spec.hyper.policy_change_rows);
  assert_true(expected > 0);
  // one row at a time rounds otherwise than all at once
  assert_true(fabs(h.state.raw[FEATURE_POLICY_CHANGE] - expected) < 1e-4 * expected);
  close_episode(&h);
}

static void it_is_of_all_where_there_are_few_and_kept_within_an_epoch(void** state) {
  (void)state;
  HyperEpisode h;
  HyperState s;
  double kept = 7;
  open_epoch(&h, 0);
  Mbpo* m = &h.mbpo;
  HyperOptions o = spec.hyper;
  o.policy_change_rows = 1000;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  hyper_state(&s, m, &o, &kept, &rng);
  double expected = policy_change(m, (int)m->real.size);
  assert_true(fabs(kept - expected) < 1e-4 * expected);
  kept = 7;
  m->step = 1;
  hyper_state(&s, m, &o, &kept, &rng);
  assert_true(s.raw[FEATURE_POLICY_CHANGE] == 7);
  close_episode(&h);
}

// Loss of `count` fresh transitions, times their number.
static double critic_loss(Mbpo* m, bool imagined, int count, Rng* rng) {
  Batch batch;
  Real noise[64];
  batch_init(&batch, count, m->sac.obs_size, m->sac.act_size, &arena);
  if (imagined) {
    imagined_sample(&batch, 0, count, &m->imagined, rng);
  } else {
    replay_sample(&batch, 0, count, &m->real, rng);
  }
  rng_fill_normal(noise, (int64_t)count * m->sac.act_size, rng);
  return count * sac_critic_loss(&m->sac, &batch, noise);
}

static void critic_loss_is_of_a_batch_in_the_current_ratio(void** state) {
  (void)state;
  HyperEpisode h;
  HyperState s;
  double kept = 0;
  open_epoch(&h, 1);
  Mbpo* m = &h.mbpo;
  assert_true(m->imagined.size > 0);
  m->real_ratio = 0.25;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0), again = rng;
  hyper_state(&s, m, &spec.hyper, &kept, &rng);
  double expected = critic_loss(m, false, 5, &again);
  expected += critic_loss(m, true, 15, &again);
  assert_true(s.raw[FEATURE_CRITIC_LOSS] == expected / 20);
  close_episode(&h);
}

static void critic_loss_is_of_real_samples_before_there_are_others(void** state) {
  (void)state;
  HyperEpisode h;
  HyperState s;
  double kept = 0;
  open_epoch(&h, 0);
  assert_int_equal(h.mbpo.imagined.size, 0);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0), again = rng;
  hyper_state(&s, &h.mbpo, &spec.hyper, &kept, &rng);
  double expected = critic_loss(&h.mbpo, false, spec.sac.batch_size, &again);
  assert_true(s.raw[FEATURE_CRITIC_LOSS] == expected / spec.sac.batch_size);
  close_episode(&h);
}

static void the_others_are_what_mbpo_has(void** state) {
  (void)state;
  HyperEpisode h;
  HyperState s;
  double kept = 0;
  open_epoch(&h, 1);
  Mbpo* m = &h.mbpo;
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  m->validation_loss = 0.125;
  m->eval_mean = -300;
  m->real_ratio = 0.75;
  m->policy_updates = 2;
  m->rollout_length = 3;
  hyper_state(&s, m, &spec.hyper, &kept, &rng);
  assert_true(s.raw[FEATURE_PROGRESS] == 0.5);
  assert_true(s.raw[FEATURE_MODEL_LOSS] == 0.125 && s.raw[FEATURE_EVAL_RETURN] == -300);
  assert_true(s.raw[FEATURE_REAL_RATIO] == 0.75 && s.raw[FEATURE_POLICY_UPDATES] == 2);
  assert_true(s.raw[FEATURE_ROLLOUT_LENGTH] == 3);
  m->validation_loss = NAN;
  hyper_state(&s, m, &spec.hyper, &kept, &rng);
  assert_true(s.raw[FEATURE_MODEL_LOSS] == 0);
  close_episode(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(policy_change_is_of_the_newest_real_samples),
      cmocka_unit_test(it_is_of_all_where_there_are_few_and_kept_within_an_epoch),
      cmocka_unit_test(critic_loss_is_of_a_batch_in_the_current_ratio),
      cmocka_unit_test(critic_loss_is_of_real_samples_before_there_are_others),
      cmocka_unit_test(the_others_are_what_mbpo_has),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
