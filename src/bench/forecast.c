// forecast.c - the loops of Algorithm 1 without their work: how much of each part a run comes to.
//
// A hyper-episode is walked with a run in which only what decides about work is filled in: epoch,
// step, beta, G and k, and the hyper-states that were measured. Decisions are the scheduler's own,
// with what it has learnt in the measurement: later it may choose otherwise. What has members is
// walked as whole members, since a round goes on where another ended.
//
// Trainings grow with the pool. How many passes one makes is the mean of the measured ones on
// between half and twice as many rows, or else of those on the most; the first of a hyper-episode
// is compared with first ones alone, the others with others, as long as there were any.
//
// Hours are those of a list: each worker takes the next hyper-episode, and none begins before the
// stage that it waits for is complete. More than MOST_WALKED hyper-episodes repeat the first ones.
#define _GNU_SOURCE
#include "bench/forecast.h"

#include <math.h>
#include <string.h>

#include "hyper/scratch_directory.h"

#define MOST_WALKED 64
#define MOST_PLACES 1e8  // hyper-episodes x workers that are gone through one by one
#define NEAR 2.0         // trainings are alike if they have up to so many times the rows

typedef struct {
  Forecast* f;
  Scheduler* s;
  const RunSpec* x;
  Mbpo mbpo;  // without anything that does work
  HyperState state;
  SchedulerRequest request;
  Work work;           // since the last look
  double all, unseen;  // of the work of trainings; on more rows than any measured one had
  double* notes;
} Walk;

double forecast_unit_seconds(const Forecast* f, WorkPart part) {
  double done = f->probe.work.of[part];
  return done > 0 ? f->probe.seconds.of[part] / done : 0;
}

static double seconds_of(const Forecast* f, const Work* work) {
  double sum = 0;
  for (int i = 0; i < WORK_PARTS; i++) {
    sum += work->of[i] * forecast_unit_seconds(f, (WorkPart)i);
  }
  return sum;
}

// The mean of the passes of trainings of a kind on `low` to `high` rows; NaN: there was none.
static double mean_passes(const Probe* p, bool first, double low, double high) {
  double sum = 0;
  int count = 0;
  for (int i = 0; i < p->training_count; i++) {
    const ProbeTraining* t = &p->training[i];
    if (t->first == first && t->rows >= low && t->rows <= high) {
      sum += t->passes;
      count++;
    }
  }
  return count > 0 ? sum / count : NAN;
}

static double most_rows(const Probe* p, bool first) {
  double most = 0;
  for (int i = 0; i < p->training_count; i++) {
    most = p->training[i].first == first ? fmax(most, p->training[i].rows) : most;
  }
  return most;
}

// Which of the two kinds of measured trainings tells of a first one, or of another.
static bool kind_for(const Probe* p, bool first) {
  return isnan(mean_passes(p, first, 0, INFINITY)) ? !first : first;
}

static double passes_on(const Probe* p, bool kind, double rows) {
  double alike = mean_passes(p, kind, rows / NEAR, rows * NEAR);
  return isnan(alike) ? mean_passes(p, kind, most_rows(p, kind) / NEAR, INFINITY) : alike;
}

// One hyper-episode ------------------------------------------------------------------------------

static void train(Walk* w) {
  double rows = fmin((double)w->mbpo.env_step, w->mbpo.options.env_buffer);
  const Probe* p = &w->f->probe;
  bool kind = kind_for(p, w->mbpo.model_trainings == 0);
  double work = passes_on(p, kind, rows) * probe_pass_rows(&w->x->model, rows);
  w->work.of[WORK_MODEL] += work;
  w->all += work;
  // an episode that still runs is not in the pool yet
  w->unseen += rows - w->mbpo.options.max_path_length > most_rows(p, kind) ? work : 0;
  w->mbpo.model_trainings++;
}

// What was measured at the last decision before that, as far as the measurement went.
static HyperState state_at(const Probe* p, double progress) {
  int i = 0;
  while (i + 1 < p->state_count && p->state[i + 1].raw[FEATURE_PROGRESS] <= progress) {
    i++;
  }
  return p->state[i];
}

