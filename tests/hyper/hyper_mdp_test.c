// States, actions and rewards of the hyper-MDP, on a small run of a plain task.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "../mbpo/small_options.h"
#include "hyper/trajectory.h"
#include "store/h5.h"

// The small one with longer epochs and larger networks.
static RunSpec test_experiment(void) {
  RunSpec x = small_experiment();
  Small o = small_options();
  x.assets = SOURCE_DIR "/configs/mjcf";
  x.sac = o.sac;
  x.model = o.model;
  x.mbpo = o.mbpo;
  x.hyper.train_epochs = x.hyper.apply_epochs = 3;
  x.hyper.critic_loss_batch = 100;
  x.hyper.policy_change_rows = 50;
  x.ppo.episodes_per_update = 2;
  x.log_transitions = false;
  return x;
}

static const MbpoScheduled all = {true, true, true, true};

static HyperAction action_of(int train, int ratio, int updates, int length) {
  HyperAction a = {.choice = {(int8_t)train, (int8_t)ratio, (int8_t)updates, (int8_t)length}};
  for (int h = 0; h < HEAD_COUNT; h++) {
    a.logp[h] = -1;
  }
  return a;
}

static void run_to_decision(HyperEpisode* h) {
  HyperEvent event;
  do {
    event = hyper_episode_advance(h);
  } while (event == HYPER_STEPPED || event == HYPER_EPOCH_END);
  assert_int_equal(event, HYPER_DECISION);
}

static bool run_to_end(HyperEpisode* h, const HyperAction* action) {
  for (;;) {
    HyperEvent event = hyper_episode_advance(h);
    if (event == HYPER_FINISHED) {
      return true;
    }
    if (event == HYPER_DECISION) {
      hyper_episode_act(h, action);
    }
  }
}

static void open_episode(HyperEpisode* h, const RunSpec* x, Arena* arena) {
  Error error;
  HyperSegment whole = scheduler_whole_run(x);
  assert_true(hyper_episode_init(h, x, 0, &whole, 0, all, arena, &error));
}

static void actions_move_hyperparameters_within_their_bounds(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  run_to_decision(&h);
  bool effective[HEAD_COUNT];
  HyperAction up = action_of(0, 2, 2, 2);
  hyper_apply(effective, &h.mbpo, &x.hyper, &up);
  assert_true(h.mbpo.real_ratio == 0.5);
  assert_int_equal(h.mbpo.policy_updates, 3);
  assert_int_equal(h.mbpo.rollout_length, 2);
  assert_true(effective[0] && effective[1] && effective[2] && effective[3]);
  // at the caps of G and k, one more step up changes nothing and says so
  hyper_apply(effective, &h.mbpo, &x.hyper, &up);
  assert_true(h.mbpo.real_ratio == 1);
  assert_true(effective[HEAD_REAL_RATIO]);
  assert_false(effective[HEAD_POLICY_UPDATES]);
  assert_false(effective[HEAD_ROLLOUT_LENGTH]);
  hyper_apply(effective, &h.mbpo, &x.hyper, &up);
  assert_false(effective[HEAD_REAL_RATIO]);
  // keeping is always possible
  HyperAction keep = action_of(0, 1, 1, 1);
  hyper_apply(effective, &h.mbpo, &x.hyper, &keep);
  assert_true(effective[0] && effective[1] && effective[2] && effective[3]);
  hyper_episode_free(&h);
  arena_free(&arena);
}

static void floors_hold(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  run_to_decision(&h);
  bool effective[HEAD_COUNT];
  HyperAction down = action_of(0, 0, 0, 0);
  for (int i = 0; i < 5; i++) {
    hyper_apply(effective, &h.mbpo, &x.hyper, &down);
  }
  assert_true(h.mbpo.real_ratio == 0.1);
  assert_int_equal(h.mbpo.policy_updates, 1);
  assert_int_equal(h.mbpo.rollout_length, 1);
  hyper_episode_free(&h);
  arena_free(&arena);
}

