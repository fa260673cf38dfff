// Each flaw alone, and none in a sound epoch.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/health.h"

static const Health sound = {.model_error = 1, .mean_error = 2, .sac_updates = 5, .alpha = 0.1,
                             .alpha_limit = 1, .q_mean = -90, .q_limit = 100, .model_rows = 10,
                             .rollouts = 10, .action_range = 2};

static void expect(Health health, HealthFlaw only) {
  for (int f = 0; f < HEALTH_FLAWS; f++) {
    assert_int_equal(health_has(&health, (HealthFlaw)f), f == (int)only);
  }
}

static void each_flaw_is_found_alone(void** state) {
  (void)state;
  expect(sound, HEALTH_FLAWS);
  Health h = sound;
  h.model_error = 2;
  expect(h, HEALTH_USELESS_MODEL);
  h = sound;
  h.sac_updates = 0;
  h.alpha = h.q_mean = NAN;
  expect(h, HEALTH_NO_UPDATES);
  h = sound;
  h.action_range = 0;
  expect(h, HEALTH_NO_ACTION);
  h = sound;
  h.alpha = 1.5;
  expect(h, HEALTH_ALPHA_RUNS_AWAY);
  h = sound;
  h.q_mean = NAN;
  expect(h, HEALTH_Q_RUNS_AWAY);
  h = sound;
  h.model_rows = 9;
  expect(h, HEALTH_SMALL_MODEL_BUFFER);
  h = sound;
  h.model_rows = -1;
  h.model_error = h.mean_error = NAN;
  expect(h, HEALTH_FLAWS);
}

static void an_epoch_is_measured(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = small_experiment();
  HyperEpisode episode;
  small_episode(&episode, &x, 1000, &arena);
  Health h = health_of(&episode);
  assert_true(h.mean_error > 0 && isfinite(h.mean_error));
  assert_true(h.action_range == 4);
  assert_true(h.sac_updates > 0 && h.q_limit > fabs(h.q_mean) && h.alpha <= h.alpha_limit);
  hyper_episode_free(&episode);
  arena_free(&arena);
}

// Of a target in all real transitions: 0 is the reward, then come the changes of observations.
static double target(const Replay* r, int64_t i, int d) {
  const Real* row = replay_row(r, i);
  return d == 0 ? (double)transition_rew(&r->row, row)
                : (double)transition_next_obs(&r->row, row)[d - 1] -
                      (double)transition_obs(&r->row, row)[d - 1];
}

static void limits_are_of_what_the_run_has_seen(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = small_experiment();
  HyperEpisode episode;
  small_episode(&episode, &x, 1000, &arena);
  const Mbpo* m = &episode.mbpo;
  const MbpoEpoch* last = &episode.epoch[episode.epochs - 1];
  double n = (double)m->real.size, error = 0, largest = 0;
  int targets = m->real.row.obs_size + 1;
  for (int d = 0; d < targets; d++) {
    double sum = 0, square = 0;
    for (int64_t i = 0; i < m->real.size; i++) {
      double value = target(&m->real, i, d);
      sum += value;
      square += value * value;
      largest = d == 0 ? fmax(largest, fabs(value)) : largest;
    }
    error += (square / n - sum / n * (sum / n)) / targets;
  }
  Health h = health_of(&episode);
  double rewards = x.sac.reward_scale * largest / (1 - x.sac.discount);
  double alpha = isnan(x.sac.temperature) ? x.sac.initial_alpha : x.sac.temperature;
  double entropy = fmax(fabs(last->losses.entropy), log(2) * m->sac.act_size);
  // in another order of the sums
  assert_true(fabs(h.mean_error - error) < 1e-9 * error);
  assert_true(h.alpha_limit == fmax(alpha, rewards));
  double limit = 2 * (rewards + fmax(alpha, h.alpha) * entropy / (1 - x.sac.discount));
  assert_true(fabs(h.q_limit - limit) < 1e-12 * limit);
  assert_true(h.model_error == last->model_validation_loss && h.alpha == last->losses.alpha);
  assert_true(h.model_rows == last->model_rows && h.rollouts == m->options.rollouts);
  hyper_episode_free(&episode);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_flaw_is_found_alone),
      cmocka_unit_test(an_epoch_is_measured),
      cmocka_unit_test(limits_are_of_what_the_run_has_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
