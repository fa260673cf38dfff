// run_config_check.c - the rules between options, which a single row of a table cannot hold.
//
// Each rule is a function that looks at one subject and reports through base/options_check.h; all
// rules run, so that one attempt shows all problems. Those of a kind of scheduler are its own
// (SchedulerKind). There are three rounds: what can be told from the options alone, what a run
// needs to be named, and what needs the task (sizes, memory).
//
// Where a sum is too large (memory, hyper-episodes), the message should name the option to blame.
// It is found by trying: every option is set back to its default in turn, and the one that spares
// most is named. Nothing has to know which options enter the sum.
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/options_check.h"
#include "base/options_value.h"
#include "run/plan.h"
#include "run/run_config.h"
#include "env/env.h"
#include "hyper/scheduler.h"

#define MOST_HYPER_EPISODES 1e6

typedef struct {
  const RunConfig* config;
  OptionsCheck* rules;
} Check;

#define broken(check, ...) options_broken((check)->rules, __VA_ARGS__)

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

static void check_model(Check* check) {
  const RunConfig* c = check->config;
  const OptionList* schedule = &c->spec.mbpo.rollout_schedule;
  if (c->spec.model.elites > c->spec.model.members) {
    broken(check, "model.elites", "must be at most model.members=%d", c->spec.model.members);
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
  const HyperOptions* h = &check->config->spec.hyper;
  const MbpoOptions* o = &check->config->spec.mbpo;
  MbpoScheduled sets = scheduler_may_set(&check->config->spec);
  if (sets.real_ratio &&
      (o->real_ratio == 0 || !within(o->real_ratio, h->real_ratio_min, h->real_ratio_max))) {
    broken(check, "mbpo.real_ratio", "must be above 0, so that factors can change it, and in "
           "[%g, %g], hyper.real_ratio_min and max", h->real_ratio_min, h->real_ratio_max);
  }
  if (sets.real_ratio && h->real_ratio_factor == 1) {
    broken(check, "hyper.real_ratio_factor", "must be above 1, so that real_ratio can change");
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
  const HyperOptions* h = &check->config->spec.hyper;
  if (h->real_ratio_min > h->real_ratio_max) {
    broken(check, "hyper.real_ratio_min", "must be at most hyper.real_ratio_max");
  }
  if (h->policy_updates_min > h->policy_updates_max) {
    broken(check, "hyper.policy_updates_min", "must be at most hyper.policy_updates_max");
  }
  if (h->rollout_length_min > h->rollout_length_max) {
    broken(check, "hyper.rollout_length_min", "must be at most hyper.rollout_length_max");
  }
  bool own_rollouts = scheduler_kind(&check->config->spec)->own_rollouts;
  int epoch_length = check->config->spec.mbpo.epoch_length;
  if (!own_rollouts && h->decision_interval > epoch_length) {
    broken(check, "hyper.decision_interval", "must be at most mbpo.epoch_length=%d", epoch_length);
  }
  check_scale(check, "hyper.scale_model_loss", &h->scale_model_loss);
  check_scale(check, "hyper.scale_critic_loss", &h->scale_critic_loss);
  check_scale(check, "hyper.scale_policy_change", &h->scale_policy_change);
  check_scale(check, "hyper.scale_eval_return", &h->scale_eval_return);
}

// Widths of hidden layers, where they are listed.
static void check_layers(Check* check, const char* key, const OptionList* layers) {
  if (layers->count >= MLP_MAX_LAYERS) {
    broken(check, key, "must have at most %d layers", MLP_MAX_LAYERS - 1);
  }
  for (int i = 0; i < layers->count; i++) {
    if (layers->value[i] != floor(layers->value[i])) {
      broken(check, key, "item %d must be a whole number of units", i + 1);
    }
  }
}

static void check_compute(Check* check) {
  if (strcmp(check->config->compute.precision, "bfloat16") == 0 && !gemm_has_bfloat16()) {
    broken(check, "compute.precision",
           "this CPU, or the program's build, has no AVX512_BF16; expected float32 here");
  }
}

bool run_config_check(const RunConfig* config, Error* error) {
  OptionsCheck rules = options_check(&config->options, error);
  Check check = {config, &rules};
  const SchedulerKind* kind = scheduler_kind(&config->spec);
  check_task(&check);
  check_names(&check);
  check_compute(&check);
  check_model(&check);
  check_layers(&check, "sac.policy_layers", &config->spec.sac.policy_layers);
  check_layers(&check, "sac.critic_layers", &config->spec.sac.critic_layers);
  if (kind->steps) {
    check_starts(&check);
  }
  check_hyper(&check);
  if (kind->check) {
    kind->check(&rules, &config->spec);
  }
  return rules.good;
}

bool run_config_check_inputs(const RunConfig* config, Error* error) {
  OptionsCheck rules = options_check(&config->options, error);
  const SchedulerKind* kind = scheduler_kind(&config->spec);
  if (kind->check_inputs) {
    kind->check_inputs(&rules, &config->spec);
  }
  return rules.good;
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
  MbpoScheduled sets = scheduler_may_set(&check->config->spec);
  if (!mbpo_uses_model(&c->spec.mbpo, sets)) {
    if (sets.train_model) {
      broken(check, "mbpo.real_ratio",
             "must be below 1 where the training of a model is scheduled");
    }
    return;
  }
  if (c->spec.mbpo.env_buffer < 2) {
    broken(check, "mbpo.env_buffer", "must be at least 2 where a model learns");
  }
  if (c->spec.mbpo.exploration_steps < 2) {
    broken(check, "mbpo.exploration_steps", "must be at least 2 where a model learns");
  }
}

static double bytes_of_rank(const RunConfig* c) {
  PlanBytes bytes = plan_bytes(&c->spec, &c->env_spec);
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
  PlanBytes bytes = plan_bytes(&c->spec, &c->env_spec);
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
  OptionsCheck rules = options_check(&config->options, error);
  Check check = {config, &rules};
  MbpoOptions options = config->spec.mbpo;
  options.max_path_length = mbpo_path_limit(&options, &config->env_spec);
  check_transitions(&check, &options);
  check_buffers(&check, &options);
  check_model_data(&check);
  check_count(&check, config);
  check_memory(&check, config);
  return rules.good;
}
