// The null test of a scheduler that learns: where there is nothing to learn, nothing may be learnt.
//
// Every choice earns the same, so that no head may drift beyond what the sampling of its choices
// explains, wherever a value stands: in its range, at its upper or at its lower bound. A rule that
// lets a choice decide whether it counts fails by a wide margin, which the last case shows.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/ppo.h"

#define DECISIONS 1000
#define REPETITIONS 40

typedef enum { INSIDE, AT_MAX, AT_MIN, PLACES } Place;

static const HyperOptions hyper = {
    .schedule_train_model = true, .schedule_real_ratio = true,
    .schedule_policy_updates = true, .schedule_rollout_length = true,
    .real_ratio_factor = 1.2, .real_ratio_min = 0.01, .real_ratio_max = 1,
    .policy_updates_min = 1, .policy_updates_max = 20,
    .rollout_length_min = 1, .rollout_length_max = 15};

static PpoOptions null_options(const char* ratio, const char* at_bounds) {
  PpoOptions o = {.episodes_per_update = 1, .stages = {1, {2}}, .minibatches = 200,
                  .minibatch_size = 64, .clip = 0.2, .learning_rate = 1e-3, .hidden_size = 16};
  strcpy(o.ratio, ratio);
  strcpy(o.at_bounds, at_bounds);
  return o;
}

// A run whose hyperparameters stand at `place`; without networks, which actions do not touch.
static Mbpo run_at(Place place) {
  const double ratio[PLACES] = {0.3, 1, 0.01};
  const int updates[PLACES] = {10, 20, 1}, length[PLACES] = {5, 15, 1};
  return (Mbpo){.scheduled = {true, true, true, true},
                .real_ratio = ratio[place],
                .policy_updates = updates[place],
                .rollout_length = length[place]};
}

static HyperState state_at(Place place, const PpoOptions* o) {
  HyperState state = {.scaled = {0.5, 0.3, 0.3, 0.3, 0.5}};
  Mbpo run = run_at(place);
  state.scaled[FEATURE_REAL_RATIO] = run.real_ratio;
  state.scaled[FEATURE_POLICY_UPDATES] = run.policy_updates / 20.0;
  state.scaled[FEATURE_ROLLOUT_LENGTH] = run.rollout_length / 15.0;
  hyper_allowed(state.allowed, &run, &hyper, strcmp(o->at_bounds, "mask") == 0);
  return state;
}

static void probabilities(double p[HEAD_COUNT][HEAD_MAX_CHOICES], Controller* c,
                          const HyperState* state) {
  Real states[FEATURE_COUNT], inputs[FEATURE_COUNT], logp[HEAD_MAX_CHOICES];
  for (int f = 0; f < FEATURE_COUNT; f++) {
    states[f] = (Real)state->scaled[f];
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    controller_head_logp(logp, c, (HyperHead)h, c->heads[h].params, states, state->allowed, 1,
                         inputs);
    for (int i = 0; i < head_choices((HyperHead)h); i++) {
      p[h][i] = exp((double)logp[i]);
    }
  }
}

// What is wrong with a rule, for the test to see: it leaves out choices that had no effect.
typedef enum { ALL_COUNT, ONLY_EFFECTIVE_COUNT } Rule;

// The decisions of a hyper-episode at `place`, as its sealed file tells them.
static Trajectory record(Controller* c, const HyperState* state, Place place, Rule rule,
                         double advantage, double noise, Rng* rng, Arena* arena) {
  Trajectory t = {.decisions = DECISIONS};
  t.state = ARENA_NEW(arena, DECISIONS * FEATURE_COUNT, double);
  t.allowed = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, uint8_t);
  t.action = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, int8_t);
  t.logp = ARENA_NEW(arena, DECISIONS * HEAD_COUNT, double);
  t.advantage = ARENA_NEW(arena, DECISIONS, double);
  for (int n = 0; n < DECISIONS; n++) {
    HyperAction action;
    bool effective[HEAD_COUNT];
    Mbpo run = run_at(place);
    controller_act(&action, c, state, 0, false, rng);
    memcpy(t.state + n * FEATURE_COUNT, state->scaled, sizeof state->scaled);
    memcpy(t.allowed + n * HEAD_COUNT, state->allowed, sizeof state->allowed);
    memcpy(t.action + n * HEAD_COUNT, action.choice, sizeof action.choice);
    memcpy(t.logp + n * HEAD_COUNT, action.logp, sizeof action.logp);
    t.advantage[n] = advantage + noise * rng_normal(rng);
    action.choice[HEAD_TRAIN_MODEL] = 0;  // there is no model to train
    hyper_apply(effective, &run, &hyper, &action);
    for (int h = 0; h < HEAD_COUNT; h++) {
      if (rule == ONLY_EFFECTIVE_COUNT && !effective[h]) {
        t.action[n * HEAD_COUNT + h] = ACTION_NONE;
      }
    }
  }
  return t;
}

typedef struct {
  double mean;
  double error;  // standard error of the mean
} Drift;

static Drift drift_of(const double* samples) {
  double sum = 0, squares = 0;
  for (int r = 0; r < REPETITIONS; r++) {
    sum += samples[r];
    squares += samples[r] * samples[r];
  }
  double mean = sum / REPETITIONS;
  return (Drift){mean, sqrt((squares / REPETITIONS - mean * mean) / (REPETITIONS - 1))};
}

