// The controller on synthetic hyper-MDPs, and the properties of its update.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hyper/ppo.h"

#define DECISIONS 12
#define EPISODES 40
#define ROWS (DECISIONS * EPISODES)

static HyperOptions all_heads(void) {
  return (HyperOptions){.schedule_train_model = true,
                        .schedule_real_ratio = true,
                        .schedule_policy_updates = true,
                        .schedule_rollout_length = true};
}

static PpoOptions small_options(void) {
  return (PpoOptions){.episodes_per_update = EPISODES,
                      .stages = {1, {60}},
                      .minibatches = 100,
                      .minibatch_size = 64,
                      .clip = 0.2,
                      .learning_rate = 1e-3,
                      .hidden_size = 32,
                      .exploration_stages = 5};
}

static void make_controller(Controller* c, const PpoOptions* o, Arena* arena) {
  HyperOptions hyper = all_heads();
  ControllerShape shape = {.groups = o->groups,
                           .hidden_size = o->hidden_size,
                           .learning_rate = o->learning_rate,
                           .max_batch = o->minibatch_size,
                           .max_stages = ppo_total_stages(o)};
  Error error;
  assert_true(controller_init(c, &hyper, &shape, 1, arena, &error));
}

// A hyper-MDP with a known optimum: train in the first half and skip in the second; double beta
// twice, from 1/8 to 1/2, then keep it; raise k from 1 to 3, then keep it; any G is as good.
typedef struct {
  double log2_ratio;
  int length;
} Synthetic;

static double distance(double from) { return fmin(1, fabs(from) / 2); }

static double synthetic_step(Synthetic* s, const HyperAction* action, int t) {
  s->log2_ratio += action->choice[HEAD_REAL_RATIO] - 1;
  s->length += action->choice[HEAD_ROLLOUT_LENGTH] - 1;
  double train = action->choice[HEAD_TRAIN_MODEL] == (t < DECISIONS / 2) ? 1 : 0;
  return train - distance(s->log2_ratio + 1) - distance(s->length - 3.0);
}

// Two steps up cost 1/2 for each of beta and k.
static const double optimum = DECISIONS - 0.5 - 0.5;

// What a uniform policy earns a decision, roughly: the baseline.
static const double baseline = 0.5 - 0.8 - 0.8;

static void observe(HyperState* state, const Synthetic* s, int t) {
  *state = (HyperState){.allowed = {3, 7, 7, 7}};
  state->scaled[FEATURE_PROGRESS] = (double)t / DECISIONS;
  state->scaled[FEATURE_REAL_RATIO] = fmax(-1, fmin(1, (s->log2_ratio + 4) / 4));
  state->scaled[FEATURE_ROLLOUT_LENGTH] = fmax(-1, fmin(1, s->length / 8.0));
}

// One episode into rows first ... of data; the reward-to-go relative to the baseline. Returns the
// episode's return.
static double synthetic_episode(PpoData* data, int first, Controller* c, double exploration,
                                Rng* rng) {
  Synthetic s = {.log2_ratio = -3, .length = 1};
  double rewards[DECISIONS], total = 0, to_go = 0;
  for (int t = 0; t < DECISIONS; t++) {
    HyperState state;
    HyperAction action;
    int n = first + t;
    observe(&state, &s, t);
    controller_act(&action, c, &state, exploration, false, rng);
    rewards[t] = synthetic_step(&s, &action, t);
    total += rewards[t];
    for (int f = 0; f < FEATURE_COUNT; f++) {
      data->states[n * FEATURE_COUNT + f] = (Real)state.scaled[f];
    }
    for (int h = 0; h < HEAD_COUNT; h++) {
      data->choices[n * HEAD_COUNT + h] = action.choice[h];
      data->allowed[n * HEAD_COUNT + h] = state.allowed[h];
      data->logp[n * HEAD_COUNT + h] = action.logp[h];
    }
  }
  for (int t = DECISIONS - 1; t >= 0; t--) {
    to_go += rewards[t] - baseline;
    data->advantage[first + t] = to_go / DECISIONS;
  }
  return total;
}

