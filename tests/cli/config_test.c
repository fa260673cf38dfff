// Laws of the configuration: what is shown gives the same run, what is wrong is refused with exit
// code 2 and a place, and the shipped files are right.

#include "run/run_config.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/verbs.h"
#include "store/files.h"

typedef struct {
  char dir[64];
  Arena arena;
  Error error;
} Fixture;

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->dir, "/tmp/config_test_XXXXXX");
  assert_non_null(mkdtemp(f->dir));
  arena_init(&f->arena);
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", f->dir);
  assert_int_equal(system(command), 0);
  arena_free(&f->arena);
  free(f);
  return 0;
}

// Runs `autombpo config` with up to 5 arguments; returns the exit code. Its messages are dropped.
static int config_verb(const char* a, const char* b, const char* c, const char* d, const char* e) {
  char* arguments[] = {"config", (char*)a, (char*)b, (char*)c, (char*)d, (char*)e, NULL};
  int count = 0;
  while (arguments[count]) {
    count++;
  }
  fflush(stdout);
  fflush(stderr);
  int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
  assert_non_null(freopen("/dev/null", "w", stdout));
  assert_non_null(freopen("/dev/null", "w", stderr));
  optind = 0;
  int code = verb_config(count, arguments);
  fflush(stdout);
  fflush(stderr);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close(out);
  close(err);
  return code;
}

// Reads and checks one operand.
static bool read_one(Fixture* f, RunConfig* config, const char* operand) {
  f->error.text[0] = '\0';
  run_config_init(config);
  bool good = run_config_read(config, 1, (char* const[]){(char*)operand}, false, NULL, &f->error);
  return run_config_check(config, &f->error) && good;
}

static void expect_refused(Fixture* f, const char* operand, const char* line) {
  RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
  assert_false(read_one(f, config, operand));
  assert_string_equal(f->error.text, line);
  run_config_free(config);
}

static void shown_text_is_the_same_configuration(void** state) {
  Fixture* f = *state;
  const char* first = text_format(&f->arena, "%s/a.yaml", f->dir);
  const char* second = text_format(&f->arena, "%s/b.yaml", f->dir);
  const char* task = SOURCE_DIR "/configs/hopper.yaml";
  assert_int_equal(config_verb("show", "-o", first, task, "sac.learning_rate=1.7e-4"), 0);
  assert_int_equal(config_verb("show", first, "-o", second, NULL), 0);
  assert_int_equal(config_verb("diff", first, second, NULL, NULL), 0);
  assert_int_equal(config_verb("diff", first, task, NULL, NULL), 1);
  char *a, *b;
  size_t size;
  RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
  assert_true(files_read(&a, &size, first, &f->arena, &f->error));
  assert_non_null(strstr(a, "learning_rate: 0.00017  # command line\n"));
  assert_non_null(strstr(a, "configs/hopper.yaml:"));
  assert_true(files_read(&b, &size, second, &f->arena, &f->error));
  assert_true(read_one(f, config, second));
  assert_true(config->spec.sac.learning_rate == 1.7e-4);
  run_config_free(config);
}

static void every_shipped_configuration_is_valid(void** state) {
  Fixture* f = *state;
  static const char* const directories[] = {SOURCE_DIR "/configs", SOURCE_DIR "/configs/methods"};
  int checked = 0;
  for (int d = 0; d < 2; d++) {
    char** names;
    int count;
    assert_true(files_list(&names, &count, directories[d], ".yaml", &f->arena, &f->error));
    for (int i = 0; i < count; i++) {
      RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
      if (!read_one(f, config, text_format(&f->arena, "%s/%s", directories[d], names[i]))) {
        fail_msg("%s", f->error.text);
      }
      run_config_free(config);
      checked++;
    }
  }
  assert_true(checked >= 5);
}

static void problems_give_exit_code_2_and_write_nothing(void** state) {
  Fixture* f = *state;
  const char* out = text_format(&f->arena, "%s/out.yaml", f->dir);
  assert_int_equal(config_verb("show", "-o", out, "sac.bach_size=64", NULL), 2);
  assert_int_equal(config_verb("show", "-o", out, "none.yaml", NULL), 2);
  assert_int_equal(config_verb("check", "model.elites=9", NULL, NULL, NULL), 2);
  assert_int_equal(config_verb("check", "sac.batch_size=64", NULL, NULL, NULL), 0);
  assert_int_equal(config_verb("shwo", NULL, NULL, NULL, NULL), 2);
  assert_int_equal(config_verb("--none", NULL, NULL, NULL, NULL), 2);
  assert_int_equal(config_verb("keys", "no such option", NULL, NULL, NULL), 1);
  assert_false(files_exists(out));
}

