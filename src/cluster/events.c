// events.c - the keys of each line of metrics.jsonl.
//
// A line is put together in memory and appended by one write, so that several starts of a run can
// share the file. Each begins with its time and its name; docs/formats.md has the keys of all.
//
// A log must never end a run: a line that cannot be written is lost, with a warning that is
// repeated at growing intervals.
#include "cluster/events.h"

#include "base/moment.h"
#include "base/notice.h"
#include "base/text.h"
#include "store/json.h"

// One line while it is being written.
typedef struct {
  Arena arena;
  Text text;
  Json json;
} Event;

static Json* begin(Event* event, const char* name) {
  char now[MOMENT_SIZE];
  moment_now(now);
  arena_init(&event->arena);
  text_init(&event->text, &event->arena);
  json_init(&event->json, &event->text);
  json_begin_object(&event->json, NULL);
  json_text(&event->json, "time", now);
  json_text(&event->json, "event", name);
  return &event->json;
}

static void end(EventLog* log, Event* event) {
  char path[RUN_PATH_SIZE];
  Error error;
  run_file(path, log->directory, "metrics.jsonl");
  json_end(&event->json);
  if (!files_append_line(path, event->text.bytes, &error) && reminder_due(&log->trouble)) {
    notice("warning: %s", error.text);
  }
  arena_free(&event->arena);
}

void event_log_init(EventLog* log, const RunDirectory* directory) {
  *log = (EventLog){.directory = directory};
}

void event_start(EventLog* log, int ranks, int64_t total, int64_t sealed) {
  Event event;
  Json* json = begin(&event, "start");
  json_integer(json, "ranks", ranks);
  json_integer(json, "hyper_episodes", total);
  json_integer(json, "sealed", sealed);
  end(log, &event);
}

void event_begin(EventLog* log, int rank, const BeginMessage* b, int64_t env_step) {
  Event event;
  Json* json = begin(&event, "begin");
  json_integer(json, "hyper_episode", b->hyper_episode);
  json_integer(json, "stage", b->stage);
  json_integer(json, "rank", rank);
  json_integer(json, "env_step", env_step);
  end(log, &event);
}

void event_epoch(EventLog* log, int rank, int64_t hyper_episode, const Progress* p) {
  Event event;
  Json* json = begin(&event, "epoch");
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
  end(log, &event);
}

void event_health(EventLog* log, int64_t hyper_episode, const Progress* p) {
  const Health* h = &p->health;
  Event event;
  Json* json = begin(&event, "health");
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
  for (HealthFlaw f = 0; f < HEALTH_FLAWS; f++) {
    if (health_has(h, f)) {
      json_text(json, NULL, health_text(f));
    }
  }
  json_end(json);
  end(log, &event);
}

void event_checkpoint(EventLog* log, int rank, const SavedMessage* saved) {
  Event event;
  Json* json = begin(&event, "checkpoint");
  json_integer(json, "hyper_episode", saved->hyper_episode);
  json_integer(json, "rank", rank);
  json_integer(json, "env_step", saved->env_step);
  json_number(json, "seconds", saved->seconds);
  json_integer(json, "bytes", saved->bytes);
  end(log, &event);
}

void event_sealed(EventLog* log, int rank, const SealedMessage* sealed) {
  Event event;
  Json* json = begin(&event, "sealed");
  json_integer(json, "hyper_episode", sealed->hyper_episode);
  json_integer(json, "rank", rank);
  json_text(json, "status", sealed->diverged ? "diverged" : "finished");
  json_number(json, "score", sealed->score);
  end(log, &event);
}

void event_lost(EventLog* log, int rank, int64_t hyper_episode, double silence) {
  Event event;
  Json* json = begin(&event, "lost");
  json_integer(json, "rank", rank);
  json_integer(json, "hyper_episode", hyper_episode);
  json_number(json, "silent_s", silence);
  end(log, &event);
}

void event_extrapolation(EventLog* log, int64_t hyper_episode, HyperFeature feature, double value,
                         const FeatureRange* seen) {
  Event event;
  Json* json = begin(&event, "extrapolation");
  json_integer(json, "hyper_episode", hyper_episode);
  json_text(json, "feature", feature_name(feature));
  json_number(json, "value", value);
  json_number(json, "trained_low", seen->low[feature]);
  json_number(json, "trained_high", seen->high[feature]);
  end(log, &event);
}

void event_stage(EventLog* log, const StageResult* result, int version) {
  Event event;
  Json* json = begin(&event, "stage");
  json_integer(json, "stage", result->stage);
  json_integer(json, "version", version);
  json_number(json, "score", result->score);
  json_number(json, "baseline_score", result->baseline_score);
  json_integer(json, "diverged", result->diverged);
  json_begin_array(json, "entropy");
  for (int h = 0; h < HEAD_COUNT; h++) {
    json_number(json, NULL, result->entropy[h]);
  }
  json_end(json);
  json_begin_array(json, "clipped");
  for (HyperFeature f = 0; f < FEATURE_COUNT; f++) {
    if (result->clipped[f]) {
      json_text(json, NULL, feature_name(f));
    }
  }
  json_end(json);
  end(log, &event);
}

void event_stop(EventLog* log, const char* reason) {
  Event event;
  json_text(begin(&event, "stop"), "reason", reason);
  end(log, &event);
}
