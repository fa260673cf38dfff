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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_flaw_is_found_alone),
      cmocka_unit_test(an_epoch_is_measured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
