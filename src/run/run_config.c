// run_config.c - from files and operands to a RunSpec, in an order that matters.
//
// First the tables are bound to their structs, and files, presets and operands assign
// (run_config_read). Then run_config_open takes what a trained controller brings, checks the
// options together, and opens the task, because only it knows sizes and the length of an episode;
// with these the rest is checked. Last come the inputs: baseline and hashes.
//
// The hash is over the canonical text of all options that results depend on, and over the contents
// of input files. `unhashed` lists what does not count: places, limits of time, what is printed. An
// option in doubt belongs in the hash: to refuse a run is a nuisance, to mix two is
// wrong. One that is added gets a line there for the value that programs before it had, so that
// their runs, baselines and controllers stay what they were.
#include "run/run_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/archive.h"
#include "run/assets.h"
#include "run/shipped.h"
#include "hyper/schedule.h"
#include "hyper/scheduler.h"

OPTION_TABLE(env_table, EnvOptions, ENV_OPTIONS)
OPTION_TABLE(sac_table, SacOptions, SAC_OPTIONS)
OPTION_TABLE(model_table, EnsembleOptions, ENSEMBLE_OPTIONS)
OPTION_TABLE(mbpo_table, MbpoOptions, MBPO_OPTIONS)
OPTION_TABLE(hyper_table, HyperOptions, HYPER_OPTIONS)
OPTION_TABLE(scheduler_table, SchedulerOptions, SCHEDULER_OPTIONS)
OPTION_TABLE(ppo_table, PpoOptions, PPO_OPTIONS)
OPTION_TABLE(search_table, SearchOptions, SEARCH_OPTIONS)
OPTION_TABLE(compute_table, ComputeOptions, COMPUTE_OPTIONS)
OPTION_TABLE(run_table, RunOptions, RUN_OPTIONS)
OPTION_TABLE(log_table, LogOptions, LOG_OPTIONS)
OPTION_TABLE(checkpoint_table, CheckpointOptions, CHECKPOINT_OPTIONS)

// scheduler.controller, baseline and schedule are places of files: their contents count instead.
static const char* const unhashed[] = {
    "env.assets", "run.dir", "run.threads", "run.max_wall", "run.term_grace", "run.lost_after",
    "run.lease_timeout", "run.pack", "run.allow_mixed_cpu", "run.allow_other_program", "checkpoint",
    "log.progress", "log.quiet", "scheduler.controller", "scheduler.baseline",
    "scheduler.schedule", "scheduler.settings", "scheduler.transfer",
    "scheduler.trained_seeds",
    // of options that came later, the value that all files before them mean
    "sac.policy_layers=[]", "sac.critic_layers=[]", "sac.policy_learning_rate=auto",
    "sac.critic_learning_rate=auto", "sac.alpha_learning_rate=auto", "sac.reward_scale=1",
    "sac.policy_interval=1", "sac.target_interval=1", "sac.temperature=auto",
    "mbpo.mean_actions=false", "mbpo.mean_predictions=false", NULL};

static void add_unhashed(RunConfig* c, const char* const* keys) {
  for (; keys && *keys; keys++) {
    CHECK(c->unhashed_count < RUN_UNHASHED - 1, "too many options that results do not depend on");
    c->unhashed[c->unhashed_count++] = *keys;
  }
}

// The options that one kind of scheduler alone has.
static void add_own_section(RunConfig* c, int i) {
  const SchedulerKind* kind = scheduler_kind_at(i);
  if (kind->section.table) {
    OptionTable table = kind->section.table();
    void* values = arena_alloc(&c->arena, table.size);
    options_section(&c->options, kind->name, table, values);
    c->spec.kind_options[i] = values;
  }
  add_unhashed(c, kind->section.unhashed);
}

void run_config_init(RunConfig* c) {
  memset(c, 0, sizeof *c);
  arena_init(&c->arena);
  text_init(&c->warnings, &c->arena);
  Options* set = &c->options;
  options_init(set, &c->arena, getenv("AUTOMBPO_PATH"), assets_configs(&c->arena));
  options_section(set, "env", env_table(), &c->env);
  options_section(set, "sac", sac_table(), &c->spec.sac);
  options_section(set, "model", model_table(), &c->spec.model);
  options_section(set, "mbpo", mbpo_table(), &c->spec.mbpo);
  options_section(set, "hyper", hyper_table(), &c->spec.hyper);
  options_section(set, "scheduler", scheduler_table(), &c->spec.scheduler);
  options_section(set, "ppo", ppo_table(), &c->spec.ppo);
  options_section(set, "search", search_table(), &c->spec.search);
  add_unhashed(c, unhashed);
  for (int i = 0; scheduler_kind_at(i); i++) {
    add_own_section(c, i);
  }
  options_section(set, "compute", compute_table(), &c->compute);
  options_section(set, "run", run_table(), &c->run);
  options_section(set, "log", log_table(), &c->log);
  options_section(set, "checkpoint", checkpoint_table(), &c->checkpoint);
}

void run_config_free(RunConfig* c) { arena_free(&c->arena); }

bool run_config_read(RunConfig* c, int count, char* const* operands, bool quickstart,
                     const char* const* presets, Error* error) {
  bool good = true;
  for (int i = 0; i < count; i++) {
    quickstart &= strchr(operands[i], '=') != NULL;
  }
  if (quickstart) {
    good = options_load_text(&c->options, "quickstart.yaml", run_config_quickstart, error);
  }
  for (int i = 0; i < count; i++) {
    if (!strchr(operands[i], '=')) {
      good &= options_load(&c->options, operands[i], error);
    }
  }
  for (int i = 0; presets && presets[i]; i++) {
    good &= options_override(&c->options, presets[i], error);
  }
  for (int i = 0; i < count; i++) {
    if (strchr(operands[i], '=')) {
      good &= options_override(&c->options, operands[i], error);
    }
  }
  return good;
}

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

void run_config_fill(RunConfig* c) {
  RunSpec* x = &c->spec;
  bool rounds = strcmp(c->compute.precision, "bfloat16") == 0;
  x->sac.precision = x->model.precision = rounds ? GEMM_BFLOAT16 : GEMM_FLOAT32;
  x->seed = (uint64_t)c->run.seed;
  x->threads = c->run.threads;
  x->log_transitions = c->log.transitions;
  snprintf(x->task, sizeof x->task, "%s", c->env.id);
  snprintf(x->seed_set, sizeof x->seed_set, "%.15s", c->run.seed_set);
  snprintf(x->method, sizeof x->method, "%.63s", c->run.method);
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
