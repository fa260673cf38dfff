// run_config_check.c - the rules between options, which a single row of a table cannot hold.
//
// Each rule is a function that looks at one subject and reports through `broken`, which names the
// key, its value, where that came from, and what must be. All rules run, so that one attempt shows
// all problems. There are two rounds: what can be told from the options alone, and what needs the
// task (sizes, memory).
//
// Where a sum is too large (memory, hyper-episodes), the message should name the option to blame.
// It is found by trying: every option is set back to its default in turn, and the one that spares
// most is named. Nothing has to know which options enter the sum.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/options_value.h"
#include "run/plan.h"
#include "run/run_config.h"
#include "env/env.h"
#include "hyper/scheduler.h"

#define MOST_HYPER_EPISODES 1e6

typedef struct {
  const RunConfig* config;
  Error* error;
  bool good;
} Check;

// Appends "ORIGIN: 'key=value': what must be".
__attribute__((format(printf, 3, 4))) static void broken(Check* check, const char* key,
                                                         const char* format, ...) {
  const Options* set = &check->config->options;
  OptionSection* section;
  const OptionRow* row = options_find(set, key, &section);
  char what[512];
  Text value;
  Arena arena;
  arena_init(&arena);
  text_init(&value, &arena);
  option_format(row, (const char*)section->values + row->offset, &value);
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  error_line(check->error, "%s: '%s=%.80s': %s", options_origin(set, key), key, value.bytes, what);
  arena_free(&arena);
  check->good = false;
}

static void check_task(Check* check) {
  const char* id = check->config->env.id;
  TextNearest near = {.word = id};
  if (strncmp(id, "plugin:", 7) == 0) {
    return;
  }
  for (int i = 0; i < env_count(); i++) {
    text_consider(&near, env_id(i));
  }
  if (!near.nearest) {
    broken(check, "env.id", "no such task (autombpo env list names them)");
  } else if (near.distance > 0) {
    broken(check, "env.id", "no such task (did you mean '%s'?)", near.nearest);
  }
}

static void check_names(Check* check) {
  const RunConfig* c = check->config;
  if (!*c->run.method || strlen(c->run.method) > 63 || strchr(c->run.method, '/')) {
    broken(check, "run.method", "must be a name of 1 to 63 characters without /");
  }
  for (const char* at = strchr(c->run.dir, '{'); at; at = strchr(at + 1, '{')) {
    if (strncmp(at, "{env}", 5) != 0 && strncmp(at, "{method}", 8) != 0 &&
        strncmp(at, "{seed}", 6) != 0) {
      broken(check, "run.dir", "only {env}, {method} and {seed} are filled in");
      return;
    }
  }
  if (!*c->run.dir) {
    broken(check, "run.dir", "must not be empty");
  }
}

static const SchedulerKind* kind_of(const Check* check) {
  RunSpec x = {.scheduler = check->config->scheduler};
  return scheduler_kind(&x);
}

// What the scheduler sets; of a trained controller only what hyper.apply_* names.
static MbpoScheduled sets_of(const Check* check) {
  const RunConfig* c = check->config;
  RunSpec x = {.scheduler = c->scheduler, .hyper = c->hyper};
  return scheduler_may_set(&x, &c->schedule);
}

static void check_model(Check* check) {
  const RunConfig* c = check->config;
  const OptionList* schedule = &c->mbpo.rollout_schedule;
  if (c->model.elites > c->model.members) {
    broken(check, "model.elites", "must be at most model.members=%d", c->model.members);
  }
  if (schedule->count != 4) {
    broken(check, "mbpo.rollout_schedule", "must have 4 items");
  } else if (schedule->value[1] < schedule->value[0]) {
    broken(check, "mbpo.rollout_schedule", "the 2nd epoch must not come before the 1st");
  } else if (schedule->value[2] < 1 || schedule->value[3] < 1) {
    broken(check, "mbpo.rollout_schedule", "rollouts must have at least 1 step");
  }
}

static bool within(double value, double low, double high) { return value >= low && value <= high; }

// What a scheduler that steps up and down begins with.
static void check_starts(Check* check) {
  const HyperOptions* h = &check->config->hyper;
  const MbpoOptions* o = &check->config->mbpo;
  MbpoScheduled sets = sets_of(check);
  if (sets.real_ratio &&
      (o->real_ratio == 0 || !within(o->real_ratio, h->real_ratio_min, h->real_ratio_max))) {
    broken(check, "mbpo.real_ratio", "must be above 0, for factors to move it, and in [%g, %g], "
           "hyper.real_ratio_min and max", h->real_ratio_min, h->real_ratio_max);
  }
  if (sets.real_ratio && h->real_ratio_factor == 1) {
    broken(check, "hyper.real_ratio_factor", "must be above 1, for real_ratio to move");
  }
  bool own = h->policy_updates_start == 0;
  int updates = own ? o->policy_updates : h->policy_updates_start;
  if (sets.policy_updates &&
      !within(updates, h->policy_updates_min, h->policy_updates_max)) {
    broken(check, own ? "mbpo.policy_updates" : "hyper.policy_updates_start",
           "must be in [%d, %d], hyper.policy_updates_min and max", h->policy_updates_min,
           h->policy_updates_max);
  }
  if (sets.rollout_length &&
      !within(h->rollout_length_start, h->rollout_length_min, h->rollout_length_max)) {
    broken(check, "hyper.rollout_length_start",
           "must be in [%d, %d], hyper.rollout_length_min and max", h->rollout_length_min,
           h->rollout_length_max);
  }
}