static double train_synthetic(Controller* c, const PpoOptions* o, Arena* arena) {
  PpoData data;
  ppo_data_init(&data, ROWS, arena);
  double mean = 0;
  for (int stage = 0; stage < ppo_total_stages(o); stage++) {
    mean = 0;
    for (int e = 0; e < EPISODES; e++) {
      Rng rng = rng_stream(3, stage * EPISODES + e, RNG_DECISION, 0);
      mean += synthetic_episode(&data, e * DECISIONS, c, ppo_exploration(o, c->version), &rng);
    }
    StageResult result = {.stage = stage, .score = mean / EPISODES};
    ppo_update(c, o, &data, &result, 3, arena);
  }
  return mean / EPISODES;
}

static void controller_reaches_the_optimum_of_a_synthetic_hyper_mdp(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  o.stages.value[0] = 200;
  o.exploration_start = 0.5;
  o.exploration_stages = 100;
  make_controller(&c, &o, &arena);
  train_synthetic(&c, &o, &arena);
  double first = c.stage[0].score;
  // a uniform policy earns about -12; the mean of a stage of samples must come within one lost
  // decision in four hyper-episodes of the optimum
  assert_true(first < -8);
  assert_true(c.best_score >= optimum - 0.25);
  arena_free(&arena);
}

static void groups_learn_in_turn_and_freeze_at_their_best(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c, before;
  PpoOptions o = small_options();
  strcpy(o.groups, "train_model+real_ratio,policy_updates,rollout_length");
  o.stages = (OptionList){3, {2, 1, 1}};
  o.minibatches = 5;
  make_controller(&c, &o, &arena);
  make_controller(&before, &o, &arena);
  assert_true(controller_schedules(&c, HEAD_REAL_RATIO));
  assert_false(controller_schedules(&c, HEAD_POLICY_UPDATES));
  train_synthetic(&c, &o, &arena);
  assert_int_equal(c.version, 4);
  const ControllerHead* frozen = &c.heads[HEAD_REAL_RATIO];
  assert_memory_equal(frozen->params, frozen->best, frozen->net.size * sizeof(Real));
  // the last group learnt only in the last stage
  assert_int_equal(c.heads[HEAD_ROLLOUT_LENGTH].adam.steps, 5);
  assert_int_equal(frozen->adam.steps, 10);
  arena_free(&arena);
}

static void a_group_begins_without_a_best_unless_it_has_no_stage(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  strcpy(o.groups, "train_model,real_ratio,policy_updates+rollout_length");
  o.stages = (OptionList){3, {1, 1, 0}};
  make_controller(&c, &o, &arena);
  PpoData none;
  ppo_data_init(&none, 0, &arena);
  ppo_update(&c, &o, &none, &(StageResult){.score = 5}, 1, &arena);
  assert_true(c.active_group == 1 && c.best_version == -1 && c.best_score == -INFINITY);
  ppo_update(&c, &o, &none, &(StageResult){.score = 3}, 1, &arena);
  assert_true(c.active_group == 1 && c.best_version == 1 && c.best_score == 3);
  arena_free(&arena);
}

static void a_head_that_is_not_asked_does_not_learn(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c, before;
  PpoOptions o = small_options();
  make_controller(&c, &o, &arena);
  make_controller(&before, &o, &arena);
  PpoData data;
  ppo_data_init(&data, ROWS, &arena);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  for (int e = 0; e < EPISODES; e++) {
    synthetic_episode(&data, e * DECISIONS, &c, 0, &rng);
  }
  for (int n = 0; n < ROWS; n++) {
    data.choices[n * HEAD_COUNT + HEAD_ROLLOUT_LENGTH] = ACTION_NONE;
    data.allowed[n * HEAD_COUNT + HEAD_ROLLOUT_LENGTH] = 0;
  }
  StageResult result = {.score = 1};
  ppo_update(&c, &o, &data, &result, 1, &arena);
  const ControllerHead* masked = &c.heads[HEAD_ROLLOUT_LENGTH];
  assert_memory_equal(masked->params, before.heads[HEAD_ROLLOUT_LENGTH].params,
                      masked->net.size * sizeof(Real));
  const ControllerHead* counted = &c.heads[HEAD_REAL_RATIO];
  assert_memory_not_equal(counted->params, before.heads[HEAD_REAL_RATIO].params,
                          counted->net.size * sizeof(Real));
  arena_free(&arena);
}

