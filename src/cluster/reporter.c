// reporter.c - what people and tools see of a run while it runs: three views of the same figures.
//
// Coordinator and rank 0 call in when something happens. Each event is a line of metrics.jsonl at
// once, and changes the counters and the state of a rank; status.json and the progress line are
// made from these, now and then, in reporter_tick. status.json is replaced as a whole; of several
// starts in a directory, the one that holds the status lease writes it.
//
// Progress must never end a run: what cannot be written is a warning, repeated at growing
// intervals. And nothing here enters a result, so clocks are allowed. Speed counts only the samples
// of this start, since those found in the directory took no time.
#include "cluster/reporter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/notice.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "cluster/progress_line.h"
#include "hyper/scheduler.h"
#include "store/json.h"

#define STATUS_INTERVAL 10.0  // seconds between two status.json
#define LINE_SIZE 256
#define REDRAW_INTERVAL 0.25  // seconds between two progress lines on a terminal

static void format_time(char out[32], time_t now) {
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void warn(const Error* error, Reminder* trouble) {
  if (reminder_due(trouble)) {
    notice("warning: %s", error->text);
  }
}

// One line of metrics.jsonl while it is being written.
typedef struct {
  Arena arena;
  Text text;
  Json json;
} Event;

static void begin_event(Event* event, const char* name) {
  char now[32];
  format_time(now, (time_t)clock_date());
  arena_init(&event->arena);
  text_init(&event->text, &event->arena);
  json_init(&event->json, &event->text);
  json_begin_object(&event->json, NULL);
  json_text(&event->json, "time", now);
  json_text(&event->json, "event", name);
}

// Progress must never end a run: a failure to write it is a warning.
static void end_event(Reporter* r, Event* event) {
  char path[RUN_PATH_SIZE];
  Error error;
  run_file(path, r->directory, "metrics.jsonl");
  json_end(&event->json);
  if (!files_append_line(path, event->text.bytes, &error)) {
    warn(&error, &r->metrics_trouble);
  }
  arena_free(&event->arena);
}

void reporter_init(Reporter* r, const RunSpec* x, const RunDirectory* directory, int ranks,
                   double line_interval, bool quiet, Arena* arena) {
  *r = (Reporter){.spec = x, .directory = directory, .ranks = ranks, .quiet = quiet};
  r->rank = ARENA_NEW(arena, ranks, RankState);
  for (int i = 0; i < ranks; i++) {
    r->rank[i].hyper_episode = -1;
  }
  r->best_score = -INFINITY;
  r->best_episode = -1;
  r->line_interval = line_interval;
  r->started = r->line_written = clock_wall();
  r->terminal = isatty(STDERR_FILENO);
  r->writes_status = true;
}

// Real samples before epoch `epoch` of a run.
static int64_t steps_before(const Reporter* r, int epoch) {
  const MbpoOptions* o = &r->spec->mbpo;
  return epoch > 0 ? o->exploration_steps + (int64_t)epoch * o->epoch_length : 0;
}

// Of a run that has several, its share.
static int64_t steps_per_episode(const Reporter* r) {
  SchedulerPlan plan = scheduler_plan(r->spec);
  int64_t steps = r->spec->mbpo.exploration_steps +
                  (int64_t)plan.run_epochs * r->spec->mbpo.epoch_length;
  return plan.run_epochs > 0 ? steps * plan.epochs / plan.run_epochs : steps;
}

// One that diverged is never the best.
static void count_sealed(Reporter* r, int64_t hyper_episode, bool diverged, double score) {
  r->sealed++;
  r->diverged += diverged;
  if (!diverged && score > r->best_score) {
    r->best_score = score;
    r->best_episode = hyper_episode;
  }
}

void reporter_scan(Reporter* r, int64_t total) {
  r->total = total;
  Event event;
  begin_event(&event, "start");
  json_integer(&event.json, "ranks", r->ranks);
  json_integer(&event.json, "hyper_episodes", total);
  json_integer(&event.json, "sealed", r->sealed);
  end_event(r, &event);
}

void reporter_begin(Reporter* r, int rank, const BeginMessage* begin) {
  int first = begin->segment.first_epoch;
  int64_t before = steps_before(r, first);
  r->rank[rank] = (RankState){.hyper_episode = begin->hyper_episode,
                              .epochs = first,
                              .steps_before = before,
                              .progress = {.env_step = before, .epochs = first}};
  r->stage = begin->stage;
  Event event;
  begin_event(&event, "begin");
  json_integer(&event.json, "hyper_episode", begin->hyper_episode);
  json_integer(&event.json, "stage", begin->stage);
  json_integer(&event.json, "rank", rank);
  json_integer(&event.json, "env_step", before);
  end_event(r, &event);
}

static void write_epoch(Reporter* r, int rank, int64_t hyper_episode, const Progress* p) {
  Event event;
  begin_event(&event, "epoch");
  Json* json = &event.json;
  json_integer(json, "hyper_episode", hyper_episode);
  json_integer(json, "rank", rank);
  json_integer(json, "epoch", p->epochs - 1);
  json_integer(json, "env_step", p->env_step);
  json_number(json, "eval_return", p->eval_return);
  json_number(json, "real_ratio", p->real_ratio);
  json_number(json, "policy_updates", p->policy_updates);
  json_number(json, "rollout_length", p->rollout_length);
  json_integer(json, "model_trainings", p->model_trainings);
  json_begin_object(json, "seconds");
  json_number(json, "env", p->times.env);
  json_number(json, "model_train", p->times.model_train);
  json_number(json, "model_rollout", p->times.rollout);
  json_number(json, "sac", p->times.sac);
  json_number(json, "eval", p->times.evaluate);
  json_end(json);
  json_number(json, "rss_mb", p->rss_mb);
  end_event(r, &event);
}

// The first epoch of this start with a flaw is a warning; metrics.jsonl has all of them.
static void warn_of(Reporter* r, int64_t hyper_episode, const Progress* p, HealthFlaw flaw) {
  if (!r->warned[flaw]) {
    r->warned[flaw] = true;
    notice("warning: hyper-episode %lld, epoch %d: %s (said once; the health events of "
           "metrics.jsonl have every epoch)",
           (long long)hyper_episode, p->epochs - 1, health_text(flaw));
  }
}

static void write_health(Reporter* r, int64_t hyper_episode, const Progress* p) {
  const Health* h = &p->health;
  Event event;
  begin_event(&event, "health");
  Json* json = &event.json;
  json_integer(json, "hyper_episode", hyper_episode);
  json_integer(json, "epoch", p->epochs - 1);
  json_number(json, "model_error", h->model_error);
  json_number(json, "mean_error", h->mean_error);
  json_integer(json, "sac_updates", h->sac_updates);
  json_number(json, "alpha", h->alpha);
  json_number(json, "alpha_limit", h->alpha_limit);
  json_number(json, "q_mean", h->q_mean);
  json_number(json, "q_limit", h->q_limit);
  json_integer(json, "model_buffer_rows", h->model_rows);
  json_integer(json, "rollouts", h->rollouts);
  json_number(json, "action_range", h->action_range);
  json_begin_array(json, "warnings");
  for (int f = 0; f < HEALTH_FLAWS; f++) {
    if (health_has(h, (HealthFlaw)f)) {
      json_text(json, NULL, health_text((HealthFlaw)f));
      warn_of(r, hyper_episode, p, (HealthFlaw)f);
    }
  }
  json_end(json);
  end_event(r, &event);
}

void reporter_progress(Reporter* r, int rank, int64_t hyper_episode, const Progress* progress) {
  RankState* state = &r->rank[rank];
  state->hyper_episode = hyper_episode;
  state->progress = *progress;
  if (progress->epochs > state->epochs) {
    state->epochs = progress->epochs;
    write_epoch(r, rank, hyper_episode, progress);
    write_health(r, hyper_episode, progress);
  }
}

void reporter_sealed(Reporter* r, int rank, const SealedMessage* sealed) {
  reporter_progress(r, rank, sealed->hyper_episode, &sealed->progress);
  r->rank[rank].hyper_episode = -1;
  count_sealed(r, sealed->hyper_episode, sealed->diverged, sealed->score);
  r->steps_sealed += sealed->progress.env_step - r->rank[rank].steps_before;
  Event event;
  begin_event(&event, "sealed");
  json_integer(&event.json, "hyper_episode", sealed->hyper_episode);
  json_integer(&event.json, "rank", rank);
  json_text(&event.json, "status", sealed->diverged ? "diverged" : "finished");
  json_number(&event.json, "score", sealed->score);
  end_event(r, &event);
}

void reporter_saved(Reporter* r, int rank, const SavedMessage* saved) {
  r->rank[rank].saved = r->saved = *saved;
  r->worst.seconds = fmax(r->worst.seconds, saved->seconds);
  r->worst.bytes = saved->bytes > r->worst.bytes ? saved->bytes : r->worst.bytes;
  r->saves++;
  r->saved_at = clock_wall();
  Event event;
  begin_event(&event, "checkpoint");
  json_integer(&event.json, "hyper_episode", saved->hyper_episode);
  json_integer(&event.json, "rank", rank);
  json_integer(&event.json, "env_step", saved->env_step);
  json_number(&event.json, "seconds", saved->seconds);
  json_integer(&event.json, "bytes", saved->bytes);
  end_event(r, &event);
}

void reporter_found(Reporter* r, int64_t hyper_episode, const Outcome* outcome) {
  count_sealed(r, hyper_episode, outcome->diverged, outcome->score);
  r->steps_at_start += steps_per_episode(r);
}

void reporter_idle(Reporter* r, int rank) { r->rank[rank].hyper_episode = -1; }

void reporter_lost(Reporter* r, int rank, double silence) {
  int64_t hyper_episode = r->rank[rank].hyper_episode;
  char what[128] = "it had no work";
  if (hyper_episode >= 0) {
    snprintf(what, sizeof what, "hyper-episode %lld goes on elsewhere, from its last checkpoint",
             (long long)hyper_episode);
  }
  notice("warning: rank %d has been silent for %.0f s and is given up: %s", rank, silence,
         what);
  r->lost++;
  reporter_idle(r, rank);
  Event event;
  begin_event(&event, "lost");
  json_integer(&event.json, "rank", rank);
  json_integer(&event.json, "hyper_episode", hyper_episode);
  json_number(&event.json, "silent_s", silence);
  end_event(r, &event);
}

void reporter_extrapolates(Reporter* r, int64_t hyper_episode, HyperFeature feature, double value,
                           const FeatureRange* seen) {
  if (r->extrapolated[feature]) {
    return;
  }
  r->extrapolated[feature] = true;
  notice("warning: hyper-episode %lld: %s is %.6g, outside of %.6g to %.6g, which the controller "
         "was trained on",
         (long long)hyper_episode, feature_name(feature), value, seen->low[feature],
         seen->high[feature]);
  Event event;
  begin_event(&event, "extrapolation");
  json_integer(&event.json, "hyper_episode", hyper_episode);
  json_text(&event.json, "feature", feature_name(feature));
  json_number(&event.json, "value", value);
  json_number(&event.json, "trained_low", seen->low[feature]);
  json_number(&event.json, "trained_high", seen->high[feature]);
  end_event(r, &event);
}

void reporter_stage(Reporter* r, const StageResult* result, int version) {
  Event event;
  begin_event(&event, "stage");
  json_integer(&event.json, "stage", result->stage);
  json_integer(&event.json, "version", version);
  json_number(&event.json, "score", result->score);
  json_number(&event.json, "baseline_score", result->baseline_score);
  json_integer(&event.json, "diverged", result->diverged);
  json_begin_array(&event.json, "entropy");
  for (int h = 0; h < HEAD_COUNT; h++) {
    json_number(&event.json, NULL, result->entropy[h]);
  }
  json_end(&event.json);
  json_begin_array(&event.json, "clipped");
  for (int f = 0; f < FEATURE_COUNT; f++) {
    if (result->clipped[f]) {
      json_text(&event.json, NULL, feature_name((HyperFeature)f));
      notice("warning: stage %d: the feature %s was at its clip at every decision",
             result->stage, feature_name((HyperFeature)f));
    }
  }
  json_end(&event.json);
  end_event(r, &event);
}

// Progress of the whole run -----------------------------------------------------------------------

typedef struct {
  double share;             // done, 0 to 1
  double steps_per_second;  // real samples, since this start
  double eta;               // seconds; NaN if unknown
  int64_t steps;            // real samples in all
} Overview;

static Overview overview(const Reporter* r) {
  Overview o = {0};
  double all = (double)r->total * (double)steps_per_episode(r);
  int64_t since_start = r->steps_sealed;
  for (int i = 0; i < r->ranks; i++) {
    if (r->rank[i].hyper_episode >= 0) {
      since_start += r->rank[i].progress.env_step - r->rank[i].steps_before;
    }
  }
  o.steps = r->steps_at_start + since_start;
  o.share = all > 0 ? fmin(1, (double)o.steps / all) : 1;
  o.steps_per_second = (double)since_start / fmax(1e-3, clock_wall() - r->started);
  double left = fmax(0, all - (double)o.steps);
  o.eta = since_start > 0 ? left / o.steps_per_second : NAN;
  return o;
}

static void add_ranks(Json* json, const Reporter* r) {
  json_begin_array(json, "ranks");
  for (int i = 0; i < r->ranks; i++) {
    const RankState* s = &r->rank[i];
    if (s->hyper_episode >= 0) {
      json_begin_object(json, NULL);
      json_integer(json, "rank", i);
      json_integer(json, "episode", s->hyper_episode);
      json_integer(json, "env_step", s->progress.env_step);
      json_number(json, "return", s->progress.eval_return);
      json_number(json, "rss_mb", s->progress.rss_mb);
      if (s->saved.bytes > 0) {
        json_begin_object(json, "checkpoint");
        json_integer(json, "env_step", s->saved.env_step);
        json_number(json, "seconds", s->saved.seconds);
        json_integer(json, "bytes", s->saved.bytes);
        json_end(json);
      }
      json_end(json);
    }
  }
  json_end(json);
}

static int64_t count_running(const Reporter* r) {
  int64_t running = 0;
  for (int i = 0; i < r->ranks; i++) {
    running += r->rank[i].hyper_episode >= 0;
  }
  return running;
}

static void add_episodes(Json* json, const Reporter* r) {
  int64_t running = count_running(r);
  json_begin_object(json, "episodes");
  json_integer(json, "done", r->sealed);
  json_integer(json, "running", running);
  json_integer(json, "queued", r->total - r->sealed - running);
  json_integer(json, "diverged", r->diverged);
  json_integer(json, "lost", r->lost);
  json_end(json);
  json_begin_object(json, "best");
  json_integer(json, "episode", r->best_episode);
  json_number(json, "score", r->best_score);
  json_end(json);
}

static void add_checkpoints(Json* json, const Reporter* r) {
  if (r->saves == 0) {
    return;
  }
  json_begin_object(json, "checkpoint");
  json_integer(json, "written", r->saves);
  json_number(json, "age_s", clock_wall() - r->saved_at);
  json_number(json, "seconds", r->saved.seconds);
  json_integer(json, "bytes", r->saved.bytes);
  json_number(json, "worst_seconds", r->worst.seconds);
  json_integer(json, "worst_bytes", r->worst.bytes);
  json_end(json);
}

static void add_status(Json* json, const Reporter* r, const char* state) {
  char now[32], deadline[32];
  Overview o = overview(r);
  format_time(now, (time_t)clock_date());
  format_time(deadline, (time_t)r->deadline);
  json_begin_object(json, NULL);
  json_text(json, "format", "autombpo.status");
  json_integer(json, "v", 1);
  json_text(json, "state", state);
  json_text(json, "updated", now);
  json_number(json, "progress", o.share);
  json_number(json, "eta_s", o.eta);
  json_integer(json, "stage", r->stage);
  add_episodes(json, r);
  json_integer(json, "env_steps", o.steps);
  json_number(json, "steps_per_s", o.steps_per_second);
  json_text(json, "deadline", r->deadline > 0 ? deadline : NULL);
  add_checkpoints(json, r);
  add_ranks(json, r);
  json_end(json);
}

static void write_status(Reporter* r, const char* state) {
  Arena arena;
  arena_init(&arena);
  Text text;
  Json json;
  char path[RUN_PATH_SIZE];
  text_init(&text, &arena);
  json_init(&json, &text);
  add_status(&json, r, state);
  text_add(&text, "\n");
  Error error;
  run_file(path, r->directory, "status.json");
  if (!files_write(path, text.bytes, text.size, &error)) {
    warn(&error, &r->status_trouble);
  }
  arena_free(&arena);
}

// The progress of the only hyper-episode that runs; NULL: none does, or several.
static const Progress* only_one_running(const Reporter* r) {
  const Progress* found = NULL;
  for (int i = 0; i < r->ranks; i++) {
    if (r->rank[i].hyper_episode >= 0) {
      if (found) {
        return NULL;
      }
      found = &r->rank[i].progress;
    }
  }
  return found;
}

// On a terminal in place of the line before, and no longer than the terminal is wide.
static void print_line(const Reporter* r, const char* end) {
  char line[LINE_SIZE];
  SchedulerPlan plan = scheduler_plan(r->spec);
  Overview o = overview(r);
  ProgressFacts facts = {.share = o.share,
                         .eta = o.eta,
                         .steps_per_second = o.steps_per_second,
                         .learns = plan.updates > 0,
                         .stage = r->stage,
                         .sealed = r->sealed,
                         .total = r->total,
                         .diverged = r->diverged,
                         .epochs = plan.run_epochs,
                         .running = only_one_running(r),
                         .best_score = r->best_score,
                         .best_episode = r->best_episode};
  int columns = r->terminal ? progress_columns() : LINE_SIZE;
  progress_line(line, columns < LINE_SIZE ? (size_t)columns : sizeof line, &facts);
  notice_clear();
  fprintf(stderr, "%s%s", line, end);
}

void reporter_tick(Reporter* r) {
  double now = clock_wall();
  if (r->writes_status && now - r->status_written > STATUS_INTERVAL) {
    write_status(r, "running");
    r->status_written = now;
  }
  double interval = r->terminal ? REDRAW_INTERVAL : r->line_interval;
  if (!r->quiet && now - r->line_written >= interval) {
    print_line(r, r->terminal ? "" : "\n");
    r->line_written = now;
  }
}

void reporter_end(Reporter* r, const char* state) {
  if (r->writes_status || strcmp(state, "finished") == 0) {
    write_status(r, state);
  }
  if (!r->quiet) {
    print_line(r, "\n");
  }
  Event event;
  begin_event(&event, "stop");
  json_text(&event.json, "reason", state);
  end_event(r, &event);
}
