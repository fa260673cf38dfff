// run_config_resolve.c - from the options of a run to its RunSpec, in an order that matters.
//
// What a trained controller brings comes first, as it assigns options. Then the options are checked
// together, and the task is opened, because only it knows sizes and the length of an episode; with
// these the rest is checked. Last come the inputs: schedule, baseline, and the hash over the
// options that results depend on and the contents of all input files.
#include "run/run_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "run/assets.h"
#include "run/shipped.h"
#include "hyper/scheduler.h"

// Replaces every `word` of `text` (RUN_PATH_SIZE).
static void fill_in(char* text, const char* word, const char* value) {
  char filled[RUN_PATH_SIZE];
  char* place = strstr(text, word);
  while (place) {
    int size = snprintf(filled, sizeof filled, "%.*s%s%s", (int)(place - text), text, value,
                        place + strlen(word));
    CHECK(size < RUN_PATH_SIZE, "run.dir is too long: %s", text);
    size_t resume = (size_t)(place - text) + strlen(value);
    memcpy(text, filled, (size_t)size + 1);
    place = strstr(text + resume, word);
  }
}

static void fill_directory(RunDirectory* directory, const RunConfig* config) {
  char seed[32];
  // of plugin:DIR/FILE.so only FILE.so is part of a name
  const char* slash = strrchr(config->env.id, '/');
  snprintf(seed, sizeof seed, "%" PRId64, config->run.seed);
  snprintf(directory->path, sizeof directory->path, "%s", config->run.dir);
  fill_in(directory->path, "{env}", slash ? slash + 1 : config->env.id);
  fill_in(directory->path, "{method}", config->run.method);
  fill_in(directory->path, "{seed}", seed);
}

static bool find_assets(RunConfig* c, Error* error) {
  c->spec.assets = *c->env.assets ? c->env.assets : assets_find(&c->arena, error);
  return c->spec.assets != NULL;
}

// Files name a plugin as it names itself, wherever it is.
static bool open_task(RunConfig* c, Error* error) {
  RunSpec* x = &c->spec;
  Env env;
  Arena arena;
  arena_init(&arena);
  bool good = env_open(&env, x->task, x->assets, &arena, error);
  if (good) {
    c->env_spec = env.spec;
    c->env_spec.definition = c->env_spec.model = NULL;  // they go with the task, as functions do
    c->env_spec.terminated = NULL;
    c->env_spec.reward = NULL;
    snprintf(x->env, sizeof x->env, "%s", env.spec.id);
    memcpy(x->task_files, env.spec.files, sizeof x->task_files);
    env_close(&env);
  }
  arena_free(&arena);
  return good;
}

// The options that results depend on.
static void write_config(RunConfig* c, Text* text) {
  char task[sizeof c->env.id];
  strcpy(task, c->env.id);
  snprintf(c->env.id, sizeof c->env.id, "%s", c->spec.env);
  options_canonical(&c->options, c->unhashed, text);
  strcpy(c->env.id, task);
}

static bool find_baseline(RunConfig* c, bool needed, Error* error) {
  bool named = *c->spec.scheduler.baseline;
  if (!needed && !named) {
    return true;
  }
  const char* name = named ? c->spec.scheduler.baseline
                           : text_format(&c->arena, "baselines/%s.yaml", c->spec.env);
  const char* path = shipped_find(SHIPPED_BASELINES, name, &c->arena, error);
  if (!path) {
    c->baseline_path = name;  // it is not one that may be made yet
    return false;
  }
  if (!files_exists(path)) {
    return error_line(error,
                      "no baseline %s: a controller is trained against the return of MBPO in its "
                      "own configuration; `autombpo baseline -o FILE.yaml CONFIG.yaml` makes it, "
                      "scheduler.baseline=FILE.yaml names it",
                      name);
  }
  c->baseline_path = path;
  if (!baseline_load(&c->baseline, path, &c->arena, error)) {
    return false;
  }
  if (strcmp(c->baseline.env, c->spec.env) != 0) {
    return error_line(error, "%s: is the baseline of %s, expected %s", path, c->baseline.env,
                      c->spec.env);
  }
  c->spec.baseline = &c->baseline;
  return true;
}

