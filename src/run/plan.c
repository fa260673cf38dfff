// plan.c - what a configuration comes to: memory, samples, updates, rollouts, before anything is
// run.
//
// All figures come from the functions that the run itself uses (mbpo/sizes.h, the scheduler's
// plan), so that the forecast and the run cannot disagree. Where a scheduler may move a
// hyperparameter, there is a range from the least to the most that its bounds or its schedule
// allow, and memory is counted for the most.
//
// The memory of a rank is the sum of its buffers, networks and records; of a controller that leaves
// the length of rollouts to MBPO in its first versions, whichever is larger counts. The same sum
// decides whether a configuration is accepted at all (run_config_check.c).
#include "run/plan.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "hyper/scheduler.h"

// Memory ------------------------------------------------------------------------------------------

static PlanBytes bytes_with(const RunSpec* x, MbpoScheduled scheduled, const EnvSpec* spec) {
  const SchedulerKind* kind = scheduler_kind(x);
  MbpoOptions options = run_spec_mbpo(x);
  PlanBytes bytes = {.episode = hyper_episode_bytes(x, scheduled, spec),
                     .scheduler = kind->bytes ? kind->bytes(x) : 0};
  if (bytes.episode.mbpo.imagined > 0) {
    bytes.imagined_rows =
        (double)mbpo_imagined_rows(&options, run_spec_longest_rollout(x, scheduled));
  }
  return bytes;
}

PlanBytes plan_bytes(const RunSpec* x, const EnvSpec* spec) {
  PlanBytes bytes = bytes_with(x, scheduler_may_set(x), spec);
  if (scheduler_kind(x)->has_versions) {
    // in its first versions a controller may leave k to MBPO's own schedule
    MbpoScheduled scheduled = scheduler_may_set(x);
    scheduled.rollout_length = false;
    PlanBytes other = bytes_with(x, scheduled, spec);
    return plan_bytes_of_rank(&other) > plan_bytes_of_rank(&bytes) ? other : bytes;
  }
  return bytes;
}

double plan_bytes_of_rank(const PlanBytes* bytes) {
  const MbpoBytes* mbpo = &bytes->episode.mbpo;
  return mbpo->imagined + mbpo->real + mbpo->fixed + bytes->episode.record + bytes->scheduler;
}

static void add_bytes(Text* out, const char* before, int width, double bytes) {
  text_add(out, "%s", before);
  text_add_size(out, width, bytes);
}

void plan_format_bytes(const PlanBytes* b, Text* out) {
  const MbpoBytes* mbpo = &b->episode.mbpo;
  add_bytes(out, "a rank ", 0, plan_bytes_of_rank(b) - b->scheduler);
  add_bytes(out, ": D_model ", 0, mbpo->imagined);
  add_bytes(out, ", D_env ", 0, mbpo->real);
  add_bytes(out, ", networks ", 0, mbpo->fixed);
  add_bytes(out, ", records ", 0, b->episode.record);
  if (b->scheduler > 0) {
    add_bytes(out, "; rank 0 another ", 0, b->scheduler);
  }
}

// The text ----------------------------------------------------------------------------------------

typedef struct {
  const RunConfig* config;
  const RunSpec* x;
  SchedulerPlan run;
  MbpoScheduled sets;
  MbpoOptions mbpo;  // of a hyper-episode
  bool uses_model;
  Text* out;
} Plan;

typedef struct {
  double start, low, high;
} Range;

static void widen(Range* range, double value) {
  range->low = fmin(range->low, value);
  range->high = fmax(range->high, value);
}

static Range scheduled_range(const Plan* p, HyperHead head, double start, double low, double high) {
  Range range = {start, start, start};
  const Schedule* s = p->x->schedule;
  if (!s) {
    widen(&range, low);
    widen(&range, high);
    return range;
  }
  range.start = range.low = range.high = schedule_value(s, head, 0, 0);
  for (int n = 0; n < s->knots; n++) {
    widen(&range, s->value[n * HEAD_COUNT + (int)head]);
  }
  return range;
}

static Range real_ratios(const Plan* p) {
  const HyperOptions* h = &p->x->hyper;
  double own = p->mbpo.real_ratio;
  return p->sets.real_ratio
             ? scheduled_range(p, HEAD_REAL_RATIO, own, h->real_ratio_min, h->real_ratio_max)
             : (Range){own, own, own};
}

static Range updates(const Plan* p) {
  const HyperOptions* h = &p->x->hyper;
  double own = p->mbpo.policy_updates;
  if (!p->sets.policy_updates) {
    return (Range){own, own, own};
  }
  double start = h->policy_updates_start > 0 ? h->policy_updates_start : own;
  return scheduled_range(p, HEAD_POLICY_UPDATES, start, h->policy_updates_min,
                         h->policy_updates_max);
}

static Range rollout_lengths(const Plan* p) {
  const HyperOptions* h = &p->x->hyper;
  double first = mbpo_scheduled_rollout_length(&p->mbpo, 0);
  int last = p->run.run_epochs > 0 ? p->run.run_epochs - 1 : 0;
  Range own = {first, first, first};
  widen(&own, mbpo_scheduled_rollout_length(&p->mbpo, last));
  if (!p->sets.rollout_length) {
    return own;
  }
  Range range = scheduled_range(p, HEAD_ROLLOUT_LENGTH, h->rollout_length_start,
                                h->rollout_length_min, h->rollout_length_max);
  if (scheduler_kind(p->x)->has_versions && strchr(p->x->ppo.groups, ',')) {
    widen(&range, own.low);  // until its group learns
    widen(&range, own.high);
  }
  return range;
}