static void a_stage_that_only_diverged_is_never_the_best(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  make_controller(&c, &o, &arena);
  PpoData none;
  ppo_data_init(&none, 0, &arena);
  static const StageResult stages[] = {
      {.score = 9, .episodes = 2, .diverged = 2},
      {.score = 1, .episodes = 2, .diverged = 1},
      {.score = 8, .episodes = 2, .diverged = 2},
      {.score = 2, .episodes = 2},
  };
  static const int best[] = {-1, 1, 1, 3};
  for (int i = 0; i < 4; i++) {
    StageResult result = stages[i];
    ppo_update(&c, &o, &none, &result, 1, &arena);
    assert_int_equal(c.best_version, best[i]);
  }
  assert_true(c.best_score == 2);
  arena_free(&arena);
}

// As the release does: while the second group learns, the frozen first one is explored as well, by
// a draw of its own.
static void exploration_reaches_frozen_groups_too(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  strcpy(o.groups, "train_model,policy_updates,real_ratio+rollout_length");
  o.stages = (OptionList){3, {1, 1, 1}};
  make_controller(&c, &o, &arena);
  c.active_group = 1;
  HyperState hyper_state = {.allowed = {3, 7, 7, 7}};
  const double exploration = 0.5;
  const int draws = 4000;
  int both[2][2] = {{0}};
  Real certain = 100;
  c.heads[HEAD_TRAIN_MODEL].params[c.heads[HEAD_TRAIN_MODEL].net.size - 1] = certain;
  for (int i = 0; i < draws; i++) {
    HyperAction action;
    Rng rng = rng_stream(5, i, RNG_DECISION, 0);
    controller_act(&action, &c, &hyper_state, exploration, false, &rng);
    assert_int_equal(action.choice[HEAD_REAL_RATIO], ACTION_NONE);
    both[action.choice[HEAD_TRAIN_MODEL]][action.explored]++;
  }
  // the frozen head always trains, but for half of its explorations, whatever the other group does
  for (int explored = 0; explored < 2; explored++) {
    double skips = (double)both[0][explored] / (both[0][explored] + both[1][explored]);
    assert_true(fabs(skips - exploration / 2) < 0.05);
  }
  arena_free(&arena);
}

static void weights_start_as_each_group_is_told(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  HyperOptions hyper = all_heads();
  ControllerShape shape = {.groups = "train_model+real_ratio,policy_updates+rollout_length",
                           .hidden_size = 200, .learning_rate = 1e-3, .max_batch = 4,
                           .max_stages = 1, .init_sd = {2, {0.04, 0}}};
  Error error;
  assert_true(controller_init(&c, &hyper, &shape, 1, &arena, &error));
  const ControllerHead* normal = &c.heads[HEAD_REAL_RATIO];
  const ControllerHead* glorot = &c.heads[HEAD_ROLLOUT_LENGTH];
  double squares = 0, largest = 0;
  size_t weights = normal->net.biases[0] - normal->net.weights[0];
  for (size_t p = 0; p < weights; p++) {
    double w = (double)normal->params[normal->net.weights[0] + p];
    squares += w * w;
    largest = fmax(largest, fabs(w));
  }
  // five deviations of the estimate; beyond two deviations nothing is cut
  assert_true(fabs(sqrt(squares / (double)weights) / 0.04 - 1) < 5 / sqrt(2 * (double)weights));
  assert_true(largest > 0.1);
  double limit = 0, bound = sqrt(6.0 / (glorot->net.width[0] + glorot->net.width[1]));
  for (size_t p = glorot->net.weights[0]; p < glorot->net.biases[0]; p++) {
    limit = fmax(limit, fabs((double)glorot->params[p]));
  }
  assert_true(limit <= bound && limit > 0.95 * bound);
  arena_free(&arena);
}

