// probe.c - a run for some seconds, with a clock at each part.
//
// Hyper-episodes are advanced as a worker does it, by the scheduler's own decisions, one after the
// other, as long as there is time; they are sealed and stages are folded, so that a controller that
// learns quickly is seen to. A member of a population goes on from its own end instead, as if it
// won every round. The clocks are those of mbpo.c; what is in none of them (hyper-states,
// decisions) is the rest.
//
// How many passes early stopping allows depends on the data that a policy brings: each training is
// noted, and forecast.c takes those that are most alike.
//
// Bytes are those of files: the tables of a whole hyper-episode are filled with the rows that came,
// and written as they would be; lines of the log are written by events.c itself.
#include "bench/probe.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stopwatch.h"
#include "cluster/events.h"
#include "hyper/checkpoint.h"
#include "hyper/trajectory.h"

#define FORWARD_SHARE (1.0 / 3)  // of the arithmetic of a training step: backward is twice forward

const char* const work_units[WORK_PARTS] = {
    [WORK_BEGIN] = "hyper-episode",     [WORK_ENV] = "real step",
    [WORK_MODEL] = "row of a training", [WORK_ROLLOUT] = "imaginary step",
    [WORK_SAC] = "policy update",       [WORK_DECISION] = "decision",
    [WORK_EVALUATE] = "evaluated step",
};

typedef struct {
  Probe* probe;
  Scheduler* s;
  const RunSpec* x;
  HyperEpisode* h;
  int decision;          // of the whole run that h is a part of
  double until;          // processor time
  double counted;        // processor time up to here is in probe->seconds
  MbpoTimes times;       // of h, likewise
  int64_t trainings, model_steps, updates;  // of h, likewise
} Running;

static double file_bytes(const char* path) {
  struct stat info;
  return stat(path, &info) == 0 ? (double)info.st_size : 0;
}

static double resident_bytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * (double)usage.ru_maxrss;
}

// Work ----------------------------------------------------------------------------------------

static double held_out(const EnsembleOptions* o, double rows) {
  return fmax(1, fmin(floor(o->holdout_ratio * rows), o->holdout_limit));
}

double probe_pass_rows(const EnsembleOptions* o, double rows) {
  double held = held_out(o, rows);
  return rows - held + FORWARD_SHARE * held;
}

static void note_training(Running* r) {
  const Mbpo* m = &r->h->mbpo;
  const EnsembleOptions* o = &r->x->model;
  Probe* p = r->probe;
  if (m->model_trainings == r->trainings) {
    return;
  }
  double rows = (double)m->trained_rows;
  double pass = ceil((rows - held_out(o, rows)) / o->batch_size);
  double passes = (double)(m->ensemble.adam.steps - r->model_steps) / pass;
  if (p->training_count < PROBE_TRAININGS) {
    p->training[p->training_count++] = (ProbeTraining){r->trainings == 0, rows, passes};
  }
  p->work.of[WORK_MODEL] += passes * probe_pass_rows(o, rows);
  r->trainings = m->model_trainings;
  r->model_steps = m->ensemble.adam.steps;
}

static void note_epoch(Running* r) {
  const MbpoEpoch* epoch = &r->h->mbpo.result;
  r->probe->health = health_of(r->h);
  for (int i = 0; i < r->x->mbpo.evaluation_episodes; i++) {
    r->probe->work.of[WORK_EVALUATE] += epoch->eval_lengths[i];
  }
}

// The work of one call of hyper_episode_advance.
static void note_step(Running* r, HyperEvent event, int64_t env_step) {
  const Mbpo* m = &r->h->mbpo;
  Work* work = &r->probe->work;
  work->of[WORK_ENV] += (double)(m->env_step - env_step);
  work->of[WORK_SAC] += (double)(m->sac.policy_adam.steps - r->updates);
  r->updates = m->sac.policy_adam.steps;
  note_training(r);
  bool imagines = m->uses_model && m->env_step > env_step && m->phase != MBPO_EXPLORE &&
                  (m->step - 1) % m->options.rollout_interval == 0 && m->step > 0;
  work->of[WORK_ROLLOUT] += imagines ? (double)m->rollout_length * m->options.rollouts : 0;
  if (event == HYPER_EPOCH_END) {
    note_epoch(r);
  }
}

// The processor time since the last call goes to the parts; `rest` takes what no clock has.
static void note_seconds(Running* r, WorkPart rest) {
  const MbpoTimes *now = &r->h->mbpo.times, *then = &r->times;
  double spent[WORK_PARTS] = {[WORK_ENV] = now->env - then->env,
                              [WORK_MODEL] = now->model_train - then->model_train,
                              [WORK_ROLLOUT] = now->rollout - then->rollout,
                              [WORK_SAC] = now->sac - then->sac,
                              [WORK_EVALUATE] = now->evaluate - then->evaluate};
  double left = clock_processor() - r->counted;
  for (int i = 0; i < WORK_PARTS; i++) {
    r->probe->seconds.of[i] += spent[i];
    left -= spent[i];
  }
  r->probe->seconds.of[rest] += left;
  r->times = *now;
  r->counted = clock_processor();
}