static bool has_members(const Plan* p) { return p->run.run_epochs > p->run.epochs; }

// Whole runs: a hyper-episode each, or a member of a population.
static int64_t count_runs(const Plan* p) {
  return has_members(p) ? p->run.stage_size : p->run.hyper_episodes;
}

static void add_run(const Plan* p) {
  int64_t count = p->run.hyper_episodes;
  text_add(p->out, "run              %" PRId64 " hyper-episode%s of %d epochs of %d steps", count,
           count == 1 ? "" : "s", p->run.epochs, p->mbpo.epoch_length);
  if (has_members(p)) {
    text_add(p->out, ", %d rounds of %d members", p->run.updates, p->run.stage_size);
  } else if (p->run.updates > 0) {
    text_add(p->out, ", %d stage%s of %d", p->run.updates, p->run.updates == 1 ? "" : "s",
             p->run.stage_size);
  }
  int64_t most = mbpo_most_steps(&p->mbpo, p->run.run_epochs);
  text_add(p->out, "\nreal samples     %" PRId64 " to %" PRId64 " a %s; ",
           most - p->mbpo.max_path_length + 1, most, has_members(p) ? "member" : "hyper-episode");
  text_add(p->out, "at most %.0f in all\n", (double)most * (double)count_runs(p));
}

static void add_updates(const Plan* p) {
  Range g = updates(p);
  int64_t least = mbpo_most_updates(&p->mbpo, (int)g.low, p->run.run_epochs);
  int64_t most = mbpo_most_updates(&p->mbpo, (int)g.high, p->run.run_epochs);
  text_add(p->out, "SAC updates      ");
  if (g.low < g.high) {
    text_add(p->out, "%" PRId64 " to ", least);
  }
  text_add(p->out, "%" PRId64 " a %s (G = %g", most, has_members(p) ? "member" : "hyper-episode",
           g.start);
  if (g.low < g.high) {
    text_add(p->out, ", %g to %g", g.low, g.high);
  }
  text_add(p->out, "); at most %.0f in all", (double)most * (double)count_runs(p));
  if (p->mbpo.min_pool > p->mbpo.exploration_steps) {
    text_add(p->out, ", less those before mbpo.min_pool=%d is reached", p->mbpo.min_pool);
  }
  text_add(p->out, "\n");
}

static void add_batch(const Plan* p) {
  int B = p->x->sac.batch_size;
  Range beta = p->uses_model ? real_ratios(p) : (Range){1, 1, 1};
  text_add(p->out, "real in a batch  %d of %d (beta = %g)", mbpo_real_in_batch(B, beta.start), B,
           beta.start);
  if (beta.low < beta.high) {
    text_add(p->out, ", %d to %d (beta = %g to %g)", mbpo_real_in_batch(B, beta.low),
             mbpo_real_in_batch(B, beta.high), beta.low, beta.high);
  }
  text_add(p->out, "\n");
}

static void add_model(const Plan* p) {
  const MbpoOptions* o = &p->mbpo;
  if (!p->uses_model) {
    text_add(p->out, "model            none\n");
    return;
  }
  if (p->sets.train_model) {
    int decisions = mbpo_times_per_epoch(o, p->x->hyper.decision_interval);
    text_add(p->out, "model trainings  0 to %d an epoch, as decided, and one before", decisions);
  } else {
    text_add(p->out, "model trainings  %d an epoch%s", mbpo_times_per_epoch(o, o->train_interval),
             scheduler_kind(p->x)->decide ? ", the first one before the first decision" : "");
  }
  text_add(p->out, "\nrollouts         %d an epoch, from %d states each\n",
           mbpo_times_per_epoch(o, o->rollout_interval), o->rollouts);
}

static void add_rows(const Plan* p) {
  Range k = rollout_lengths(p);
  int O = p->config->env_spec.obs_size, A = p->config->env_spec.act_size;
  text_add(p->out, "D_model          %4s %12s %11s\n", "k", "rows", "memory");
  for (int i = (int)k.low; i <= (int)k.high; i++) {
    int64_t rows = mbpo_imagined_rows(&p->mbpo, i);
    text_add(p->out, "%16s %4d %12" PRId64, "", i, rows);
    add_bytes(p->out, " ", 8, imagined_bytes(O, A, (double)rows, i));
    text_add(p->out, "\n");
  }
}

void plan_format(const RunConfig* c, Text* out) {
  const RunSpec* x = &c->spec;
  Plan p = {.config = c,
            .x = x,
            .run = scheduler_plan(x),
            .sets = scheduler_may_set(x),
            .mbpo = run_spec_mbpo(x),
            .out = out};
  p.mbpo.max_path_length = mbpo_path_limit(&p.mbpo, &c->env_spec);
  p.uses_model = mbpo_uses_model(&p.mbpo, p.sets);
  text_add(out, "task             %s, episodes of at most %d steps\n", x->env,
           p.mbpo.max_path_length);
  add_run(&p);
  add_updates(&p);
  add_batch(&p);
  add_model(&p);
  PlanBytes bytes = plan_bytes(x, &c->env_spec);
  text_add(out, "memory           ");
  plan_format_bytes(&bytes, out);
  text_add(out, "\n");
  if (has_members(&p)) {
    text_add(out, "snapshots        at most %d at a time, %.3g GB each\n", 2 * p.run.stage_size,
             1e-9 * (plan_bytes_of_rank(&bytes) - bytes.scheduler));
  }
  if (p.uses_model) {
    add_rows(&p);
  }
}