static void check_scale(Check* check, const char* key, const OptionList* scale) {
  if (scale->count != 2 || scale->value[0] >= scale->value[1]) {
    broken(check, key, "must be two ascending numbers");
  }
}

static void check_hyper(Check* check) {
  const HyperOptions* h = &check->config->hyper;
  if (h->real_ratio_min > h->real_ratio_max) {
    broken(check, "hyper.real_ratio_min", "must be at most hyper.real_ratio_max");
  }
  if (h->policy_updates_min > h->policy_updates_max) {
    broken(check, "hyper.policy_updates_min", "must be at most hyper.policy_updates_max");
  }
  if (h->rollout_length_min > h->rollout_length_max) {
    broken(check, "hyper.rollout_length_min", "must be at most hyper.rollout_length_max");
  }
  if (!kind_of(check)->own_rollouts && h->decision_interval > check->config->mbpo.epoch_length) {
    broken(check, "hyper.decision_interval", "must be at most mbpo.epoch_length=%d",
           check->config->mbpo.epoch_length);
  }
  check_scale(check, "hyper.scale_model_loss", &h->scale_model_loss);
  check_scale(check, "hyper.scale_critic_loss", &h->scale_critic_loss);
  check_scale(check, "hyper.scale_policy_change", &h->scale_policy_change);
  check_scale(check, "hyper.scale_eval_return", &h->scale_eval_return);
}

// Groups of heads, and for each one number of stages, where they learn.
static void check_groups(Check* check) {
  const PpoOptions* p = &check->config->ppo;
  int groups, group[HEAD_COUNT];
  Error error = {0};
  if (!kind_of(check)->has_versions) {
    return;
  }
  if (!controller_groups(&groups, group, &check->config->hyper, p->groups, &error)) {
    broken(check, "ppo.groups", "%s", error.text);
    return;
  }
  if (!kind_of(check)->fold) {
    return;
  }
  if (p->stages.count != groups) {
    broken(check, "ppo.stages", "must have one item for each of the %d groups of ppo.groups",
           groups);
  }
  if (p->init_sd.count != 1 && p->init_sd.count != groups) {
    broken(check, "ppo.init_sd", "must have one item, or one for each of the %d groups", groups);
  }
  for (int i = 0; i < p->stages.count; i++) {
    if (p->stages.value[i] != floor(p->stages.value[i])) {
      broken(check, "ppo.stages", "item %d must be an integer", i + 1);
    }
  }
}

// Parts of a population that evolve in quarters.
static void check_population(Check* check) {
  const PbtOptions* p = &check->config->pbt;
  int parts = p->frequencies.count;
  if (strcmp(kind_of(check)->name, "pbt") != 0) {
    return;
  }
  if (p->score_epochs > p->interval) {
    broken(check, "pbt.score_epochs", "must be at most pbt.interval=%d", p->interval);
  }
  if (parts == 0 || (parts > 1 && (p->members % parts != 0 || p->members / parts < 4))) {
    broken(check, "pbt.frequencies", "must have one item, or so many that each part of the "
           "pbt.members=%d has the same number of members, at least 4", p->members);
  }
  for (int i = 0; i < parts; i++) {
    if (p->frequencies.value[i] != floor(p->frequencies.value[i])) {
      broken(check, "pbt.frequencies", "item %d must be an integer", i + 1);
    }
  }
}

static void check_ror(Check* check) {
  if (strcmp(kind_of(check)->name, "ror") == 0 && check->config->ror.levels.count != 2) {
    broken(check, "ror.levels", "must have two items");
  }
}

static void check_fork(Check* check) {
  const RunConfig* c = check->config;
  ForkChoice choices[FORK_MOST_CHOICES];
  int count;
  Error error = {0};
  if (strcmp(c->scheduler.kind, "fork") != 0) {
    return;
  }
  if (!fork_read_choices(choices, &count, c->fork.choices, &error)) {
    broken(check, "fork.choices", "%s", error.text);
  }
  if (strcmp(c->fork.of, "random") != 0 && !*c->scheduler.controller) {
    broken(check, "scheduler.controller", "must name the controller that acted (fork.of=%s)",
           c->fork.of);
  }
}

static void check_compute(Check* check) {
  if (strcmp(check->config->compute.precision, "bfloat16") == 0 && !gemm_has_bfloat16()) {
    broken(check, "compute.precision",
           "this CPU, or the program's build, has no AVX512_BF16; expected float32 here");
  }
}