// Algorithm 1, lines 7 to 11.
static void decide(Walk* w) {
  Mbpo* m = &w->mbpo;
  HyperAction action;
  bool effective[HEAD_COUNT];
  w->state = state_at(&w->f->probe, mbpo_progress(m));
  w->state.raw[FEATURE_PROGRESS] = mbpo_progress(m);
  w->state.raw[FEATURE_REAL_RATIO] = m->real_ratio;
  w->state.raw[FEATURE_POLICY_UPDATES] = m->policy_updates;
  w->state.raw[FEATURE_ROLLOUT_LENGTH] = m->rollout_length;
  hyper_scale(&w->state, &w->x->hyper);
  hyper_allowed(w->state.allowed, m, &w->x->hyper, strcmp(w->x->ppo.at_bounds, "mask") == 0);
  probe_decide(&action, w->s, &w->request);
  w->request.decision++;
  w->work.of[WORK_DECISION]++;
  if (hyper_trains(&action)) {
    train(w);
    action.choice[HEAD_TRAIN_MODEL] = 0;
    action.value[HEAD_TRAIN_MODEL] = 0;
  }
  hyper_apply(effective, m, &w->x->hyper, &action);
}

// Lines 6 to 16, for the next real step.
static void step(Walk* w) {
  Mbpo* m = &w->mbpo;
  if (m->step % m->decision_interval == 0) {
    decide(w);
  }
  if (m->uses_model && mbpo_trains_itself(m)) {
    train(w);
  }
  if (!m->scheduled.rollout_length) {
    m->rollout_length = mbpo_scheduled_rollout_length(&m->options, m->epoch);
  }
  if (m->uses_model && m->step % m->options.rollout_interval == 0) {
    if (m->model_trainings == 0) {
      train(w);
    }
    w->work.of[WORK_ROLLOUT] += (double)m->rollout_length * m->options.rollouts;
  }
  m->env_step++;
  w->work.of[WORK_ENV]++;
  w->work.of[WORK_SAC] += m->env_step >= m->options.min_pool ? m->policy_updates : 0;
}

static void evaluate(Walk* w) {
  const MbpoOptions* o = &w->mbpo.options;
  w->work.of[WORK_EVALUATE] += (double)o->evaluation_episodes * o->max_path_length;
}

static void walk_epochs(Walk* w, int count) {
  Mbpo* m = &w->mbpo;
  for (int e = 0; e < count && m->epoch < m->epochs; e++, m->epoch++) {
    for (m->step = 0; m->step < m->options.epoch_length; m->step++) {
      step(w);
    }
    evaluate(w);
  }
}

// Before the first epoch.
static bool begin(Walk* w, int64_t e, const EnvSpec* env, Error* error) {
  const RunSpec* x = w->x;
  while (!scheduler_is_ready(w->s, e)) {
    e -= w->s->plan.stage_size;  // as one that acts with the newest version there is
  }
  int version = scheduler_version_of(&w->s->plan, e);
  if (!scheduler_load_version(w->s, version, error)) {
    return false;
  }
  Mbpo* m = &w->mbpo;
  MbpoScheduled sets = scheduler_sets(w->s, version);
  *m = (Mbpo){.options = run_spec_mbpo(x), .scheduled = sets, .epochs = w->s->plan.run_epochs};
  m->decision_interval = x->hyper.decision_interval;
  m->uses_model = mbpo_uses_model(&m->options, sets);
  m->options.max_path_length = mbpo_path_limit(&m->options, env);
  m->real_ratio = m->options.real_ratio;
  m->policy_updates = m->options.policy_updates;
  m->rollout_length = mbpo_scheduled_rollout_length(&m->options, 0);
  m->env_step = m->options.exploration_steps;
  memset(w->notes, 0, (size_t)w->s->plan.notes * sizeof *w->notes);
  w->request = (SchedulerRequest){
      .hyper_episode = e, .version = version, .state = &w->state, .notes = w->notes};
  w->work = (Work){.of = {[WORK_BEGIN] = 1, [WORK_ENV] = (double)m->env_step}};
  if (m->uses_model && (sets.train_model || sets.real_ratio || sets.policy_updates ||
                        sets.rollout_length)) {
    train(w);
  }
  evaluate(w);
  hyper_begin(m, &x->hyper);
  return true;
}

// All hyper-episodes ------------------------------------------------------------------------------

// Seconds of hyper-episodes; there are `runs` whole runs of `rounds` hyper-episodes each, and
// hyper-episode e is round e / stage_size of one of them.
typedef struct {
  int runs, rounds;
  int64_t stage_size;
  double* seconds;  // (runs, rounds)
} Durations;

static double duration(const Durations* d, int64_t e) {
  int64_t run = d->rounds > 1 ? e % d->stage_size : e;
  int64_t round = d->rounds > 1 ? e / d->stage_size : 0;
  return d->seconds[run % d->runs * d->rounds + round];
}