static void rules_between_options_name_both(void** state) {
  Fixture* f = *state;
  expect_refused(f, "model.elites=9",
                 "command line: 'model.elites=9': must be at most model.members=7");
  expect_refused(f, "sac.policy_layers=[64, 32.5]",
                 "command line: 'sac.policy_layers=[64, 32.5]': item 2 must be a whole number of "
                 "units");
  expect_refused(f, "sac.critic_layers=[1,1,1,1,1,1,1,1]",
                 "command line: 'sac.critic_layers=[1, 1, 1, 1, 1, 1, 1, 1]': must have at most 7 "
                 "layers");
  expect_refused(f, "env.id=hoper-v4",
                 "command line: 'env.id=hoper-v4': no such task (did you mean 'hopper-v4'?)");
  expect_refused(f, "env.id=tetris",
                 "command line: 'env.id=tetris': no such task (autombpo env list names them)");
  expect_refused(f, "mbpo.rollout_schedule=[1, 2]",
                 "command line: 'mbpo.rollout_schedule=[1, 2]': must have 4 items");
  expect_refused(f, "ppo.groups=train_model,real_ration",
                 "command line: 'ppo.groups=\"train_model,real_ration\"': unknown head "
                 "'real_ration', expected train_model, real_ratio, policy_updates or "
                 "rollout_length");
  expect_refused(f, "ppo.groups=train_model+real_ratio,policy_updates+rollout_length",
                 "default: 'ppo.stages=[10]': must have one item for each of the 2 groups of "
                 "ppo.groups");
  expect_refused(f, "run.dir=runs/{task}",
                 "command line: 'run.dir=\"runs/{task}\"': only {env}, {method} and {seed} are "
                 "filled in");
  expect_refused(f, "hyper.decision_interval=2000",
                 "command line: 'hyper.decision_interval=2000': must be at most "
                 "mbpo.epoch_length=1000");
}

static void all_problems_are_listed_at_once(void** state) {
  Fixture* f = *state;
  const char* path = text_format(&f->arena, "%s/bad.yaml", f->dir);
  const char* text =
      "sac:\n"
      "  batchsize: 64\n"
      "mbpo:\n"
      "  real_ratio: 1.7\n"
      "model: {elites: 9}\n";
  assert_true(files_write(path, text, strlen(text), &f->error));
  expect_refused(f, path,
                 text_format(&f->arena,
                             "%s:2:3: unknown key 'sac.batchsize' "
                             "(did you mean 'sac.batch_size'?)\n"
                             "%s:4:15: 'mbpo.real_ratio=1.7': must be in [0, 1]\n"
                             "%s:5:17: 'model.elites=9': must be at most model.members=7",
                             path, path, path));
}

// Start states of rollouts in an epoch, as MBPO steps through it.
static int64_t imagined_per_epoch(const MbpoOptions* o) {
  int64_t states = 0;
  for (int step = 0; step < o->epoch_length; step++) {
    states += step % o->rollout_interval == 0 ? o->rollouts : 0;
  }
  return states;
}

// `method` may be NULL.
static void expect_equal_imagination(Fixture* f, const char* task, const char* method) {
  RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
  run_config_init(config);
  char* operands[] = {(char*)task, (char*)method};
  assert_true(run_config_read(config, method ? 2 : 1, operands, false, NULL, &f->error));
  MbpoOptions scheduled = run_spec_mbpo(&config->spec);
  int64_t original = imagined_per_epoch(&config->spec.mbpo);
  if (imagined_per_epoch(&scheduled) != original) {
    fail_msg("%s %s: %lld start states an epoch, the original %lld", task, method ? method : "",
             (long long)imagined_per_epoch(&scheduled), (long long)original);
  }
  run_config_free(config);
}

// R' is the return of the original configuration: both must have the same amount of data.
static void every_task_and_method_imagines_as_much_as_its_baseline(void** state) {
  Fixture* f = *state;
  char **tasks, **methods, **releases;
  int task_count, method_count, release_count;
  assert_true(files_list(&tasks, &task_count, SOURCE_DIR "/configs", ".yaml", &f->arena, &f->error));
  assert_true(files_list(&methods, &method_count, SOURCE_DIR "/configs/methods", ".yaml",
                         &f->arena, &f->error));
  assert_true(files_list(&releases, &release_count, SOURCE_DIR "/configs/release", ".yaml",
                         &f->arena, &f->error));
  for (int t = 0; t < task_count; t++) {
    const char* task = text_format(&f->arena, SOURCE_DIR "/configs/%s", tasks[t]);
    for (int m = 0; m < method_count; m++) {
      expect_equal_imagination(
          f, task, text_format(&f->arena, SOURCE_DIR "/configs/methods/%s", methods[m]));
    }
  }
  for (int r = 0; r < release_count; r++) {
    expect_equal_imagination(
        f, text_format(&f->arena, SOURCE_DIR "/configs/release/%s", releases[r]), NULL);
  }
}

