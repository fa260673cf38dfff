// Laws of how far a run is: samples count once, the share is of all, the best has not diverged.
#include "cluster/standing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Four hyper-episodes of 100 + 10 * 10 samples.
static const RunSpec spec = {.mbpo = {.exploration_steps = 100, .epoch_length = 10},
                             .hyper = {.apply_epochs = 10},
                             .scheduler = {.kind = "fixed", .hyper_episodes = 4}};

static Arena arena;

static Standing begun(int ranks) {
  Standing s;
  standing_init(&s, &spec, ranks, &arena);
  s.total = 4;
  for (int i = 0; i < ranks; i++) {
    BeginMessage begin = {.hyper_episode = i};
    assert_int_equal(standing_begin(&s, i, &begin), 0);
  }
  return s;
}

static void seal(Standing* s, int rank, double score, bool diverged) {
  SealedMessage sealed = {.hyper_episode = s->rank[rank].hyper_episode,
                          .score = score,
                          .diverged = diverged,
                          .progress = {.env_step = 200, .epochs = 10}};
  standing_progress(s, rank, sealed.hyper_episode, &sealed.progress);
  standing_sealed(s, rank, &sealed);
}

static void a_sample_counts_once_running_or_sealed(void** state) {
  (void)state;
  Standing s = begun(2);
  Progress p = {.env_step = 120, .epochs = 2};
  standing_progress(&s, 0, 0, &p);
  assert_int_equal(standing_overview(&s).steps, 120);
  seal(&s, 0, 1, false);
  Overview o = standing_overview(&s);
  assert_int_equal(o.steps, 200);
  assert_true(o.share == 0.25);
  assert_int_equal(o.running, 1);
}

static void what_was_found_is_done_but_not_by_this_start(void** state) {
  (void)state;
  Standing s = begun(1);
  Outcome found = {.score = 5};
  standing_found(&s, 3, &found);
  Overview o = standing_overview(&s);
  assert_int_equal(o.steps, 200);
  assert_true(o.steps_per_second == 0 && isnan(o.eta));
}

static void an_epoch_is_new_once(void** state) {
  (void)state;
  Standing s = begun(1);
  Progress p = {.env_step = 110, .epochs = 1};
  assert_true(standing_progress(&s, 0, 0, &p));
  assert_false(standing_progress(&s, 0, 0, &p));
}

static void the_progress_of_one_is_told_and_of_two_of_none(void** state) {
  (void)state;
  Standing one = begun(1), two = begun(2);
  assert_ptr_equal(standing_overview(&one).only, &one.rank[0].progress);
  assert_null(standing_overview(&two).only);
  standing_idle(&two, 0);
  assert_ptr_equal(standing_overview(&two).only, &two.rank[1].progress);
}

static void one_that_diverged_is_counted_and_never_the_best(void** state) {
  (void)state;
  Standing s = begun(2);
  seal(&s, 0, 9, true);
  assert_int_equal(s.best_episode, -1);
  seal(&s, 1, -3, false);
  assert_int_equal(s.best_episode, 1);
  assert_int_equal(s.sealed, 2);
  assert_int_equal(s.diverged, 1);
}

static void of_equals_the_first_is_the_best(void** state) {
  (void)state;
  Standing s = begun(2);
  seal(&s, 1, 4, false);
  seal(&s, 0, 4, false);
  assert_int_equal(s.best_episode, 1);
  assert_true(s.best_score == 4);
}

static void the_worst_checkpoint_is_kept_in_each_measure(void** state) {
  (void)state;
  Standing s = begun(1);
  standing_saved(&s, 0, &(SavedMessage){.seconds = 3, .bytes = 10});
  standing_saved(&s, 0, &(SavedMessage){.seconds = 1, .bytes = 20});
  assert_true(s.worst.seconds == 3 && s.worst.bytes == 20);
  assert_true(s.saved.seconds == 1 && s.saves == 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sample_counts_once_running_or_sealed),
      cmocka_unit_test(what_was_found_is_done_but_not_by_this_start),
      cmocka_unit_test(an_epoch_is_new_once),
      cmocka_unit_test(the_progress_of_one_is_told_and_of_two_of_none),
      cmocka_unit_test(one_that_diverged_is_counted_and_never_the_best),
      cmocka_unit_test(of_equals_the_first_is_the_best),
      cmocka_unit_test(the_worst_checkpoint_is_kept_in_each_measure),
  };
  arena_init(&arena);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  arena_free(&arena);
  return failed;
}