// What a head may choose: nothing when it is not asked, else all, or all within the bounds.
static void allowed_choices_follow_the_time_and_the_bounds(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  run_to_decision(&h);
  Mbpo* m = &h.mbpo;
  const uint8_t every[HEAD_COUNT] = {3, 7, 7, 7}, at_caps[HEAD_COUNT] = {3, 3, 3, 3};
  const uint8_t at_floors[HEAD_COUNT] = {3, 6, 6, 6}, not_k[HEAD_COUNT] = {3, 7, 7, 0};
  const uint8_t ratio_alone[HEAD_COUNT] = {0, 7, 0, 0};
  uint8_t allowed[HEAD_COUNT];
  m->real_ratio = 1, m->policy_updates = 3, m->rollout_length = 2;
  hyper_allowed(allowed, m, &x.hyper, false);
  assert_memory_equal(allowed, every, sizeof every);
  hyper_allowed(allowed, m, &x.hyper, true);
  assert_memory_equal(allowed, at_caps, sizeof every);
  m->real_ratio = 0.1, m->policy_updates = 1, m->rollout_length = 1;
  hyper_allowed(allowed, m, &x.hyper, true);
  assert_memory_equal(allowed, at_floors, sizeof every);
  // in the release, k waits for the next epoch
  m->step = x.hyper.decision_interval;
  x.hyper.rollout_length_each_epoch = true;
  hyper_allowed(allowed, m, &x.hyper, false);
  assert_memory_equal(allowed, not_k, sizeof every);
  m->scheduled = (MbpoScheduled){.real_ratio = true};
  hyper_allowed(allowed, m, &x.hyper, false);
  assert_memory_equal(allowed, ratio_alone, sizeof every);
  hyper_episode_free(&h);
  arena_free(&arena);
}

// Ablations too: MBPO's own first training is made before the decision, and not twice.
static void a_controller_never_sees_an_untrained_model(void** state) {
  (void)state;
  const MbpoScheduled heads[] = {{.train_model = true}, {.real_ratio = true},
                                 {.policy_updates = true}, {.rollout_length = true}};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    Arena arena;
    arena_init(&arena);
    RunSpec x = test_experiment();
    HyperEpisode h;
    Error error;
    HyperSegment whole = scheduler_whole_run(&x);
    assert_true(hyper_episode_init(&h, &x, 0, &whole, 0, heads[i], &arena, &error));
    run_to_decision(&h);
    assert_true(h.state.raw[FEATURE_MODEL_LOSS] > 0);
    assert_int_equal(h.mbpo.model_trainings, 1);
    HyperAction keep;
    hyper_action_none(&keep);
    for (int head = 0; head < HEAD_COUNT; head++) {
      keep.choice[head] = h.state.allowed[head] ? head != HEAD_TRAIN_MODEL : ACTION_NONE;
    }
    hyper_episode_act(&h, &keep);
    assert_int_equal(hyper_episode_advance(&h), HYPER_STEPPED);
    assert_int_equal(h.mbpo.model_trainings, 1);
    hyper_episode_free(&h);
    arena_free(&arena);
  }
}

static void features_are_scaled_and_clipped(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  run_to_decision(&h);
  const HyperState* s = &h.state;
  assert_true(s->raw[FEATURE_PROGRESS] == 0);
  assert_true(s->raw[FEATURE_REAL_RATIO] == 0.25 && s->scaled[FEATURE_REAL_RATIO] == 0.25);
  assert_true(s->scaled[FEATURE_POLICY_UPDATES] == 2.0 / 3.0);
  assert_true(s->scaled[FEATURE_ROLLOUT_LENGTH] == 0.5);
  double eval = s->raw[FEATURE_EVAL_RETURN];
  assert_true(s->scaled[FEATURE_EVAL_RETURN] == fmax(0, fmin(1, (eval + 2000) / 2000)));
  for (int f = 0; f < FEATURE_COUNT; f++) {
    assert_true(s->scaled[f] >= 0 && s->scaled[f] <= 1);
  }
  hyper_episode_free(&h);
  arena_free(&arena);
}

static void advantage_is_the_reward_to_go_relative_to_the_baseline(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  int64_t steps[] = {200, 300, 400};
  double means[] = {-1500, -1000, -500}, stds[] = {0, 0, 0};
  Baseline baseline = {.count = 3, .env_step = steps, .return_mean = means, .return_std = stds};
  x.baseline = &baseline;
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  HyperAction train = action_of(1, 1, 1, 1);
  run_to_end(&h, &train);
  assert_int_equal(h.decisions, 15);
  assert_int_equal(h.epochs, 3);
  double expected = 0;
  for (int i = h.decisions - 1; i >= 0; i--) {
    const Decision* d = &h.decision[i];
    expected += -0.1;
    if (i % 5 == 4) {
      int e = i / 5;
      double r = epoch_mean_return(&h.epoch[e], 2);
      expected += r / 100 - (-1500 + 5.0 * (double)(50 * (e + 1))) / 100;
      assert_true(fabs(d->reward_return - r / 100) < 1e-12);
    } else {
      assert_true(d->reward_return == 0 && d->baseline == 0);
    }
    assert_true(fabs(d->advantage - expected) < 1e-9);
  }
  // one training at each decision, beside the one before the first
  assert_int_equal(h.mbpo.model_trainings, 16);
  hyper_episode_free(&h);
  arena_free(&arena);
}