// Reads for a run that needs no baseline, and resolves.
static void resolve(Fixture* f, RunConfig* config, const char* a, const char* b) {
  char* operands[] = {"scheduler.kind=fixed", (char*)a, (char*)b};
  run_config_init(config);
  if (!run_config_read(config, 3, operands, false, NULL, &f->error) ||
      !run_config_resolve(config, &f->error)) {
    fail_msg("%s", f->error.text);
  }
}

static void the_hash_covers_what_results_depend_on_and_nothing_else(void** state) {
  Fixture* f = *state;
  RunConfig* one = ARENA_NEW(&f->arena, 3, RunConfig);
  RunConfig* same = one + 1;
  RunConfig* other = one + 2;
  resolve(f, one, "run.seed=3", "run.method=mbpo");
  resolve(f, same, "run.seed=3", "run.method=mbpo");
  assert_string_equal(one->directory.path, "runs/hopper-v4/mbpo/s3");
  assert_string_equal(one->spec.config_hash, same->spec.config_hash);
  run_config_free(same);
  resolve(f, same, "run.dir=elsewhere", "log.progress=5s");
  resolve(f, other, "run.dir=here", "log.progress=6s");
  assert_string_equal(same->spec.config, other->spec.config);
  assert_null(strstr(same->spec.config, "elsewhere"));
  run_config_free(other);
  resolve(f, other, "run.dir=elsewhere", "sac.discount=0.98");
  assert_string_not_equal(same->spec.config_hash, other->spec.config_hash);
  run_config_free(one);
  run_config_free(same);
  run_config_free(other);
}

// One that is added must not make another run of what was begun, or trained, before.
static void an_option_that_came_later_changes_no_hash_of_a_run_before_it(void** state) {
  Fixture* f = *state;
  const char* kept = SOURCE_DIR "/tests/formats_kept/version-1/run";
  char* text;
  size_t size;
  RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
  char* operands[] = {(char*)text_format(&f->arena, "%s/run.yaml", kept),
                      (char*)text_format(&f->arena, "scheduler.baseline=%s/baseline.yaml", kept)};
  run_config_init(config);
  if (!run_config_read(config, 2, operands, false, NULL, &f->error) ||
      !run_config_resolve(config, &f->error)) {
    fail_msg("%s", f->error.text);
  }
  assert_true(files_read(&text, &size, operands[0], &f->arena, &f->error));
  const char* recorded = strstr(text, "config_hash ");
  assert_non_null(recorded);
  assert_memory_equal(recorded + strlen("config_hash "), config->spec.config_hash, 16);
  run_config_free(config);
}

static void the_completion_script_is_accepted_by_bash(void** state) {
  Fixture* f = *state;
  const char* path = text_format(&f->arena, "%s/completion", f->dir);
  assert_int_equal(config_verb("completion", "bash", "-o", path, NULL), 0);
  const char* command = text_format(
      &f->arena,
      "bash -c 'source %s; COMP_WORDS=(autombpo train scheduler.kind = pp); COMP_CWORD=4;"
      " _autombpo; [[ ${COMPREPLY[*]} == ppo ]]'",
      path);
  assert_int_equal(system(command), 0);
}

static void the_man_page_names_every_option(void** state) {
  Fixture* f = *state;
  char* text;
  size_t size;
  const char* path = text_format(&f->arena, "%s/man", f->dir);
  RunConfig* config = ARENA_NEW(&f->arena, 1, RunConfig);
  run_config_init(config);
  assert_int_equal(config_verb("man", "-o", path, NULL, NULL), 0);
  assert_true(files_read(&text, &size, path, &f->arena, &f->error));
  for (int s = 0; s < config->options.count; s++) {
    const OptionSection* section = &config->options.sections[s];
    for (int i = 0; i < section->table.count; i++) {
      const char* key =
          text_format(&f->arena, ".B %s.%s\n", section->name, section->table.rows[i].name);
      assert_non_null(strstr(text, key));
    }
  }
  run_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(shown_text_is_the_same_configuration, set_up, tear_down),
      cmocka_unit_test_setup_teardown(every_shipped_configuration_is_valid, set_up, tear_down),
      cmocka_unit_test_setup_teardown(problems_give_exit_code_2_and_write_nothing, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(rules_between_options_name_both, set_up, tear_down),
      cmocka_unit_test_setup_teardown(all_problems_are_listed_at_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(every_task_and_method_imagines_as_much_as_its_baseline,
                                      set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_hash_covers_what_results_depend_on_and_nothing_else,
                                      set_up, tear_down),
      cmocka_unit_test_setup_teardown(
          an_option_that_came_later_changes_no_hash_of_a_run_before_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_completion_script_is_accepted_by_bash, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_man_page_names_every_option, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
