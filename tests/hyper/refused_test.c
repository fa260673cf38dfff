// Laws of a run whose disk refuses any one call: said, and gone on from to its end when it is started again.
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "../refused.h"
#include "hyper/answer_log.h"
#include "hyper/audit.h"
#include "hyper/checkpoint.h"
#include "hyper/manifest.h"
#include "hyper/population.h"
#include "hyper/ror_trainer.h"
#include "hyper/sealed_check.h"
#include "hyper/snapshot.h"
#include "hyper/verify.h"

static const PbtOptions pbt = {.members = 2, .interval = 1, .score_epochs = 1, .truncation = 0.5, .perturbation = 0.2, .resample = 0.25, .frequencies = {1, {1}}};
static const RorOptions ror = {.levels = {2, {0.2, 1}}, .explore_decisions = 4, .discount = 0.99, .learning_rate = 0.1, .target_mixing = 0.5, .updates = 1, .batch_size = 2, .learn = true};
static RunSpec x;         // of the run that is disturbed
static char master[256];  // NAME-begun, with one hyper-episode to go, at a checkpoint; NAME-done

static void choose_kind(const char* name) {
  x = small_experiment();
  x.scheduler.hyper_episodes = 2;
  x.ppo.stages = (OptionList){2, {1, 1}};
  strcpy(x.ppo.groups, "train_model+real_ratio,policy_updates");
  x.hyper.schedule_rollout_length = false;
  x.search.train_every_max = 4;
  x.mbpo.epoch_length = x.mbpo.max_path_length = 10;
  x.mbpo.exploration_steps = x.mbpo.min_pool = 20;
  x.mbpo.train_interval = x.mbpo.rollout_interval = 5;
  x.hyper.decision_interval = x.hyper.rollout_interval = 5;
  snprintf(x.scheduler.kind, sizeof x.scheduler.kind, "%s", name);
  for (int i = 0; scheduler_kind_at(i); i++) {
    const char* kind = scheduler_kind_at(i)->name;
    x.kind_options[i] = strcmp(kind, "pbt") == 0 ? (const void*)&pbt : strcmp(kind, "ror") == 0 ? &ror
                                                                                                : NULL;
  }
}

static RunDirectory directory_of(const char* path) {
  RunDirectory directory;
  snprintf(directory.path, sizeof directory.path, "%s", path);
  return directory;
}

static void warn(const char* message) { (void)message; }

static void decide(HyperEpisode* h, Scheduler* s) {
  SchedulerRequest request = {.hyper_episode = h->index, .decision = h->decisions, .version = h->policy_version, .state = &h->state, .notes = h->notes};
  HyperAction action;
  scheduler_decide(&action, s, &request);
  hyper_episode_act(h, &action);
}

// Up to the end; or to a checkpoint just before it.
static bool advance(HyperEpisode* h, Scheduler* s, bool stop, Error* error) {
  CheckpointCost cost;
  HyperEvent event = h->awaiting ? HYPER_DECISION : HYPER_STEPPED;
  while (event != HYPER_FINISHED && !(stop && h->epochs == 1)) {
    if (event == HYPER_DECISION) {
      decide(h, s);
    }
    event = hyper_episode_advance(h);
  }
  return !stop || checkpoint_write(&cost, h, s->directory, 0, error);
}

// What a worker does.
static bool run_one(Scheduler* s, int64_t e, bool stop, Arena* arena, Error* error) {
  HyperEpisode h;
  char path[RUN_PATH_SIZE];
  bool found;
  HyperSegment segment = scheduler_segment(s, e);
  int version = scheduler_version_of(&s->plan, e);
  run_episode_path(path, s->directory, e);
  if (files_stands(path)) {
    return sealed_check_episode(s->directory, &x, e, error);
  }
  if (!scheduler_load_version(s, version, error) ||
      !hyper_episode_init(&h, &x, e, &segment, s->kind->has_versions ? version : -1, scheduler_sets(s, version),
                          arena, error)) {
    return false;
  }
  bool good = checkpoint_load(&h, s->directory, &found, warn, arena, error) &&
              (found || segment.parent < 0 || snapshot_load(&h, s->directory, arena, error)) &&
              advance(&h, s, stop, error);
  if (good && h.finished) {
    good = (!hyper_episode_goes_on(&h) || snapshot_write(&h, s->directory, error)) &&
           trajectory_write(&h, path, error);
  }
  if (good && h.finished) {
    checkpoint_remove(s->directory, e);
  }
  hyper_episode_free(&h);
  return good;
}

// What all ranks do, up to a checkpoint in the last hyper-episode or to the end.
static bool train(const char* path, bool stop, Error* error) {
  Scheduler s;
  Arena arena;
  const StageResult* result;
  RunDirectory directory = directory_of(path);
  arena_init(&arena);
  bool good = run_directory_make(&directory, error) && scheduler_open(&s, &x, &directory, &arena, error) &&
              scheduler_begin(&s, error);
  int64_t all = good ? s.plan.hyper_episodes : 0;
  for (int64_t e = 0; good && e < all; e++) {
    good = scheduler_fold(&s, e, &result, error) && (!result || result->episodes == s.plan.stage_size) &&
           run_one(&s, e, stop && e + 1 == all, &arena, error);
  }
  good = good && (stop || (scheduler_fold(&s, all, &result, error) && manifest_write(&directory, error)));
  arena_free(&arena);
  return good;
}

