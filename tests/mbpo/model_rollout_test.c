// What a rollout draws, and what it takes the mean of.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../dynamics/ensemble_fixture.h"
#include "mbpo/model_rollout.h"

#define COUNT 40
#define LENGTH 2

typedef struct {
  Fixture model;
  Sac sac;
  Imagined imagined;
} Rollout;

static void imagine(Rollout* r, RolloutMeans means) {
  EnsembleOptions options = small_options();
  options.max_epochs = 2;
  set_up(&r->model, &options);
  train(&r->model);
  Arena* arena = &r->model.arena;
  SacOptions sac = sac_default_options();
  sac.batch_size = sac.hidden_size = 16;
  sac_init(&r->sac, &sac, OBS, ACT, &r->model.rng, arena);
  imagined_init(&r->imagined, OBS, ACT, COUNT * LENGTH);
  model_rollout(&r->imagined, &r->model.replay, &r->sac, &r->model.ensemble, NULL, means, COUNT,
                LENGTH, &r->model.rng, rollout_scratch_new(OBS, ACT, arena));
  assert_int_equal(r->imagined.size, COUNT * LENGTH);
}

static void end(Rollout* r) {
  imagined_free(&r->imagined);
  tear_down(&r->model);
}

static double distance(const Real* a, const Real* b, int size) {
  double sum = 0;
  for (int i = 0; i < size; i++) {
    sum += fabs((double)(a[i] - b[i]));
  }
  return sum;
}

// Rows whose action is the policy's mean.
static int mean_actions(Rollout* r) {
  int count = 0;
  for (int i = 0; i < COUNT * LENGTH; i++) {
    ImaginedTransition t = imagined_transition(&r->imagined, i);
    Real mean[ACT];
    sac_act_mean(mean, &r->sac, t.obs, 1);
    count += distance(mean, t.act, ACT) < 1e-6;
  }
  return count;
}

// Rows that are what an elite predicts without noise, the mean (dynamics/ensemble_sample_test.c).
static int mean_predictions(Rollout* r) {
  static const Real noise[TARGET];
  int count = 0;
  for (int i = 0; i < COUNT * LENGTH; i++) {
    ImaginedTransition t = imagined_transition(&r->imagined, i);
    bool found = false;
    for (int e = 0; e < r->model.ensemble.options.elites; e++) {
      int32_t member = r->model.ensemble.elites[e];
      Real next_obs[OBS], rew;
      ensemble_sample(next_obs, &rew, &r->model.ensemble, t.obs, t.act, &member, noise, 1);
      found |= distance(next_obs, t.next_obs, OBS) < 1e-5 &&
               fabs((double)(rew - t.rew)) < 1e-5;
    }
    count += found;
  }
  return count;
}

static void only_what_is_asked_for_is_a_mean(void** state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    RolloutMeans means = {.actions = i & 1, .predictions = i & 2};
    static Rollout r;
    imagine(&r, means);
    assert_int_equal(mean_actions(&r), means.actions ? COUNT * LENGTH : 0);
    assert_int_equal(mean_predictions(&r), means.predictions ? COUNT * LENGTH : 0);
    end(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_is_asked_for_is_a_mean)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