// Running -------------------------------------------------------------------------------------

void probe_decide(HyperAction* action, Scheduler* s, const SchedulerRequest* request) {
  if (s->kind->outside.ask) {
    Rng rng = rng_stream(s->spec->seed, request->hyper_episode, RNG_DECISION, request->decision);
    hyper_choose_by_chance(action, request->state->allowed, &rng);
  } else {
    scheduler_decide(action, s, request);
  }
}

static void decide(Running* r) {
  HyperEpisode* h = r->h;
  HyperAction action;
  SchedulerRequest request = {
      .hyper_episode = h->index,
      .decision = r->decision++,
      .version = h->policy_version,
      .state = &h->state,
      .notes = h->notes,
      .reward = h->decisions > 0 ? decision_reward(&h->decision[h->decisions - 1]) : 0};
  if (r->probe->hyper_episodes == 1 && r->probe->state_count < PROBE_STATES) {
    r->probe->state[r->probe->state_count++] = h->state;
  }
  r->probe->work.of[WORK_DECISION]++;
  probe_decide(&action, r->s, &request);
  hyper_episode_act(h, &action);
}

static bool is_over(const Running* r) {
  const Mbpo* m = &r->h->mbpo;
  const Work* work = &r->probe->work;
  bool enough = work->of[WORK_SAC] > 0 || m->policy_updates == 0;
  enough &= !m->uses_model || (r->probe->training_count > r->probe->hyper_episodes &&
                               work->of[WORK_ROLLOUT] > 0);
  return clock_processor() >= r->until && enough;
}

// A member of a population goes on from its own end.
static bool go_on(HyperEpisode* h) {
  if (!hyper_episode_goes_on(h)) {
    return false;
  }
  int epochs = scheduler_plan(h->spec).epochs;
  h->segment.first_epoch = h->segment.last_epoch;
  h->segment.last_epoch += epochs;
  h->segment.last_epoch = h->segment.last_epoch < h->mbpo.epochs ? h->segment.last_epoch
                                                                : h->mbpo.epochs;
  hyper_episode_begin(h);
  return true;
}

static void advance(Running* r) {
  bool ended = false;
  while (!ended && !is_over(r)) {
    int64_t env_step = r->h->mbpo.env_step;
    HyperEvent event = hyper_episode_advance(r->h);
    note_step(r, event, env_step);
    if (event == HYPER_DECISION) {
      decide(r);
      note_training(r);
    }
    ended = event == HYPER_FINISHED && !go_on(r->h);
  }
  r->probe->progress = mbpo_progress(&r->h->mbpo);
  note_seconds(r, WORK_DECISION);
}

// Bytes -------------------------------------------------------------------------------------------

// Fills the tables of a hyper-episode with what rows there are.
static void fill_tables(HyperEpisode* h) {
  for (int i = h->decisions; h->decisions > 0 && i < h->max_decisions; i++) {
    h->decision[i] = h->decision[i - h->decisions];
  }
  for (int e = h->epochs; h->epochs > 0 && e < h->max_epochs; e++) {
    h->epoch[e] = h->epoch[e - h->epochs];
  }
  h->decisions = h->max_decisions;
  h->epochs = h->max_epochs;
}

// With the tables as they are.
static bool sealed_bytes(double* bytes, const HyperEpisode* h, const RunDirectory* directory,
                         Error* error) {
  char path[RUN_PATH_SIZE];
  run_file(path, directory, "sealed.h5");
  unlink(path);
  bool good = trajectory_write(h, path, error);
  *bytes = file_bytes(path);
  return good;
}

static bool measure_sealed(Probe* p, HyperEpisode* h, const RunDirectory* directory,
                           Error* error) {
  RunSpec without = *h->spec;
  const RunSpec* spec = h->spec;
  double all;
  fill_tables(h);
  without.log_transitions = false;
  h->spec = &without;
  bool good = sealed_bytes(&p->sealed, h, directory, error);
  h->spec = spec;
  if (!good || !spec->log_transitions) {
    return good;
  }
  good = sealed_bytes(&all, h, directory, error);
  p->transition = (all - p->sealed) / fmax(1, (double)h->mbpo.env_step);
  return good;
}