// The objective on one minibatch of all decisions, by its definition in section 5.2.
static double objective(Controller* c, const PpoOptions* o, const PpoData* data) {
  double sum = 0;
  for (int n = 0; n < data->count; n++) {
    double joint = 0, terms = 0;
    for (int h = 0; h < HEAD_COUNT; h++) {
      Real logp[HEAD_MAX_CHOICES], inputs[FEATURE_COUNT];
      controller_head_logp(logp, c, (HyperHead)h, c->heads[h].params,
                           data->states + n * FEATURE_COUNT, data->allowed + n * HEAD_COUNT, 1,
                           inputs);
      double change = (double)logp[data->choices[n * HEAD_COUNT + h]];
      change -= data->logp[n * HEAD_COUNT + h];
      joint += change;
      double r = exp(change), A = data->advantage[n];
      terms += fmin(r * A, fmax(1 - o->clip, fmin(1 + o->clip, r)) * A);
    }
    double r = exp(joint), A = data->advantage[n];
    sum += strcmp(o->ratio, "joint") == 0
               ? fmin(r * A, fmax(1 - o->clip, fmin(1 + o->clip, r)) * A)
               : terms;
  }
  return sum / data->count;
}

// Adam's mean after one step is 0.1 of the gradient: it must be that of the written objective, away
// from the behaviour, where some ratios are clipped and the joint ratio is not those of the heads.
static void an_update_follows_the_gradient_of_its_objective(void** state) {
  (void)state;
  const char* const ratios[] = {"joint", "head"};
  for (int k = 0; k < 2; k++) {
    Arena arena;
    arena_init(&arena);
    PpoOptions o = small_options();
    Controller c;
    strcpy(o.ratio, ratios[k]);
    o.minibatches = 1;
    o.minibatch_size = DECISIONS;
    make_controller(&c, &o, &arena);
    PpoData data;
    ppo_data_init(&data, DECISIONS, &arena);
    Rng rng = rng_stream(1, 0, RNG_TEST, 0);
    synthetic_episode(&data, 0, &c, 0, &rng);
    for (int i = 0; i < DECISIONS * HEAD_COUNT; i++) {
      data.logp[i] += 0.15 * rng_normal(&rng);
    }
    ControllerHead* head = &c.heads[HEAD_REAL_RATIO];
    size_t p = head->net.biases[head->net.layers - 1];  // the first logit's bias
    const double step = 1e-2;
    Real before = head->params[p];
    head->params[p] = before + (Real)step;
    double above = objective(&c, &o, &data);
    head->params[p] = before - (Real)step;
    double below = objective(&c, &o, &data);
    head->params[p] = before;
    StageResult result = {.score = 1};
    ppo_update(&c, &o, &data, &result, 1, &arena);
    double gradient = -(double)head->adam.first[p] / 0.1;
    // a central difference in float, of an objective with kinks
    assert_true(fabs(gradient - (above - below) / (2 * step)) < 0.02 * fabs(gradient) + 1e-4);
    arena_free(&arena);
  }
}

