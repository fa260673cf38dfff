// The arithmetic of stages, and what is said of a run that has nothing to be applied.
#include "hyper/scheduler_kinds.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/population.h"
#include "hyper/scratch_directory.h"
#include "hyper/trajectory.h"

static void no_more_run_at_once_than_the_next_update_leaves(void** state) {
  (void)state;
  SchedulerPlan plan = {.hyper_episodes = 30, .updates = 3, .stage_size = 10};
  assert_int_equal(scheduler_at_once(&plan), 10);
  assert_int_equal(scheduler_version_of(&plan, 9), 0);
  assert_int_equal(scheduler_version_of(&plan, 10), 1);
  plan.look_ahead = 5;
  assert_int_equal(scheduler_at_once(&plan), 15);
  assert_int_equal(scheduler_version_of(&plan, 14), 0);
  assert_int_equal(scheduler_version_of(&plan, 15), 1);
  plan.look_ahead = 25;
  assert_int_equal(scheduler_at_once(&plan), 30);
  plan.updates = 0;
  assert_int_equal(scheduler_at_once(&plan), 30);
  assert_int_equal(scheduler_version_of(&plan, 29), 0);
}

static void who_diverged_is_counted_and_not_in_the_mean(void** state) {
  (void)state;
  StageResult result = scheduler_stage_result(2, (const double[]){1, NAN, 3, NAN}, 4);
  assert_true(result.diverged == 2 && result.score == 2 && result.first_episode == 8 && result.episodes == 4);
}

static void what_cannot_be_applied_is_named(void** state) {
  (void)state;
  char name[RUN_PATH_SIZE + 8];
  RunDirectory directory;
  SchedulerTrained trained;
  Arena arena;
  Error error;
  arena_init(&arena);
  assert_true(scratch_directory_make(&directory, &error));
  const char* place = directory.path;
  assert_false(scheduler_static.find_trained(&trained, place, &arena, &error));
  assert_non_null(strstr(error.text, "no finished hyper-episode to choose from"));
  assert_false(scheduler_ror.find_trained(&trained, place, &arena, &error));
  assert_non_null(strstr(error.text, "000000.h5: No such file"));
  assert_false(scheduler_apply.find_trained(&trained, place, &arena, &error));
  assert_non_null(strstr(error.text, "no policy file in its policy/ directory"));
  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = '\0';
  assert_false(scheduler_static.find_trained(&trained, name, &arena, &error));
  assert_non_null(strstr(error.text, "name too long"));
  assert_false(scheduler_static.find_trained(&trained, "/nowhere/a.h5", &arena, &error));
  assert_string_equal(error.text, "/nowhere/a.h5: No such file or directory");
  arena_free(&arena);
  scratch_directory_remove(&directory);
}

static void a_hyper_episode_draws_from_streams_of_its_own(void** state) {
  (void)state;
  RunSpec x = {.hyper = {.train_epochs = 3, .apply_epochs = 3}};
  strcpy(x.scheduler.kind, "fixed");
  Scheduler s = {.kind = &scheduler_fixed, .spec = &x};
  assert_int_equal(scheduler_segment(&s, 7).streams, 7);
}

static void a_trainer_learns_from_each_hyper_episode_unless_it_is_trained(void** state) {
  (void)state;
  RunSpec x = {.hyper = {.train_epochs = 3, .apply_epochs = 5},
               .scheduler = {.kind = "ror", .hyper_episodes = 7}};
  SchedulerPlan learns = scheduler_plan(&x);
  assert_true(learns.updates == 7 && learns.stage_size == 1 && learns.epochs == 3);
  strcpy(x.scheduler.controller, "runs/trained");
  SchedulerPlan acts = scheduler_plan(&x);
  assert_true(acts.updates == 0 && acts.hyper_episodes == 7 && acts.epochs == 5);
}

// Three members in rounds of one epoch, of which nobody copies another.
typedef struct {
  RunSpec spec;
  RunDirectory directory;
  Scheduler scheduler;
  Member members[3];  // of the first round
  Arena arena;
} Population;

static const HyperState asked = {.allowed = {3, 7, 7, 7}};

