// status_file.c - the keys of status.json; docs/formats.md has them all.
//
// What is known of the run as a whole comes first, then a line of each rank that works. Readers
// take a file as it is, so it is replaced as a whole, and its time says how old it is. What is not
// known yet (a return before the first evaluation, the time left before the first sample) is null.
#include "cluster/status_file.h"

#include "base/moment.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "store/json.h"

static void add_checkpoint(Json* json, const SavedMessage* saved) {
  json_begin_object(json, "checkpoint");
  json_integer(json, "env_step", saved->env_step);
  json_number(json, "seconds", saved->seconds);
  json_integer(json, "bytes", saved->bytes);
  json_end(json);
}

static void add_ranks(Json* json, const Standing* s) {
  json_begin_array(json, "ranks");
  for (int i = 0; i < s->ranks; i++) {
    const RankState* rank = &s->rank[i];
    if (rank->hyper_episode >= 0) {
      json_begin_object(json, NULL);
      json_integer(json, "rank", i);
      json_integer(json, "episode", rank->hyper_episode);
      json_integer(json, "env_step", rank->progress.env_step);
      json_number(json, "return", rank->progress.eval_return);
      json_number(json, "rss_mb", rank->progress.rss_mb);
      if (rank->saved.bytes > 0) {
        add_checkpoint(json, &rank->saved);
      }
      json_end(json);
    }
  }
  json_end(json);
}

static void add_episodes(Json* json, const Standing* s, int64_t running) {
  json_begin_object(json, "episodes");
  json_integer(json, "done", s->sealed);
  json_integer(json, "running", running);
  json_integer(json, "queued", s->total - s->sealed - running);
  json_integer(json, "diverged", s->diverged);
  json_integer(json, "lost", s->lost);
  json_end(json);
  json_begin_object(json, "best");
  json_integer(json, "episode", s->best_episode);
  json_number(json, "score", s->best_score);
  json_end(json);
}

static void add_checkpoints(Json* json, const Standing* s) {
  if (s->saves == 0) {
    return;
  }
  json_begin_object(json, "checkpoint");
  json_integer(json, "written", s->saves);
  json_number(json, "age_s", clock_wall() - s->saved_at);
  json_number(json, "seconds", s->saved.seconds);
  json_integer(json, "bytes", s->saved.bytes);
  json_number(json, "worst_seconds", s->worst.seconds);
  json_integer(json, "worst_bytes", s->worst.bytes);
  json_end(json);
}

static void add_status(Json* json, const Standing* s, const char* state, double deadline) {
  char now[MOMENT_SIZE], end[MOMENT_SIZE];
  Overview o = standing_overview(s);
  moment_now(now);
  moment_write(end, deadline);
  json_begin_object(json, NULL);
  json_text(json, "format", "autombpo.status");
  json_integer(json, "v", 1);
  json_text(json, "state", state);
  json_text(json, "updated", now);
  json_number(json, "progress", o.share);
  json_number(json, "eta_s", o.eta);
  json_integer(json, "stage", s->stage);
  add_episodes(json, s, o.running);
  json_integer(json, "env_steps", o.steps);
  json_number(json, "steps_per_s", o.steps_per_second);
  json_text(json, "deadline", deadline > 0 ? end : NULL);
  add_checkpoints(json, s);
  add_ranks(json, s);
  json_end(json);
}

bool status_file_write(const RunDirectory* directory, const Standing* s, const char* state,
                       double deadline, Error* error) {
  Arena arena;
  Text text;
  Json json;
  char path[RUN_PATH_SIZE];
  arena_init(&arena);
  text_init(&text, &arena);
  json_init(&json, &text);
  add_status(&json, s, state, deadline);
  text_add(&text, "\n");
  run_file(path, directory, "status.json");
  bool good = files_write(path, text.bytes, text.size, error);
  arena_free(&arena);
  return good;
}