// Seven decisions of fifteen, without trainings of the model: the second of three epochs is lost, and
// the third.
static void diverge(HyperEpisode* h, const RunSpec* x, Arena* arena) {
  open_episode(h, x, arena);
  HyperAction skip = action_of(0, 1, 1, 1);
  for (int i = 0; i < 7; i++) {
    run_to_decision(h);
    hyper_episode_act(h, &skip);
  }
  h->mbpo.diverged = true;
  assert_int_equal(hyper_episode_advance(h), HYPER_FINISHED);
  assert_int_equal(h->epochs, 1);
}

// Whatever the sign and size of returns: against a baseline that is far above, about at, and far
// below the returns of this task, and without one.
static void lost_epochs_never_earn_more_than_the_baseline(void** state) {
  (void)state;
  int64_t steps[] = {250, 300, 350};
  double stds[] = {0, 0, 0};
  double means[4][3] = {{-300, 0, 4000}, {-300, -350, -300}, {-9000, -8000, -7000}, {0, 0, 0}};
  for (int variant = 0; variant < 4; variant++) {
    Arena arena;
    arena_init(&arena);
    RunSpec x = test_experiment();
    Baseline baseline = {.count = 3, .env_step = steps, .return_mean = means[variant],
                         .return_std = stds};
    x.baseline = variant < 3 ? &baseline : NULL;
    HyperEpisode h;
    diverge(&h, &x, &arena);
    double first = epoch_mean_return(&h.epoch[0], 2);
    double worst = fmin(first, fmin(h.initial_return, variant < 3 ? baseline_least(&baseline) : 0));
    double expected = 0;
    for (int e = 1; e < 3; e++) {
      double lost = (worst - means[variant][e]) / 100 - 1;
      assert_true(lost <= -1);
      expected += lost;
    }
    // the decisions of the lost epochs, and those before: what they earned, and the loss
    for (int i = 5; i < 7; i++) {
      assert_true(fabs(h.decision[i].advantage - expected) < 1e-9);
    }
    double earned = (first - means[variant][0]) / 100;
    for (int i = 0; i < 5; i++) {
      assert_true(fabs(h.decision[i].advantage - (earned + expected)) < 1e-9);
    }
    double lost_return = hyper_episode_lost_return(&h);
    assert_true(fabs(lost_return - (worst - 100)) < 1e-9);
    assert_true(fabs(hyper_episode_score(&h) - (first + 2 * lost_return) / 3) < 1e-9);
    hyper_episode_free(&h);
    arena_free(&arena);
  }
}

// No value of the option rewards a divergence.
static void the_stated_return_of_a_lost_epoch_only_lowers_it(void** state) {
  (void)state;
  static const double stated[] = {1e9, 0, -5000};
  double lost[3];
  for (int i = 0; i < 3; i++) {
    Arena arena;
    arena_init(&arena);
    RunSpec x = test_experiment();
    x.hyper.diverged_return = stated[i];
    HyperEpisode h;
    diverge(&h, &x, &arena);
    lost[i] = hyper_episode_lost_return(&h);
    hyper_episode_free(&h);
    arena_free(&arena);
  }
  assert_true(lost[0] < 0 && lost[1] == lost[0]);
  assert_true(lost[2] == -5000);
}

// Its evaluations are of a policy that is not finite.
static void an_epoch_that_ends_diverged_is_lost(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  HyperAction keep = action_of(0, 1, 1, 1);
  while (h.mbpo.epoch < 1 || h.mbpo.phase != MBPO_EVALUATE) {
    if (hyper_episode_advance(&h) == HYPER_DECISION) {
      hyper_episode_act(&h, &keep);
    }
  }
  h.mbpo.sac.policy[0] = (Real)NAN;
  run_to_end(&h, &keep);
  assert_int_equal(h.epochs, 1);
  assert_int_equal(h.decisions, 10);
  for (int i = 0; i < h.decisions; i++) {
    assert_true(isfinite(h.decision[i].advantage));
  }
  assert_true(h.decision[9].advantage <= -2);
  hyper_episode_free(&h);
  arena_free(&arena);
}

static uint64_t checksum(HyperEpisode* h) {
  Archive ar;
  archive_init_checksum(&ar);
  hyper_episode_visit(h, &ar);
  return ar.checksum;
}

// Also while a decision waits for its answer.
static void resume_equals_uninterrupted(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperAction up = action_of(1, 2, 2, 2);
  HyperEpisode whole, half, loaded;
  open_episode(&whole, &x, &arena);
  open_episode(&half, &x, &arena);
  open_episode(&loaded, &x, &arena);
  for (int i = 0; i < 6; i++) {
    run_to_decision(&half);
    if (i < 5) {
      hyper_episode_act(&half, &up);
    }
  }
  Archive ar;
  ArchiveMemory memory = {0};
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  hyper_episode_visit(&half, &ar);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  hyper_episode_visit(&loaded, &ar);
  assert_false(ar.failed);
  assert_true(loaded.awaiting);
  hyper_episode_act(&loaded, &up);
  run_to_end(&loaded, &up);
  run_to_end(&whole, &up);
  assert_int_equal(checksum(&loaded), checksum(&whole));
  archive_memory_free(&memory);
  hyper_episode_free(&whole);
  hyper_episode_free(&half);
  hyper_episode_free(&loaded);
  arena_free(&arena);
}