static void open_population(Population* p) {
  static const PbtOptions pbt = {.members = 3, .interval = 1, .score_epochs = 1,
                                 .frequencies = {1, {1}}};
  Error error;
  arena_init(&p->arena);
  p->spec = small_experiment();
  strcpy(p->spec.scheduler.kind, "pbt");
  p->spec.search.train_every_max = 4;
  for (int i = 0; scheduler_kind_at(i); i++) {
    p->spec.kind_options[i] = scheduler_kind_at(i) == &scheduler_pbt ? &pbt : NULL;
  }
  assert_true(scratch_directory_make(&p->directory, &error));
  assert_true(scheduler_open(&p->scheduler, &p->spec, &p->directory, &p->arena, &error));
  population_begin(p->members, &pbt, p->spec.seed);
}

static void close_population(Population* p) {
  scheduler_close(&p->scheduler);
  scratch_directory_remove(&p->directory);
  arena_free(&p->arena);
}

static void a_population_begins_with_what_its_seed_draws(void** state) {
  (void)state;
  Population p;
  open_population(&p);
  for (int e = 0; e < 3; e++) {
    HyperAction action, expected;
    hyper_action_none(&expected);
    scheduler_decide(&action, &p.scheduler, &(SchedulerRequest){.hyper_episode = e, .state = &asked});
    search_decide(&expected, &p.members[e].point, 0, &asked, &p.spec.search, &p.spec.hyper);
    assert_memory_equal(action.value, expected.value, sizeof action.value);
    assert_true(action.sets[HEAD_REAL_RATIO]);
  }
  close_population(&p);
}

// Runs hyper-episode e of a population, and seals it.
static void seal(Scheduler* s, int64_t e, Arena* arena) {
  HyperEpisode h;
  HyperAction action;
  Error error;
  char path[RUN_PATH_SIZE];
  HyperSegment segment = scheduler_segment(s, e);
  assert_true(hyper_episode_init(&h, s->spec, e, &segment, 0, scheduler_sets(s, 0), arena, &error));
  for (HyperEvent event = hyper_episode_advance(&h); event != HYPER_FINISHED;
       event = hyper_episode_advance(&h)) {
    if (event == HYPER_DECISION) {
      SchedulerRequest request = {.hyper_episode = e, .decision = h.decisions, .state = &h.state};
      scheduler_decide(&action, s, &request);
      hyper_episode_act(&h, &action);
    }
  }
  run_episode_path(path, s->directory, e);
  assert_true(trajectory_write(&h, path, &error));
  hyper_episode_free(&h);
}

static void a_member_trains_its_model_at_its_interval_over_all_rounds(void** state) {
  (void)state;
  Population p;
  open_population(&p);
  const StageResult* result;
  Error error;
  for (int e = 0; e < 3; e++) {
    seal(&p.scheduler, e, &p.arena);
  }
  assert_true(scheduler_fold(&p.scheduler, 3, &result, &error));
  int64_t an_epoch = mbpo_times_per_epoch(&p.spec.mbpo, p.spec.hyper.decision_interval);
  for (int member = 0; member < 3; member++) {
    int64_t interval = (int64_t)search_value(&p.members[member].point, HEAD_TRAIN_MODEL,
                                             &p.spec.search, &p.spec.hyper);
    for (int d = 0; d < 6; d++) {
      HyperAction action;
      SchedulerRequest request = {.hyper_episode = 3 + member, .decision = d, .state = &asked};
      scheduler_decide(&action, &p.scheduler, &request);
      assert_true(action.value[HEAD_TRAIN_MODEL] == ((an_epoch + d) % interval == 0));
    }
  }
  close_population(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_more_run_at_once_than_the_next_update_leaves),
      cmocka_unit_test(who_diverged_is_counted_and_not_in_the_mean),
      cmocka_unit_test(what_cannot_be_applied_is_named),
      cmocka_unit_test(a_trainer_learns_from_each_hyper_episode_unless_it_is_trained),
      cmocka_unit_test(a_population_begins_with_what_its_seed_draws),
      cmocka_unit_test(a_member_trains_its_model_at_its_interval_over_all_rounds),
      cmocka_unit_test(a_hyper_episode_draws_from_streams_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