// Change of every probability by one update of a fresh controller.
static void update_once(double change[HEAD_COUNT][HEAD_MAX_CHOICES], const PpoOptions* o,
                        Place place, Rule rule, double advantage, double noise, int repetition) {
  Arena arena;
  arena_init(&arena);
  HyperState state = state_at(place, o);
  Controller c;
  ControllerShape shape = {.groups = "", .hidden_size = o->hidden_size, .max_stages = 1,
                           .learning_rate = o->learning_rate, .max_batch = o->minibatch_size};
  Error error;
  uint64_t seed = (uint64_t)repetition;
  assert_true(controller_init(&c, &hyper, &shape, seed, &arena, &error));
  Rng rng = rng_stream(seed, place, RNG_TEST, 0);
  double before[HEAD_COUNT][HEAD_MAX_CHOICES];
  probabilities(before, &c, &state);
  Trajectory t = record(&c, &state, place, rule, advantage, noise, &rng, &arena);
  PpoData data;
  ppo_data_collect(&data, &t, 1, &arena);
  StageResult result = {.score = 0};
  ppo_update(&c, o, &data, &result, seed, &arena);
  probabilities(change, &c, &state);
  for (int h = 0; h < HEAD_COUNT; h++) {
    for (int i = 0; i < head_choices((HyperHead)h); i++) {
      change[h][i] -= before[h][i];
    }
  }
  arena_free(&arena);
}

static void measure(Drift drift[HEAD_COUNT][HEAD_MAX_CHOICES], const PpoOptions* o, Place place,
                    Rule rule, double advantage, double noise) {
  double samples[HEAD_COUNT][HEAD_MAX_CHOICES][REPETITIONS];
  for (int r = 0; r < REPETITIONS; r++) {
    double change[HEAD_COUNT][HEAD_MAX_CHOICES];
    update_once(change, o, place, rule, advantage, noise, r);
    for (int h = 0; h < HEAD_COUNT; h++) {
      for (int i = 0; i < head_choices((HyperHead)h); i++) {
        samples[h][i][r] = change[h][i];
      }
    }
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    for (int i = 0; i < head_choices((HyperHead)h); i++) {
      drift[h][i] = drift_of(samples[h][i]);
    }
  }
}

// Within five standard errors, which must be small enough to see a drift of 0.1.
static void assert_no_drift(const PpoOptions* o, Place place, double advantage, double noise) {
  Drift drift[HEAD_COUNT][HEAD_MAX_CHOICES];
  measure(drift, o, place, ALL_COUNT, advantage, noise);
  for (int h = 0; h < HEAD_COUNT; h++) {
    for (int i = 0; i < head_choices((HyperHead)h); i++) {
      assert_true(drift[h][i].error < 0.02);
      assert_true(fabs(drift[h][i].mean) <= 5 * drift[h][i].error);
    }
  }
}

static void no_head_drifts_when_every_choice_earns_the_same(void** state) {
  (void)state;
  const char* const ratios[] = {"joint", "head"};
  const char* const at_bounds[] = {"credit", "mask"};
  for (int i = 0; i < 4; i++) {
    PpoOptions o = null_options(ratios[i % 2], at_bounds[i / 2]);
    for (int place = INSIDE; place < PLACES; place++) {
      assert_no_drift(&o, (Place)place, 3, 0);
      assert_no_drift(&o, (Place)place, -3, 0);
      assert_no_drift(&o, (Place)place, 0, 1);
    }
  }
}

static void masked_choices_have_no_probability_and_are_never_drawn(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  PpoOptions o = null_options("joint", "mask");
  HyperState at_max = state_at(AT_MAX, &o);
  Controller c;
  ControllerShape shape = {.groups = "", .hidden_size = 16, .learning_rate = 1e-3,
                           .max_batch = 64, .max_stages = 1};
  Error error;
  assert_true(controller_init(&c, &hyper, &shape, 1, &arena, &error));
  double p[HEAD_COUNT][HEAD_MAX_CHOICES];
  probabilities(p, &c, &at_max);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  for (int h = HEAD_REAL_RATIO; h < HEAD_COUNT; h++) {
    assert_true(p[h][2] == 0);
    assert_true(fabs(p[h][0] + p[h][1] - 1) < 1e-6);
  }
  for (int n = 0; n < 1000; n++) {
    HyperAction action;
    controller_act(&action, &c, &at_max, 0.5, false, &rng);
    for (int h = HEAD_REAL_RATIO; h < HEAD_COUNT; h++) {
      assert_true(action.choice[h] < 2);
      double mixed = 0.5 * p[h][action.choice[h]] + 0.25;
      assert_true(fabs(exp(action.logp[h]) - mixed) < 1e-6);
    }
  }
  arena_free(&arena);
}

static void a_rule_that_leaves_choices_out_is_seen(void** state) {
  (void)state;
  PpoOptions o = null_options("head", "credit");
  Drift drift[HEAD_COUNT][HEAD_MAX_CHOICES];
  measure(drift, &o, AT_MAX, ONLY_EFFECTIVE_COUNT, 3, 0);
  assert_true(drift[HEAD_POLICY_UPDATES][2].mean < -0.1);
  measure(drift, &o, AT_MAX, ONLY_EFFECTIVE_COUNT, -3, 0);
  assert_true(drift[HEAD_POLICY_UPDATES][2].mean > 0.1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_head_drifts_when_every_choice_earns_the_same),
      cmocka_unit_test(masked_choices_have_no_probability_and_are_never_drawn),
      cmocka_unit_test(a_rule_that_leaves_choices_out_is_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
