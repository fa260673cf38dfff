// run_config_trained.c - what a trained controller brings along into the run that applies it.
//
// A controller carries what it needs: the hyper-MDP that it was trained in and its own shape are in
// its policy file, and hold wherever it is applied. The file's configuration is read into a second
// RunConfig, and carried options are taken from there one by one; what the user gave otherwise is
// named in a warning, or stands, if it came from the command line.
//
// Some differences cannot stand: heads and widths are the network's. Another task must be allowed,
// because a controller's features are scaled for its own.
#include <string.h>

#include "run/run_config.h"
#include "hyper/scheduler.h"
#include "run/shipped.h"
#include "run/seeds.h"

// What belongs to the controller itself, and not to its training.
static const char* const of_the_controller[] = {"ppo.groups", "ppo.hidden_size", "ppo.at_bounds",
                                                NULL};

typedef struct {
  RunConfig* config;
  const Options* trained;
  const char* path;   // of the policy file
  bool given;         // scheduler.settings
  Error* error;
} Taking;

static bool is_one_of(const char* const* words, const char* word) {
  for (; *words; words++) {
    if (strcmp(*words, word) == 0) {
      return true;
    }
  }
  return false;
}

static bool starts_with(const char* key, const char* start) {
  return strncmp(key, start, strlen(start)) == 0;
}

// Of hyper.*, how long and under whom a run is belongs to the run, and all else to the hyper-MDP.
static bool is_carried(const char* key) {
  bool of_the_run = strcmp(key, "hyper.train_epochs") == 0 || starts_with(key, "hyper.apply_");
  return (starts_with(key, "hyper.") && !of_the_run) || is_one_of(of_the_controller, key);
}

// Without these, the networks of the file cannot be read.
static bool is_shape(const char* key) {
  return starts_with(key, "hyper.schedule_") || strcmp(key, "ppo.groups") == 0 ||
         strcmp(key, "ppo.hidden_size") == 0;
}

// Takes one option, or lets the configured value stand; a difference is named.
static bool take(const Taking* t, const char* key) {
  RunConfig* c = t->config;
  const char* origin = options_origin(&c->options, key);
  const char* here = options_text(&c->options, key);
  const char* there = options_text(t->trained, key);
  bool stands = t->given || strcmp(origin, "command line") == 0;
  if (strcmp(here, there) == 0) {
    return true;
  }
  if (stands && is_shape(key)) {
    return error_line(t->error,
                      "%s: '%s=%s': the controller of %s has %s, and can be applied with no other "
                      "(hyper.apply_* leave heads out)",
                      origin, key, here, t->path, there);
  }
  if (stands) {
    text_add(&c->warnings, "warning: %s: '%s=%s': the controller was trained with %s\n", origin,
             key, here, there);
    return true;
  }
  if (strcmp(origin, "default") != 0) {
    text_add(&c->warnings,
             "warning: %s: '%s=%s' is not used: the controller was trained with %s (the command "
             "line, or scheduler.settings=given, overrides that)\n",
             origin, key, here, there);
  }
  options_take(&c->options, t->trained, key);
  return true;
}

// What the file does not say, because an earlier program wrote it, stays as it is configured.
static bool take_section(const Taking* t, const OptionSection* section) {
  bool good = true;
  for (int i = 0; i < section->table.count; i++) {
    const char* name = section->table.rows[i].name;
    const char* key = text_format(&t->config->arena, "%s.%s", section->name, name);
    if (is_carried(key) && strcmp(section->origins[i], "default") != 0) {
      good &= take(t, key);
    }
  }
  return good;
}

static bool take_all(const Taking* t) {
  bool good = true;
  for (int s = 0; s < t->trained->count; s++) {
    good &= take_section(t, &t->trained->sections[s]);
  }
  return good;
}

bool run_config_check_transfer(const RunConfig* c, const char* env, Error* error) {
  if (!c->controller_path || c->spec.scheduler.transfer || strcmp(c->trained_env, env) == 0) {
    return true;
  }
  return error_line(error,
                    "%s: a controller of %s, but the task is %s: scheduler.transfer=true allows "
                    "that",
                    c->controller_path, c->trained_env, env);
}

// A run on seeds that made what it applies says nothing about others.
static bool check_seed(RunConfig* c, const SchedulerTrained* trained, Error* error) {
  int64_t* others = ARENA_NEW(&c->arena, SEEDS_MOST, int64_t);
  int count = seeds_parse(others, trained->baseline_seeds);
  bool same = c->run.seed == trained->seed, in_baseline = false;
  for (int i = 0; i < count; i++) {
    in_baseline |= others[i] == c->run.seed;
  }
  return c->spec.scheduler.trained_seeds || !(same || in_baseline) ||
         error_line(error,
                    "run.seed=%lld: %s of %s is of this seed, expected another one: results on it "
                    "say nothing about others (scheduler.trained_seeds=true allows it)",
                    (long long)c->run.seed, same ? "the training" : "R' in the training",
                    trained->path);
}

// Takes the options that come with the controller.
static bool take_settings(RunConfig* c, const char* config, Error* error) {
  RunConfig* trained = ARENA_NEW(&c->arena, 1, RunConfig);
  Taking taking = {.config = c,
                   .trained = &trained->options,
                   .path = c->controller_path,
                   .given = strcmp(c->spec.scheduler.settings, "given") == 0,
                   .error = error};
  run_config_init(trained);
  bool good = options_load_record(&trained->options, taking.path, config, error) &&
              take_all(&taking);
  run_config_free(trained);
  bool has_name = strncmp(c->env.id, "plugin:", 7) != 0;  // else it is known when it is opened
  good &= !has_name || run_config_check_transfer(c, c->env.id, error);
  return good && options_set(&c->options, "scheduler.settings", "given", taking.path, error);
}

bool run_config_take_trained(RunConfig* c, Error* error) {
  const SchedulerKind* kind = scheduler_kind(&c->spec);
  SchedulerTrained trained = {.seed = -1, .baseline_seeds = ""};
  if (!kind->find_trained || !*c->spec.scheduler.controller) {
    return true;
  }
  const char* named =
      shipped_find(SHIPPED_CONTROLLERS, c->spec.scheduler.controller, &c->arena, error);
  if (!named || !kind->find_trained(&trained, named, &c->arena, error)) {
    return false;
  }
  c->controller_path = arena_string(&c->arena, trained.path);
  c->trained_env = trained.env;
  bool good = check_seed(c, &trained, error);
  return (!trained.config || take_settings(c, trained.config, error)) && good;
}
