// run_config.c - all options of a run: every table bound to its struct, and what assigns to them.
//
// Files, the presets of a verb and operands assign, in this order (run_config_read). What follows
// from the values is run_config_resolve.c.
//
// The hash of a configuration is over the canonical text of all options that results depend on.
// `unhashed` lists what does not count: places, limits of time, what is printed. An option in doubt
// belongs in the hash: to refuse a run is a nuisance, to mix two is wrong. One that is added gets a
// line there for the value that programs before it had, so that their runs, baselines and
// controllers stay what they were.
#include "run/run_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/assets.h"
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