static bool walk_all(Durations* d, Walk* w, const EnvSpec* env, Error* error) {
  Forecast* f = w->f;
  int64_t runs = f->plan.hyper_episodes / d->rounds;
  d->runs = runs < MOST_WALKED ? (int)runs : MOST_WALKED;
  d->seconds = ARENA_NEW(w->s->arena, (size_t)d->runs * (size_t)d->rounds, double);
  for (int run = 0; run < d->runs; run++) {
    if (!begin(w, run, env, error)) {
      return false;
    }
    for (int round = 0; round < d->rounds; round++) {
      walk_epochs(w, f->plan.epochs);
      d->seconds[run * d->rounds + round] = seconds_of(f, &w->work);
      for (int i = 0; i < WORK_PARTS; i++) {
        f->work.of[i] += w->work.of[i] * (double)runs / d->runs;
      }
      w->work = (Work){.of = {[WORK_BEGIN] = 1}};
    }
  }
  return true;
}

static int first_free(const double* free_at, int workers) {
  int first = 0;
  for (int i = 1; i < workers; i++) {
    first = free_at[i] < free_at[first] ? i : first;
  }
  return first;
}

// When the last hyper-episode is sealed.
static double last_end(const Durations* d, const Forecast* f, Arena* arena) {
  const SchedulerPlan* plan = &f->plan;
  double* free_at = ARENA_NEW(arena, f->workers, double);
  double* complete = ARENA_NEW(arena, plan->updates + 1, double);  // when a version is there
  double last = 0;
  for (int64_t e = 0; e < plan->hyper_episodes; e++) {
    int worker = first_free(free_at, f->workers);
    double start = fmax(free_at[worker], complete[scheduler_version_of(plan, e)]);
    double end = start + duration(d, e);
    free_at[worker] = end;
    last = fmax(last, end);
    if (plan->updates > 0 && (e + 1) % plan->stage_size == 0) {
      complete[(e + 1) / plan->stage_size] = last;
    }
  }
  return last;
}

static void add_times(Forecast* f, const Durations* d, Arena* arena) {
  double count = (double)f->plan.hyper_episodes;
  f->processor_seconds = seconds_of(f, &f->work);
  f->episode_seconds = f->processor_seconds / count;
  for (int i = 0; i < d->runs * d->rounds; i++) {
    f->longest_seconds = fmax(f->longest_seconds, d->seconds[i]);
  }
  f->wall_seconds = count * f->workers <= MOST_PLACES
                        ? last_end(d, f, arena)
                        : f->processor_seconds / f->workers + f->longest_seconds / 2;
}

static void add_bytes(Forecast* f) {
  const Probe* p = &f->probe;
  double count = (double)f->plan.hyper_episodes, transitions = f->work.of[WORK_ENV];
  if (f->plan.run_epochs > f->plan.epochs) {
    // each round keeps what its run has seen so far: about half of it in the mean
    transitions *= (1 + (double)f->plan.updates) / 2;
  }
  f->sealed = count * p->sealed + transitions * p->transition;
  f->policies = f->plan.versions * p->policy;
  f->log = count * (p->log_episode + f->plan.epochs * p->log_epoch);
}

static bool forecast(Forecast* f, Scheduler* s, const EnvSpec* env, const ForecastSetup* setup,
                     Error* error) {
  if (!probe_run(&f->probe, s, setup->seconds, error)) {
    return false;
  }
  int64_t at_once = scheduler_at_once(&f->plan), workers = setup->ranks > 1 ? setup->ranks - 1 : 1;
  f->workers = (int)(workers < at_once ? workers : at_once);
  bool has_rounds = f->plan.run_epochs > f->plan.epochs;
  Durations d = {.rounds = has_rounds ? f->plan.updates : 1, .stage_size = f->plan.stage_size};
  Walk w = {.f = f, .s = s, .x = s->spec, .notes = ARENA_NEW(s->arena, f->plan.notes, double)};
  if (!walk_all(&d, &w, env, error)) {
    return false;
  }
  f->unseen = w.all > 0 ? w.unseen / w.all : 0;
  add_times(f, &d, s->arena);
  add_bytes(f);
  return true;
}

bool forecast_run(Forecast* f, const RunSpec* x, const EnvSpec* env, const ForecastSetup* setup,
                  Error* error) {
  Arena arena;
  Scheduler s;
  RunDirectory directory;
  *f = (Forecast){.plan = scheduler_plan(x)};
  arena_init(&arena);
  bool good = scratch_directory_make(&directory, error);
  if (good) {
    good = scheduler_open(&s, x, &directory, &arena, error) && scheduler_begin(&s, error) &&
           forecast(f, &s, env, setup, error);
    scratch_directory_remove(&directory);
  }
  arena_free(&arena);
  return good;
}
