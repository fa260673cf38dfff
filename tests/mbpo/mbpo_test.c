// The state machine of MBPO on a small plain task.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mbpo/sizes.h"
#include "small_options.h"

static void make(Mbpo* m, const Small* o, MbpoScheduled scheduled, int64_t hyper_episode,
                 Arena* arena) {
  MbpoSetup setup = {.task = "pendulum-v1",
                     .assets = SOURCE_DIR "/configs/mjcf",
                     .sac = &o->sac,
                     .model = &o->model,
                     .mbpo = &o->mbpo,
                     .scheduled = scheduled,
                     .epochs = 4,
                     .decision_interval = 10,
                     .max_rollout_length = 3,
                     .seed = 7,
                     .hyper_episode = hyper_episode};
  Error error;
  assert_true(mbpo_init(m, &setup, arena, &error));
}

static uint64_t checksum(Mbpo* m) {
  Archive ar;
  archive_init_checksum(&ar);
  mbpo_visit(m, &ar);
  return ar.checksum;
}

static void run(Mbpo* m, int advances) {
  for (int i = 0; i < advances; i++) {
    mbpo_advance(m);
  }
}

static void run_stops_at_each_decision_and_epoch(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo m;
  Small o = small_options();
  make(&m, &o, (MbpoScheduled){0}, 0, &arena);
  int decisions = 0, epochs = 0;
  MbpoEvent event;
  while ((event = mbpo_advance(&m)) != MBPO_FINISHED) {
    assert_int_not_equal(event, MBPO_DIVERGED);
    if (event == MBPO_DECISION) {
      assert_int_equal(m.step % 10, 0);
      decisions++;
    }
    if (event == MBPO_EPOCH_END) {
      epochs++;
      assert_int_equal(m.result.env_step, 200 + 50 * epochs);
      assert_int_equal(m.result.sac_updates, 50 * 2);
      assert_int_equal(m.result.model_trainings, 2);
    }
  }
  assert_int_equal(decisions, 4 * 5);
  assert_int_equal(epochs, 4);
  mbpo_free(&m);
  arena_free(&arena);
}

static void rollout_length_rises_linearly_between_its_epochs(void** state) {
  (void)state;
  MbpoOptions o = {.rollout_schedule = {4, {20, 150, 1, 15}}};
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 0), 1);
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 20), 1);
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 50), 4);
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 95), 9);
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 150), 15);
  assert_int_equal(mbpo_scheduled_rollout_length(&o, 400), 15);
}

static void model_buffer_follows_the_rollout_length(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo m;
  Small o = small_options();
  make(&m, &o, (MbpoScheduled){0}, 0, &arena);
  while (mbpo_advance(&m) != MBPO_FINISHED) {
    if (m.imagined.size > 0) {
      // retain_epochs * k * F * epoch_length / rollout_interval rows
      assert_int_equal(m.imagined.capacity, m.rollout_length * 40 * 50 / 25);
      assert_true(m.imagined.size <= m.imagined.capacity);
    }
  }
  assert_int_equal(m.rollout_length, 3);  // that of the last epoch, index 3
  mbpo_free(&m);
  arena_free(&arena);
}

// Whatever the interval, an epoch's rollouts fit into the buffer up to the largest length, and one
// more rollout would not.
static void model_buffer_holds_what_an_epoch_makes_at_any_interval(void** state) {
  (void)state;
  const int intervals[] = {1, 3, 7, 15, 30, 49, 50, 51, 1000};
  for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++) {
    Arena arena;
    arena_init(&arena);
    Mbpo m;
    Small o = small_options();
    o.mbpo.rollouts = 5;
    o.mbpo.rollout_interval = intervals[i];
    o.mbpo.rollout_schedule.value[0] = o.mbpo.rollout_schedule.value[1] = 0;
    o.mbpo.rollout_schedule.value[2] = o.mbpo.rollout_schedule.value[3] = 3;
    make(&m, &o, (MbpoScheduled){0}, 0, &arena);
    while (mbpo_advance(&m) != MBPO_EPOCH_END) {
    }
    int times = (50 + intervals[i] - 1) / intervals[i];
    assert_int_equal(m.imagined.capacity, times * 5 * 3);
    assert_int_equal(m.imagined.size, times * 5 * 3);
    mbpo_free(&m);
    arena_free(&arena);
  }
}

// Pendulum's own limit is 200 steps.
static void an_episode_is_cut_at_the_smaller_limit(void** state) {
  (void)state;
  const int lengths[][2] = {{70, 70}, {200, 200}, {1000, 200}};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    Arena arena;
    arena_init(&arena);
    Mbpo m;
    Small o = small_options();
    o.mbpo.max_path_length = lengths[i][0];
    make(&m, &o, (MbpoScheduled){0}, 0, &arena);
    while (mbpo_advance(&m) != MBPO_EPOCH_END) {
    }
    assert_int_equal(m.result.eval_lengths[0], lengths[i][1]);
    assert_int_equal(m.episode.limit, lengths[i][1]);
    mbpo_free(&m);
    arena_free(&arena);
  }
}

static void whole_episodes_enter_the_real_buffer(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo m;
  Small o = small_options();
  make(&m, &o, (MbpoScheduled){0}, 0, &arena);
  while (m.env_step < 199) {
    mbpo_advance(&m);
    assert_int_equal(m.real.size, 0);
  }
  run(&m, 1);
  assert_int_equal(m.real.size, 200);
  // cut by the path limit, so not terminated
  assert_false(transition_terminated(&m.real.row, replay_row(&m.real, 199)));
  mbpo_free(&m);
  arena_free(&arena);
}