// A schedule must be readable, and its rollouts no longer than there is room for.
static bool find_schedule(RunConfig* c, Error* error) {
  if (!scheduler_kind(&c->spec)->needs_schedule) {
    return true;
  }
  c->schedule_path = assets_find_shipped(c->spec.scheduler.schedule, &c->arena);
  if (!schedule_read(&c->schedule, c->schedule_path, &c->arena, error)) {
    return false;
  }
  const Schedule* schedule = &c->schedule;
  for (int n = 0; schedule->has[HEAD_ROLLOUT_LENGTH] && n < schedule->knots; n++) {
    double length = schedule->value[n * HEAD_COUNT + HEAD_ROLLOUT_LENGTH];
    if (length > c->spec.hyper.rollout_length_max) {
      return error_line(error, "%s: rollout_length is %g, expected at most "
                        "hyper.rollout_length_max=%d", c->schedule_path, length,
                        c->spec.hyper.rollout_length_max);
    }
  }
  c->spec.schedule = schedule;
  return true;
}

static bool add_file_hash(Text* text, const char* what, const char* path, Error* error) {
  uint64_t hash;
  if (path && !files_hash(&hash, path, error)) {
    return false;
  }
  if (path) {
    text_add(text, "# %s %016" PRIx64 "\n", what, hash);
  }
  return true;
}

// R' must reach to the end of the run, because it is compared epoch by epoch.
static bool check_length(const RunConfig* c, Error* error) {
  const RunSpec* x = &c->spec;
  int64_t end = x->mbpo.exploration_steps + (int64_t)x->hyper.train_epochs * x->mbpo.epoch_length;
  int64_t last = c->baseline.env_step[c->baseline.count - 1];
  if (last < end) {
    return error_line(error,
                      "the baseline of %s ends at %lld real samples, but hyper.train_epochs=%d "
                      "needs %lld: make a longer one with `autombpo baseline`",
                      c->env.id, (long long)last, x->hyper.train_epochs, (long long)end);
  }
  return true;
}

// Files count by what is in them, not by where they are.
static bool add_hashes(RunConfig* c, Error* error) {
  RunSpec* x = &c->spec;
  Text text;
  text_init(&text, &c->arena);
  write_config(c, &text);
  if (x->baseline) {
    const Baseline* b = x->baseline;
    uint64_t hash = hash_bytes(HASH_START, b->env_step, (size_t)b->count * sizeof *b->env_step);
    hash = hash_bytes(hash, b->return_mean, (size_t)b->count * sizeof *b->return_mean);
    text_add(&text, "# baseline %016" PRIx64 "\n", hash);
  }
  if (!add_file_hash(&text, "controller", c->controller_path, error) ||
      !add_file_hash(&text, "schedule", c->schedule_path, error)) {
    return false;
  }
  x->config = text.bytes;
  uint64_t hash = hash_bytes(HASH_START, text.bytes, text.size);
  snprintf(x->config_hash, sizeof x->config_hash, "%016" PRIx64, hash);
  return true;
}

bool run_config_open(RunConfig* c, Error* error) {
  bool good = run_config_take_trained(c, error);
  if (!run_config_check(c, error) || !good) {
    return false;
  }
  fill_directory(&c->directory, c);
  run_config_fill(c);
  return run_config_check_inputs(c, error) && find_assets(c, error) && open_task(c, error) &&
         run_config_check_transfer(c, c->spec.env, error) && find_schedule(c, error) &&
         run_config_check_task(c, error);
}

bool run_config_take_baseline(RunConfig* c, Error* error) {
  bool needed = scheduler_kind(&c->spec)->needs_baseline;
  return find_baseline(c, needed, error) && (!needed || check_length(c, error));
}

bool run_config_resolve(RunConfig* c, Error* error) {
  return run_config_open(c, error) && run_config_take_baseline(c, error) && add_hashes(c, error);
}