// With no learning rate nothing moves: what an update tells is what was made of the logged
// probabilities, by the definitions of section 5.2.
static void an_update_tells_how_far_it_is_from_behaviour(void** state) {
  (void)state;
  const char* const ratios[] = {"joint", "head"};
  for (int k = 0; k < 2; k++) {
    Arena arena;
    arena_init(&arena);
    PpoOptions o = small_options();
    Controller c;
    strcpy(o.ratio, ratios[k]);
    o.learning_rate = 0;
    make_controller(&c, &o, &arena);
    PpoData data;
    ppo_data_init(&data, DECISIONS, &arena);
    Rng rng = rng_stream(1, 0, RNG_TEST, 0);
    synthetic_episode(&data, 0, &c, 0, &rng);
    double shift = 0, outside = 0, ratios_in_all = 0;
    for (int n = 0; n < DECISIONS; n++) {
      double joint = 0;
      for (int h = 0; h < HEAD_COUNT; h++) {
        if (n == 0 && h == 0) {  // was not asked
          data.choices[0] = ACTION_NONE;
          continue;
        }
        double change = 0.3 * rng_normal(&rng);
        data.logp[n * HEAD_COUNT + h] += change;
        joint += change;
        shift += change;
        outside += k == 1 && fabs(exp(-change) - 1) > o.clip;
        ratios_in_all += k == 1;
      }
      outside += k == 0 && fabs(exp(-joint) - 1) > o.clip;
      ratios_in_all += k == 0;
    }
    StageResult result = {.score = 1};
    ppo_update(&c, &o, &data, &result, 1, &arena);
    assert_true(outside > 0 && outside < ratios_in_all);
    assert_true(result.clip_fraction == outside / ratios_in_all);
    // logits are in float
    assert_true(fabs(result.kl - shift / ratios_in_all) < 1e-5);
    arena_free(&arena);
  }
}

static void behaviour_probability_is_that_of_the_mixture(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  make_controller(&c, &o, &arena);
  HyperState hyper_state = {.allowed = {3, 7, 7, 7}};
  const int draws = 20000;
  const double exploration = 0.4;
  int explored = 0, counts[HEAD_MAX_CHOICES] = {0};
  double logp[HEAD_MAX_CHOICES] = {0};
  for (int i = 0; i < draws; i++) {
    HyperAction action;
    Rng rng = rng_stream(5, i, RNG_DECISION, 0);
    controller_act(&action, &c, &hyper_state, exploration, false, &rng);
    explored += action.explored;
    counts[action.choice[HEAD_REAL_RATIO]]++;
    logp[action.choice[HEAD_REAL_RATIO]] = action.logp[HEAD_REAL_RATIO];
  }
  // five standard deviations of a proportion of 20000 draws
  assert_true(fabs((double)explored / draws - exploration) < 0.018);
  double sum = 0;
  for (int i = 0; i < 3; i++) {
    assert_true(fabs((double)counts[i] / draws - exp(logp[i])) < 0.018);
    sum += exp(logp[i]);
  }
  assert_float_equal(sum, 1, 1e-6);
  arena_free(&arena);
}

static void an_action_depends_on_its_stream_and_state_only(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  PpoOptions o = small_options();
  make_controller(&c, &o, &arena);
  HyperState hyper_state = {.scaled = {0.3, 0.1}, .allowed = {3, 7, 7, 7}};
  HyperState other = {.scaled = {0.9, 0.7}, .allowed = {3, 7, 7, 7}};
  HyperAction a, b, ignored;
  Rng first = rng_stream(5, 7, RNG_DECISION, 3);
  Rng again = first, between = rng_stream(5, 8, RNG_DECISION, 3);
  controller_act(&a, &c, &hyper_state, 0.5, false, &first);
  controller_act(&ignored, &c, &other, 0.5, false, &between);
  controller_act(&b, &c, &hyper_state, 0.5, false, &again);
  assert_memory_equal(a.choice, b.choice, sizeof a.choice);
  assert_memory_equal(a.logp, b.logp, sizeof a.logp);
  arena_free(&arena);
}