// What the log gets for a hyper-episode of one epoch, and for one more.
static void measure_log(Probe* p, const HyperEpisode* h, const RunDirectory* directory) {
  char path[RUN_PATH_SIZE];
  EventLog events;
  const Mbpo* m = &h->mbpo;
  Progress progress = {.env_step = m->env_step,
                       .eval_return = m->eval_mean,
                       .real_ratio = m->real_ratio,
                       .policy_updates = m->policy_updates,
                       .rollout_length = m->rollout_length,
                       .times = m->times,
                       .rss_mb = 1e-6 * resident_bytes(),
                       .health = p->health};
  BeginMessage begin = {.hyper_episode = h->index, .segment = h->segment};
  SealedMessage sealed = {.hyper_episode = h->index, .score = m->eval_mean};
  run_file(path, directory, "metrics.jsonl");
  event_log_init(&events, directory);
  event_begin(&events, 0, &begin, m->env_step);
  double begun = file_bytes(path);
  progress.epochs = h->segment.first_epoch + 1;
  event_epoch(&events, 0, h->index, &progress);
  event_health(&events, h->index, &progress);
  p->log_epoch = file_bytes(path) - begun;
  event_sealed(&events, 0, &sealed);
  p->log_episode = file_bytes(path) - p->log_epoch;
}

// Bytes that the buffers still grow by, at the largest k; with the model's copy of the real rows.
static double missing_bytes(const HyperEpisode* h, bool with_copy) {
  const Mbpo* m = &h->mbpo;
  int O = m->sac.obs_size, A = m->sac.act_size;
  double real = fmin((double)mbpo_most_steps(&m->options, m->epochs), m->options.env_buffer);
  double row = replay_row_bytes(O, A);
  double missing = fmax(0, real - (double)m->real.size) * row;
  if (m->uses_model) {
    int k = run_spec_longest_rollout(h->spec, scheduler_may_set(h->spec));
    double imagined = (double)mbpo_imagined_rows(&m->options, k);
    missing += imagined_bytes(O, A, fmax(0, imagined - (double)m->imagined.size), k);
    missing += with_copy ? fmax(0, real - (double)m->trained_rows) *
                               ensemble_row_bytes(&h->spec->model, O, A)
                         : 0;
  }
  return missing;
}

// A checkpoint of now, and the rows that its buffers still miss.
static bool measure_checkpoint(Probe* p, HyperEpisode* h, const RunDirectory* directory,
                               Error* error) {
  CheckpointCost cost;
  if (!checkpoint_write(&cost, h, directory, 0, error)) {
    return false;
  }
  p->checkpoint = (double)cost.bytes + missing_bytes(h, false);
  checkpoint_remove(directory, h->index);
  return true;
}

static bool measure_bytes(Probe* p, HyperEpisode* h, const RunDirectory* directory, Error* error) {
  char path[RUN_PATH_SIZE];
  run_policy_path(path, directory, 0);
  p->policy = file_bytes(path);
  if (!measure_checkpoint(p, h, directory, error) || !measure_sealed(p, h, directory, error)) {
    return false;
  }
  measure_log(p, h, directory);
  p->rank = resident_bytes() + missing_bytes(h, true);
  return true;
}

// -------------------------------------------------------------------------------------------------

// Seals what is complete, and makes of it what follows.
static bool seal(Running* r, Error* error) {
  char path[RUN_PATH_SIZE];
  const StageResult* result;
  run_episode_path(path, r->s->directory, r->h->index);
  bool good = trajectory_write(r->h, path, error) &&
              scheduler_fold(r->s, r->h->index + 1, &result, error);
  note_seconds(r, WORK_BEGIN);
  r->probe->rank = resident_bytes();
  return good;
}

static bool run_one(Probe* p, Scheduler* s, int64_t e, double until, Error* error) {
  Arena arena;
  HyperEpisode h;
  Running r = {.probe = p, .s = s, .x = s->spec, .h = &h, .until = until};
  arena_init(&arena);
  r.counted = clock_processor();
  HyperSegment segment = scheduler_segment(s, e);
  int version = scheduler_version_of(&s->plan, e);
  bool good = scheduler_load_version(s, version, error) &&
              hyper_episode_init(&h, s->spec, e, &segment, version, scheduler_sets(s, version),
                                 &arena, error);
  if (good) {
    p->hyper_episodes++;
    p->work.of[WORK_BEGIN]++;
    note_seconds(&r, WORK_BEGIN);
    advance(&r);
    bool whole = h.finished && s->plan.run_epochs == s->plan.epochs;
    good = (!whole || seal(&r, error)) &&
           (p->sealed > 0 || measure_bytes(p, &h, s->directory, error));
    hyper_episode_free(&h);
  }
  arena_free(&arena);
  return good;
}

bool probe_run(Probe* p, Scheduler* s, double seconds, Error* error) {
  *p = (Probe){.resident = resident_bytes()};
  double until = clock_processor() + seconds;
  bool good = true;
  for (int64_t e = 0; good && e < s->plan.hyper_episodes && scheduler_is_ready(s, e) &&
                      (e == 0 || clock_processor() < until); e++) {
    good = run_one(p, s, e, until, error);
  }
  return good;
}