static void without_a_model_sac_learns_from_real_data_alone(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo m;
  Small o = small_options();
  o.mbpo.real_ratio = 1;
  make(&m, &o, (MbpoScheduled){0}, 0, &arena);
  while (mbpo_advance(&m) != MBPO_FINISHED) {
  }
  assert_false(m.uses_model);
  assert_int_equal(m.imagined.size, 0);
  assert_int_equal(m.sac.policy_adam.steps, 4 * 50 * 2);
  mbpo_free(&m);
  arena_free(&arena);
}

static void a_scheduled_model_is_trained_once_before_the_first_decision(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo m;
  Small o = small_options();
  make(&m, &o, (MbpoScheduled){.train_model = true}, 0, &arena);
  while (mbpo_advance(&m) != MBPO_FINISHED) {
  }
  assert_int_equal(m.model_trainings, 1);
  mbpo_free(&m);
  arena_free(&arena);
}

static void hyper_episodes_and_only_they_name_the_streams(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Mbpo a, b, other;
  Small o = small_options();
  make(&a, &o, (MbpoScheduled){0}, 3, &arena);
  make(&b, &o, (MbpoScheduled){0}, 3, &arena);
  make(&other, &o, (MbpoScheduled){0}, 4, &arena);
  run(&a, 300);
  run(&b, 300);
  run(&other, 300);
  assert_int_equal(checksum(&a), checksum(&b));
  assert_int_not_equal(checksum(&a), checksum(&other));
  mbpo_free(&a);
  mbpo_free(&b);
  mbpo_free(&other);
  arena_free(&arena);
}

// run(n); save; load into a fresh run; run(m) equals run(n + m), for many n.
static void resume_equals_uninterrupted(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  Small o = small_options();
  const int stops[] = {0, 1, 137, 201, 203, 207, 260, 300, 333};
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
    Mbpo whole, half, loaded;
    make(&whole, &o, (MbpoScheduled){0}, 0, &arena);
    make(&half, &o, (MbpoScheduled){0}, 0, &arena);
    make(&loaded, &o, (MbpoScheduled){0}, 0, &arena);
    run(&whole, stops[i] + 60);
    run(&half, stops[i]);
    Archive ar;
    ArchiveMemory memory = {0};
    archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
    mbpo_visit(&half, &ar);
    archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
    mbpo_visit(&loaded, &ar);
    assert_false(ar.failed);
    run(&loaded, 60);
    assert_int_equal(checksum(&loaded), checksum(&whole));
    archive_memory_free(&memory);
    mbpo_free(&whole);
    mbpo_free(&half);
    mbpo_free(&loaded);
  }
  arena_free(&arena);
}

// What a run is refused for, and what is told of it, is what it takes.
static void bytes_are_known_beforehand(void** state) {
  (void)state;
  const int members[] = {1, 7, 5}, width[] = {1024, 64, 512}, layers[] = {4, 1, 3};
  const int batch[] = {256, 60000, 3000};
  for (int i = 0; i < 3; i++) {
    Small o = small_options();
    o.model.members = members[i];
    o.model.elites = 1;
    o.model.hidden_size = o.sac.hidden_size = width[i];
    o.model.hidden_layers = o.sac.hidden_layers = layers[i];
    o.model.batch_size = o.sac.batch_size = batch[i];
    o.sac.critic_layers = (OptionList){i, {700, 30}};
    Arena arena;
    arena_init(&arena);
    Mbpo m;
    MbpoSetup setup = {.task = "hopper-v4",
                       .assets = SOURCE_DIR "/configs/mjcf",
                       .sac = &o.sac,
                       .model = &o.model,
                       .mbpo = &o.mbpo,
                       .epochs = 4,
                       .decision_interval = 10,
                       .max_rollout_length = 3};
    Error error;
    assert_true(mbpo_init(&m, &setup, &arena, &error));
    MbpoBytes bytes = mbpo_bytes(&setup, &m.env.spec);
    // an action, a state, a reward, an end and a number each, and a state for each branch of three
    double row = (m.sac.act_size + m.sac.obs_size + 2) * (double)sizeof(Real) + 4;
    double start = m.sac.obs_size * (double)sizeof(Real);
    assert_true(bytes.imagined == (double)m.imagined.limit * (row + start / 3));
    double taken = (double)arena_bytes(&arena);
    // blocks of the arena are not filled to their ends, and small arrays are not counted
    if (!(bytes.fixed < taken && bytes.fixed > 0.9 * taken)) {
      fail_msg("%g bytes, expected %g", bytes.fixed, taken);
    }
    assert_true(bytes.real > row * (double)mbpo_most_steps(&m.options, 4));
    mbpo_free(&m);
    arena_free(&arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(run_stops_at_each_decision_and_epoch),
      cmocka_unit_test(rollout_length_rises_linearly_between_its_epochs),
      cmocka_unit_test(model_buffer_follows_the_rollout_length),
      cmocka_unit_test(model_buffer_holds_what_an_epoch_makes_at_any_interval),
      cmocka_unit_test(an_episode_is_cut_at_the_smaller_limit),
      cmocka_unit_test(whole_episodes_enter_the_real_buffer),
      cmocka_unit_test(without_a_model_sac_learns_from_real_data_alone),
      cmocka_unit_test(a_scheduled_model_is_trained_once_before_the_first_decision),
      cmocka_unit_test(hyper_episodes_and_only_they_name_the_streams),
      cmocka_unit_test(resume_equals_uninterrupted),
      cmocka_unit_test(bytes_are_known_beforehand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