static void stages_of_groups_and_exploration_follow_the_version(void** state) {
  (void)state;
  PpoOptions o = small_options();
  o.stages = (OptionList){3, {10, 11, 11}};
  o.exploration_start = 1;
  int stage;
  assert_int_equal(ppo_total_stages(&o), 32);
  assert_int_equal(ppo_group_of_version(&o, 0, &stage), 0);
  assert_int_equal(ppo_group_of_version(&o, 9, &stage), 0);
  assert_int_equal(ppo_group_of_version(&o, 10, &stage), 1);
  assert_int_equal(stage, 0);
  assert_int_equal(ppo_group_of_version(&o, 31, &stage), 2);
  assert_int_equal(stage, 10);
  assert_float_equal(ppo_exploration(&o, 0), 1, 0);
  assert_float_equal(ppo_exploration(&o, 2), 0.6, 1e-12);
  assert_float_equal(ppo_exploration(&o, 5), 0, 0);
  assert_float_equal(ppo_exploration(&o, 10), 1, 0);
}

static void unknown_and_missing_heads_are_refused(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller c;
  HyperOptions hyper = all_heads();
  ControllerShape shape = {.hidden_size = 8, .learning_rate = 1e-3, .max_batch = 4, .max_stages = 1};
  Error error;
  shape.groups = "train_model,wrong";
  assert_false(controller_init(&c, &hyper, &shape, 1, &arena, &error));
  assert_non_null(strstr(error.text, "'wrong'"));
  shape.groups = "train_model,real_ratio,policy_updates";
  assert_false(controller_init(&c, &hyper, &shape, 1, &arena, &error));
  assert_non_null(strstr(error.text, "rollout_length"));
  shape.groups = "train_model+train_model";
  assert_false(controller_init(&c, &hyper, &shape, 1, &arena, &error));
  assert_non_null(strstr(error.text, "twice"));
  arena_free(&arena);
}

static uint64_t checksum(Controller* c) {
  Archive ar;
  archive_init_checksum(&ar);
  controller_visit(c, &ar);
  return ar.checksum;
}

static void update_save_load_update_equals_two_updates(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Controller whole, half, loaded;
  PpoOptions o = small_options();
  make_controller(&whole, &o, &arena);
  make_controller(&half, &o, &arena);
  make_controller(&loaded, &o, &arena);
  PpoData data;
  ppo_data_init(&data, ROWS, &arena);
  Rng rng = rng_stream(1, 0, RNG_TEST, 0);
  for (int e = 0; e < EPISODES; e++) {
    synthetic_episode(&data, e * DECISIONS, &whole, 0, &rng);
  }
  StageResult result = {.score = 1};
  ppo_update(&whole, &o, &data, &result, 1, &arena);
  ppo_update(&whole, &o, &data, &result, 1, &arena);
  ppo_update(&half, &o, &data, &result, 1, &arena);
  Archive ar;
  ArchiveMemory memory = {0};
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  controller_visit(&half, &ar);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  controller_visit(&loaded, &ar);
  assert_false(ar.failed);
  ppo_update(&loaded, &o, &data, &result, 1, &arena);
  assert_int_equal(checksum(&loaded), checksum(&whole));
  archive_memory_free(&memory);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(controller_reaches_the_optimum_of_a_synthetic_hyper_mdp),
      cmocka_unit_test(groups_learn_in_turn_and_freeze_at_their_best),
      cmocka_unit_test(a_group_begins_without_a_best_unless_it_has_no_stage),
      cmocka_unit_test(a_head_that_is_not_asked_does_not_learn),
      cmocka_unit_test(a_stage_that_only_diverged_is_never_the_best),
      cmocka_unit_test(exploration_reaches_frozen_groups_too),
      cmocka_unit_test(weights_start_as_each_group_is_told),
      cmocka_unit_test(an_update_follows_the_gradient_of_its_objective),
      cmocka_unit_test(an_update_tells_how_far_it_is_from_behaviour),
      cmocka_unit_test(behaviour_probability_is_that_of_the_mixture),
      cmocka_unit_test(an_action_depends_on_its_stream_and_state_only),
      cmocka_unit_test(stages_of_groups_and_exploration_follow_the_version),
      cmocka_unit_test(unknown_and_missing_heads_are_refused),
      cmocka_unit_test(update_save_load_update_equals_two_updates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