static void trajectory_reads_back_what_was_written(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  HyperAction up = action_of(1, 2, 2, 2);
  run_to_end(&h, &up);
  char path[] = "trajectory_test_XXXXXX";
  assert_non_null(mkdtemp(path));
  char file[64];
  snprintf(file, sizeof file, "%s/000000.h5", path);
  Error error;
  assert_true(trajectory_write(&h, file, &error));
  Trajectory t;
  assert_true(trajectory_read(&t, file, &arena, &error));
  assert_int_equal(t.decisions, h.decisions);
  assert_int_equal(t.epochs, h.epochs);
  assert_false(t.outcome.diverged);
  assert_true(t.outcome.score == hyper_episode_score(&h));
  for (int i = 0; i < t.decisions; i++) {
    assert_memory_equal(t.state + i * FEATURE_COUNT, h.decision[i].state.scaled,
                        FEATURE_COUNT * sizeof(double));
    assert_memory_equal(t.action + i * HEAD_COUNT, h.decision[i].action.choice, HEAD_COUNT);
    assert_true(t.advantage[i] == h.decision[i].advantage);
  }
  unlink(file);
  rmdir(path);
  hyper_episode_free(&h);
  arena_free(&arena);
}

// As if nothing had ever moved: each row starts where the one before ended, with the same reward.
static void repeat_everything(Mbpo* m) {
  Replay* real = &m->real;
  Real* running = m->episode.rows;
  size_t O = (size_t)m->sac.obs_size, A = (size_t)m->sac.act_size;
  for (int64_t i = 0; i < real->size + m->episode.length; i++) {
    Real* row = i < real->size ? real->rows + (size_t)i * (size_t)real->row.size
                               : running + (size_t)(i - real->size) * (size_t)real->row.size;
    memset(row, 0, O * sizeof *row);
    memset(row + O + A, 0, O * sizeof *row);
    row[2 * O + A] = 1;
  }
}

// Every real sample is there, in whole episodes, whose ends do not depend on what was observed.
static void transitions_hold_every_real_sample(void** state) {
  bool repeats = *state;
  Arena arena;
  arena_init(&arena);
  RunSpec x = test_experiment();
  x.log_transitions = true;
  HyperEpisode h;
  open_episode(&h, &x, &arena);
  HyperAction keep = action_of(0, 1, 1, 1);
  run_to_end(&h, &keep);
  if (repeats) {
    repeat_everything(&h.mbpo);
  }
  char path[] = "transitions_test_XXXXXX";
  assert_non_null(mkdtemp(path));
  char file[64];
  snprintf(file, sizeof file, "%s/000000.h5", path);
  Error error;
  H5File h5;
  int64_t rows, columns, episodes;
  assert_true(trajectory_write(&h, file, &error));
  assert_true(h5_open_any(&h5, file, &error));
  assert_true(h5_shape(&h5, "env/observations", &rows, &columns));
  assert_int_equal(rows, h.mbpo.env_step);
  assert_int_equal(columns, 3);
  assert_true(h5_shape(&h5, "env/episode_ends", &episodes, &columns));
  // Pendulum never terminates: 200 steps an episode, and the one that the end of the run cut
  assert_int_equal(episodes, 2);
  int64_t ends[2];
  h5_read(&h5, "env/episode_ends", H5_I64, 2, 0, ends);
  assert_int_equal(ends[0], 200);
  assert_int_equal(ends[1], rows);
  assert_true(h5_close(&h5, &error));
  unlink(file);
  rmdir(path);
  hyper_episode_free(&h);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(actions_move_hyperparameters_within_their_bounds),
      cmocka_unit_test(floors_hold),
      cmocka_unit_test(allowed_choices_follow_the_time_and_the_bounds),
      cmocka_unit_test(a_controller_never_sees_an_untrained_model),
      cmocka_unit_test(features_are_scaled_and_clipped),
      cmocka_unit_test(advantage_is_the_reward_to_go_relative_to_the_baseline),
      cmocka_unit_test(lost_epochs_never_earn_more_than_the_baseline),
      cmocka_unit_test(the_stated_return_of_a_lost_epoch_only_lowers_it),
      cmocka_unit_test(an_epoch_that_ends_diverged_is_lost),
      cmocka_unit_test(resume_equals_uninterrupted),
      cmocka_unit_test(trajectory_reads_back_what_was_written),
      cmocka_unit_test(transitions_hold_every_real_sample),
      {"transitions_end_where_episodes_did", transitions_hold_every_real_sample, NULL, NULL,
       "what is observed repeats"},
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