bool run_config_check(const RunConfig* config, Error* error) {
  Check check = {config, error, true};
  check_task(&check);
  check_names(&check);
  check_compute(&check);
  check_model(&check);
  if (kind_of(&check)->steps) {
    check_starts(&check);
  }
  check_fork(&check);
  check_hyper(&check);
  check_groups(&check);
  check_population(&check);
  check_ror(&check);
  return check.good;
}

// With the task -----------------------------------------------------------------------------------

// The real buffer forgets its oldest rows when it is full.
static void check_transitions(Check* check, const MbpoOptions* o) {
  int64_t most = mbpo_most_steps(o, scheduler_plan(&check->config->spec).run_epochs);
  if (check->config->log.transitions && most > o->env_buffer) {
    broken(check, "log.transitions", "needs mbpo.env_buffer of at least %lld, all real samples",
           (long long)most);
  }
}

static void check_buffers(Check* check, const MbpoOptions* o) {
  if (o->env_buffer < o->min_pool) {
    broken(check, "mbpo.min_pool", "must be at most mbpo.env_buffer=%d, or no update is ever done",
           o->env_buffer);
  }
  if (o->env_buffer < o->max_path_length) {
    broken(check, "mbpo.env_buffer", "must hold an episode of %d steps", o->max_path_length);
  }
}

// A model is trained on one transition and validated on another, from the first training on.
static void check_model_data(Check* check) {
  const RunConfig* c = check->config;
  MbpoScheduled sets = sets_of(check);
  if (c->mbpo.real_ratio == 1 && !sets.real_ratio) {
    if (sets.train_model) {
      broken(check, "mbpo.real_ratio",
             "must be below 1 where the training of a model is scheduled");
    }
    return;
  }
  if (c->mbpo.env_buffer < 2) {
    broken(check, "mbpo.env_buffer", "must be at least 2 where a model learns");
  }
  if (c->mbpo.exploration_steps < 2) {
    broken(check, "mbpo.exploration_steps", "must be at least 2 where a model learns");
  }
}

static double bytes_of_rank(const RunConfig* c) {
  PlanBytes bytes = plan_bytes(&c->spec, &c->schedule, &c->env_spec);
  return plan_bytes_of_rank(&bytes);
}

static double hyper_episodes(const RunConfig* c) {
  return (double)scheduler_plan(&c->spec).hyper_episodes;
}

// The option that, were it at its default, would spare most of something; NULL = none would.
static const char* largest_cause(RunConfig* c, double (*measure)(const RunConfig*)) {
  const char* key = NULL;
  double least = measure(c);
  for (int s = 0; s < c->options.count; s++) {
    OptionSection* section = &c->options.sections[s];
    for (int i = 0; i < section->table.count; i++) {
      const OptionRow* row = &section->table.rows[i];
      char* field = (char*)section->values + row->offset;
      char given[OPTION_TEXT_SIZE];
      if (row->kind == OPTION_TEXT || row->kind == OPTION_CHOICE) {
        continue;
      }
      memcpy(given, field, option_size(row));
      option_set_default(row, field);
      run_config_fill(c);
      if (measure(c) < least) {
        least = measure(c);
        key = text_format(&c->arena, "%s.%s", section->name, row->name);
      }
      memcpy(field, given, option_size(row));
    }
  }
  run_config_fill(c);
  return key;
}

// What a rank needs must fit into this machine's memory, and rows must be countable.
static void check_memory(Check* check, RunConfig* c) {
  PlanBytes bytes = plan_bytes(&c->spec, &c->schedule, &c->env_spec);
  double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  if (plan_bytes_of_rank(&bytes) < memory && bytes.imagined_rows < 0x1p31) {
    return;
  }
  Text text;
  text_init(&text, &c->arena);
  plan_format_bytes(&bytes, &text);
  const char* key = largest_cause(c, bytes_of_rank);
  broken(check, key ? key : "env.id",
         "too much for the memory of this machine, %.3g GB, or for 2^31 rows of D_model: %s "
         "(%.3g rows)", 1e-9 * memory, text.bytes, bytes.imagined_rows);
}

// A file each, which every start looks for.
static void check_count(Check* check, RunConfig* c) {
  if (hyper_episodes(c) > MOST_HYPER_EPISODES) {
    const char* key = largest_cause(c, hyper_episodes);
    broken(check, key ? key : "scheduler.kind", "is %.0f hyper-episodes, expected at most %.0f",
           hyper_episodes(c), MOST_HYPER_EPISODES);
  }
}

bool run_config_check_task(RunConfig* config, Error* error) {
  Check check = {config, error, true};
  MbpoOptions options = config->mbpo;
  options.max_path_length = mbpo_path_limit(&options, &config->env_spec);
  check_transitions(&check, &options);
  check_buffers(&check, &options);
  check_model_data(&check);
  check_count(&check, config);
  check_memory(&check, config);
  return check.good;
}
