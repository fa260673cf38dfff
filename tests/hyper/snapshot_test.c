// Where a hyper-episode ended others begin: with its state, and with rows and streams of their own.
#include "hyper/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/scratch_directory.h"

static RunSpec spec;
static RunDirectory directory;
static Arena arena;
static Error error;

// Hyper-episode `index` of a run of two epochs, the first or, from where 0 ended, the second.
static void open_part(HyperEpisode* h, int64_t index) {
  static const MbpoScheduled all = {true, true, true, true};
  HyperSegment segment = {.streams = index, .parent = -1, .first_epoch = 0, .last_epoch = 1};
  if (index > 0) {
    segment = (HyperSegment){.streams = index, .first_epoch = 1, .last_epoch = 2};
  }
  assert_true(hyper_episode_init(h, &spec, index, &segment, 0, all, &arena, &error));
}

static HyperEpisode parent;

static int set_up(void** state) {
  (void)state;
  arena_init(&arena);
  spec = small_experiment();
  strcpy(spec.scheduler.kind, "fixed");
  if (!scratch_directory_make(&directory, &error)) {
    return -1;
  }
  open_part(&parent, 0);
  for (HyperEvent event = hyper_episode_advance(&parent); event != HYPER_FINISHED;
       event = hyper_episode_advance(&parent)) {
    if (event == HYPER_DECISION) {
      hyper_episode_act(&parent, &(HyperAction){.choice = {1, 2, 2, 2}});
    }
  }
  return hyper_episode_goes_on(&parent) && snapshot_write(&parent, &directory, &error) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  hyper_episode_free(&parent);
  scratch_directory_remove(&directory);
  arena_free(&arena);
  return 0;
}

static void a_child_has_the_state_of_its_parent_and_rows_of_its_own(void** state) {
  (void)state;
  HyperEpisode child;
  open_part(&child, 1);
  assert_true(snapshot_load(&child, &directory, &arena, &error));
  assert_true(parent.decisions > 0 && parent.epochs == 1 && parent.finished);
  assert_true(child.decisions == 0 && child.epochs == 0 && !child.finished);
  assert_true(child.mbpo.epoch == 1 && child.mbpo.env_step == parent.mbpo.env_step);
  assert_true(child.initial_return == parent.mbpo.eval_mean);
  const Sac* sac = &child.mbpo.sac;
  assert_memory_equal(sac->policy, parent.mbpo.sac.policy, sac->policy_net.size * sizeof(Real));
  hyper_episode_free(&child);
}

static void and_draws_from_streams_of_its_own(void** state) {
  (void)state;
  HyperEpisode child[2];
  for (int i = 0; i < 2; i++) {
    open_part(&child[i], i + 1);
    assert_true(snapshot_load(&child[i], &directory, &arena, &error));
  }
  assert_memory_not_equal(&child[0].rng, &parent.rng, sizeof parent.rng);
  assert_memory_not_equal(&child[0].rng, &child[1].rng, sizeof parent.rng);
  assert_memory_not_equal(&child[0].mbpo.env_rng, &child[1].mbpo.env_rng, sizeof parent.rng);
  hyper_episode_free(&child[0]);
  hyper_episode_free(&child[1]);
}

static void without_its_parents_end_it_does_not_begin(void** state) {
  (void)state;
  HyperEpisode child;
  assert_true(snapshot_write(&parent, &directory, &error));  // it stands
  snapshot_remove(&directory, 0);
  open_part(&child, 1);
  assert_false(snapshot_load(&child, &directory, &arena, &error));
  assert_non_null(strstr(error.text, "Hyper-episode 1 begins where 0 ended. Remove that one's "
                                     "episodes/000000.h5"));
  hyper_episode_free(&child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_child_has_the_state_of_its_parent_and_rows_of_its_own),
      TEST(and_draws_from_streams_of_its_own),
      TEST(without_its_parents_end_it_does_not_begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