static bool go_on(const char* directory, Error* error) { return train(directory, false, error); }

// Names of their own for the files of a directory, and of those in it.
static bool copy(const char* from, const char* to, Error* error) {
  Arena arena;
  char** names;
  int count;
  mkdir(to, 0777);
  arena_init(&arena);
  bool good = files_list(&names, &count, from, "", &arena, error);
  for (int i = 0; good && i < count; i++) {
    const char* old = text_format(&arena, "%s/%s", from, names[i]);
    const char* new = text_format(&arena, "%s/%s", to, names[i]);
    good = link(old, new) == 0 || copy(old, new, error);
  }
  arena_free(&arena);
  return good;
}

static bool copy_begun(const char* directory, Error* error) {
  char from[512];
  snprintf(from, sizeof from, "%s/%s-begun", master, x.scheduler.kind);
  return copy(from, directory, error);
}

static bool copy_done(const char* directory, Error* error) {
  char from[512];
  snprintf(from, sizeof from, "%s/%s-done", master, x.scheduler.kind);
  return copy(from, directory, error);
}

// The last hyper-episode is run again, and all that can be worked out again is.
static bool check_done(const char* path, Error* error) {
  Scheduler s;
  Arena arena;
  Text report;
  RunDirectory directory = directory_of(path);
  Verify verify = {.report = &report};
  Audit audit = {.report = &report};
  snprintf(verify.place.path, sizeof verify.place.path, "%.900s/again", path);
  arena_init(&arena);
  text_init(&report, &arena);
  bool good = run_directory_make(&verify.place, error) && scheduler_open(&s, &x, &directory, &arena, error) &&
              manifest_check(&directory, error) &&
              verify_episode(&verify, &s, s.plan.hyper_episodes - 1, 1000, error) && audit_policies(&audit, &s, error) &&
              audit_episode(&audit, &s, 1, error);
  CHECK(!good || verify.differences + audit.differences == 0, "%s", report.bytes);
  arena_free(&arena);
  return good;
}

// As scheduler.controller of a run that is applied.
static bool apply_done(const char* path, Error* error) {
  Scheduler s;
  Arena arena;
  SchedulerTrained trained;
  RunSpec applied = x;
  RunDirectory directory = directory_of(path);
  const char* kind = strcmp(x.scheduler.kind, "ppo") == 0 ? "apply" : strcmp(x.scheduler.kind, "pbt") == 0 ? "static"
                                                                                                           : "ror";
  snprintf(applied.scheduler.kind, sizeof applied.scheduler.kind, "%s", kind);
  arena_init(&arena);
  bool good = scheduler_kind(&applied)->find_trained(&trained, path, &arena, error);
  if (good) {
    snprintf(applied.scheduler.controller, sizeof applied.scheduler.controller, "%.250s", trained.path);
    good = scheduler_open(&s, &applied, &directory, &arena, error);
  }
  arena_free(&arena);
  return good;
}

static bool answer(const char* path, Error* error) {
  RunDirectory directory = directory_of(path);
  bool found = true;
  for (int decision = 0; decision < 2; decision++) {
    Answer a = {.decision = decision, .action = {.choice = {1, 2, 2, 2}}}, back;
    if (!answer_log_find(&back, &found, &directory, 0, decision, error) ||
        (!found && !answer_log_add(&directory, &a, error)) ||
        !answer_log_find(&back, &found, &directory, 0, decision, error)) {
      return false;
    }
    CHECK(found && back.action.choice[1] == 2, "another answer");
  }
  return true;
}

static void refuse_all(const char* kind) {
  char path[512];
  Error error;
  choose_kind(kind);
  snprintf(path, sizeof path, "%s/%s-begun", master, kind);
  assert_true(mkdir(path, 0777) == 0 && train(path, true, &error));
  snprintf(path, sizeof path, "%s/%s-done", master, kind);
  assert_true(copy_begun(path, &error) && train(path, false, &error));
  each_call_refused(copy_begun, go_on, REFUSED_STORE);
  each_call_refused(copy_done, check_done, REFUSED_STORE);
  each_call_refused(copy_done, apply_done, REFUSED_STORE);
}

static void a_controller(void** state) {
  (void)state;
  refuse_all("ppo");
}

static void a_population(void** state) {
  (void)state;
  refuse_all("pbt");
}

static void a_trainer(void** state) {
  (void)state;
  refuse_all("ror");
}

static void answers_from_outside(void** state) {
  (void)state;
  each_call_refused(NULL, answer, EIO);
}

static int set_up(void** state) {
  (void)state;
  strcpy(master, "/tmp/refused_runs_XXXXXX");
  return mkdtemp(master) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  char command[300];
  snprintf(command, sizeof command, "rm -r %s", master);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_controller),
      cmocka_unit_test(a_population),
      cmocka_unit_test(a_trainer),
      cmocka_unit_test(answers_from_outside),
  };
  return cmocka_run_group_tests_name("refused any call:", tests, set_up, tear_down);
}
