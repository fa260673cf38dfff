// live_view.c - a run as its text files tell of it.
//
// JSON is read as YAML, of which it is a part. metrics.jsonl may be large, so only its end is read;
// a line that is cut off, there or at the end, is left out. An event may occur twice after a kill:
// the later one counts.
//
// Whether a run lives is seen by the lease on its status: it names the process of rank 0, and on
// this machine that is there or not. Of another machine only the age of status.json is known, which
// rank 0 writes every ten seconds, but not while it is itself in the middle of a long computation,
// and of metrics.jsonl: after a start elsewhere it is a minute until that may write the status.
#include "cli/live_view.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/moment.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/lease.h"

#define TAIL_BYTES (512 << 10)  // of metrics.jsonl that are read
#define EPISODES 64             // hyper-episodes that are remembered, the last ones
#define RETURNS 512             // evaluations of each
#define SCORES 4096
#define SILENT_AFTER 60.0       // seconds

static const char* const part_names[LIVE_PARTS] = {
    [LIVE_SAC] = "sac", [LIVE_MODEL] = "model_train", [LIVE_ROLLOUT] = "model_rollout",
    [LIVE_EVAL] = "eval", [LIVE_ENV] = "env"};

const char* live_state_name(LiveState state) {
  static const char* const names[] = {
      [LIVE_NOT_BEGUN] = "not begun", [LIVE_RUNNING] = "running",
      [LIVE_SILENT] = "silent",       [LIVE_DEAD] = "dead",
      [LIVE_CHECKPOINTED] = "checkpointed", [LIVE_FAILED] = "failed",
      [LIVE_FINISHED] = "finished"};
  return names[state];
}

bool live_can_resume(LiveState state) {
  return state == LIVE_SILENT || state == LIVE_DEAD || state == LIVE_CHECKPOINTED ||
         state == LIVE_FAILED;
}

// JSON -------------------------------------------------------------------------------------------

static const char* text_of(const YamlNode* map, const char* key, const char* otherwise) {
  const YamlNode* node = map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
  return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text : otherwise;
}

static double number_of(const YamlNode* map, const char* key) {
  double value;
  return text_read_number(&value, text_of(map, key, "")) ? value : NAN;
}

static int64_t count_of(const YamlNode* map, const char* key, int64_t otherwise) {
  double value = number_of(map, key);
  return fabs(value) < 1e15 ? (int64_t)value : otherwise;
}

static const YamlNode* member(const YamlNode* map, const char* key) {
  return map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
}

// One JSON object; NULL where the text is none.
static const YamlNode* read_object(const char* text, size_t size, Arena* arena) {
  YamlNode* root = NULL;
  Error ignored = {0};
  bool good = size > 0 && text[0] == '{' && yaml_read(&root, "", text, size, arena, &ignored);
  return good && root->kind == YAML_MAP ? root : NULL;
}

// The end of a file from its first whole line on; "" where there is no such file.
static char* read_tail(const char* path, size_t most, Arena* arena) {
  Error ignored = {0};
  char* text = ARENA_NEW(arena, most + 1, char);
  int file = files_exists(path) ? files_open(path, O_RDONLY, &ignored) : -1;
  if (file < 0) {
    return text;
  }
  off_t size = lseek(file, 0, SEEK_END);
  off_t from = size > (off_t)most ? size - (off_t)most : 0;
  lseek(file, from, SEEK_SET);
  int64_t got = files_take(file, text, most);
  close(file);
  text[got > 0 ? got : 0] = '\0';
  char* line = from > 0 ? strchr(text, '\n') : NULL;
  return line ? line + 1 : text;
}

// metrics.jsonl ----------------------------------------------------------------------------------

// The place of a hyper-episode, made if need be; the longest silent one is forgotten for it.
static LiveEpisode* place_of(LiveView* view, int64_t index, Arena* arena) {
  int at = 0;
  while (at < view->episode_count && view->episode[at].index != index) {
    at++;
  }
  LiveEpisode found = {.index = index, .epoch = -1};
  if (at < view->episode_count) {
    found = view->episode[at];
  } else if (view->episode_count < EPISODES) {
    found.returns = ARENA_NEW(arena, RETURNS, double);
    view->episode_count++;
  } else {
    at = 0;
    found.returns = view->episode[0].returns;
  }
  size_t behind = (size_t)(view->episode_count - 1 - at);
  memmove(view->episode + at, view->episode + at + 1, behind * sizeof found);
  view->episode[view->episode_count - 1] = found;
  return &view->episode[view->episode_count - 1];
}

static void take_epoch(LiveView* view, const YamlNode* event, Arena* arena) {
  LiveEpisode* e = place_of(view, count_of(event, "hyper_episode", -1), arena);
  int epoch = (int)count_of(event, "epoch", 0);
  int again = e->epoch - epoch + 1;  // evaluations that a kill has made void
  if (e->epoch >= 0 && again > 0) {
    e->count = again < e->count ? e->count - again : 0;
  }
  if (e->count == RETURNS) {
    memmove(e->returns, e->returns + 1, (RETURNS - 1) * sizeof *e->returns);
    e->count--;
  }
  e->epoch = epoch;
  e->returns[e->count++] = number_of(event, "eval_return");
  e->real_ratio = number_of(event, "real_ratio");
  e->policy_updates = number_of(event, "policy_updates");
  e->rollout_length = number_of(event, "rollout_length");
  for (int p = 0; p < LIVE_PARTS; p++) {
    double seconds = number_of(member(event, "seconds"), part_names[p]);
    e->seconds[p] = isfinite(seconds) ? seconds : 0;
  }
}

static void take_health(LiveView* view, const YamlNode* event, Arena* arena) {
  const YamlNode* warnings = member(event, "warnings");
  if (warnings && warnings->kind == YAML_SEQUENCE && warnings->first) {
    view->warning = arena_string(arena, warnings->first->text);
    view->warned_episode = count_of(event, "hyper_episode", -1);
    view->warned_epoch = (int)count_of(event, "epoch", -1);
  }
}

static void take_event(LiveView* view, const YamlNode* event, Arena* arena) {
  const char* name = text_of(event, "event", "");
  view->age = moment_age(text_of(event, "time", ""));
  if (strcmp(name, "epoch") == 0) {
    take_epoch(view, event, arena);
  } else if (strcmp(name, "health") == 0) {
    take_health(view, event, arena);
  } else if (strcmp(name, "sealed") == 0 && view->score_count < SCORES) {
    double score = number_of(event, "score");
    view->score[view->score_count] = score;
    view->score_count += isfinite(score);
  }
}

static void read_metrics(LiveView* view, const RunDirectory* directory, Arena* arena) {
  char path[RUN_PATH_SIZE];
  Arena lines;
  view->episode = ARENA_NEW(arena, EPISODES, LiveEpisode);
  view->score = ARENA_NEW(arena, SCORES, double);
  run_file(path, directory, "metrics.jsonl");
  arena_init(&lines);
  char* line = read_tail(path, TAIL_BYTES, &lines);
  ArenaMark mark = arena_mark(&lines);
  for (char* end; (end = strchr(line, '\n')); line = end + 1) {
    const YamlNode* event = read_object(line, (size_t)(end - line), &lines);
    if (event) {
      take_event(view, event, arena);
    }
    arena_release(&lines, mark);
  }
  arena_free(&lines);
}

// The other files --------------------------------------------------------------------------------

static void read_config(LiveView* view, const RunDirectory* directory, Arena* arena) {
  YamlNode* root = NULL;
  Error ignored = {0};
  char path[RUN_PATH_SIZE];
  run_file(path, directory, "run.yaml");
  if (!files_exists(path) || !yaml_read_file(&root, path, arena, &ignored)) {
    return;
  }
  view->env = text_of(member(root, "env"), "id", "?");
  view->method = text_of(member(root, "run"), "method", "?");
  view->seed = text_of(member(root, "run"), "seed", "?");
}

// The last line of starts.jsonl.
static void read_start(LiveView* view, const RunDirectory* directory, Arena* arena) {
  char path[RUN_PATH_SIZE];
  run_file(path, directory, "starts.jsonl");
  const YamlNode* start = NULL;
  char* line = read_tail(path, 64 << 10, arena);
  for (char* end; (end = strchr(line, '\n')); line = end + 1) {
    const YamlNode* found = read_object(line, (size_t)(end - line), arena);
    start = found ? found : start;
  }
  view->host = text_of(start, "host", "?");
  view->running_for = moment_age(text_of(start, "start", ""));
  view->ranks = (int)count_of(start, "ranks", 0);
  const YamlNode* ids = member(start, "scheduler_ids");
  view->job = text_of(ids, "SLURM_JOB_ID", text_of(ids, "PBS_JOBID", ""));
}

static void read_ranks(LiveView* view, const YamlNode* ranks, Arena* arena) {
  if (!ranks || ranks->kind != YAML_SEQUENCE) {
    return;
  }
  view->rank = ARENA_NEW(arena, ranks->count, LiveRank);
  for (const YamlNode* node = ranks->first; node; node = node->next) {
    view->rank[view->rank_count++] = (LiveRank){
        .rank = (int)count_of(node, "rank", -1),
        .episode = count_of(node, "episode", -1),
        .samples = count_of(node, "env_step", 0),
        .last_return = number_of(node, "return"),
        .rss_mb = number_of(node, "rss_mb"),
    };
  }
}

static bool read_status(LiveView* view, const RunDirectory* directory, Arena* arena,
                        Error* error) {
  char path[RUN_PATH_SIZE];
  char* text;
  size_t size;
  run_file(path, directory, "status.json");
  if (!files_exists(path)) {
    return true;
  }
  if (!files_read(&text, &size, path, arena, error)) {
    return false;
  }
  const YamlNode* s = read_object(text, size, arena);
  if (!s) {
    return error_set(error, "%s: is no JSON object", path);
  }
  text[strcspn(text, "\n")] = '\0';
  view->status = text;
  view->said = text_of(s, "state", "");
  view->updated = text_of(s, "updated", "");
  view->age = fmin(view->age, moment_age(view->updated));
  view->progress = number_of(s, "progress");
  view->eta = number_of(s, "eta_s");
  view->steps_per_second = number_of(s, "steps_per_s");
  view->samples = number_of(s, "env_steps");
  view->stage = count_of(s, "stage", 0);
  view->checkpoint_age = number_of(member(s, "checkpoint"), "age_s");
  const YamlNode* episodes = member(s, "episodes");
  view->done = count_of(episodes, "done", 0);
  view->running = count_of(episodes, "running", 0);
  view->queued = count_of(episodes, "queued", 0);
  view->diverged = count_of(episodes, "diverged", 0);
  view->lost = count_of(episodes, "lost", 0);
  view->best_episode = count_of(member(s, "best"), "episode", -1);
  view->best_score = number_of(member(s, "best"), "score");
  read_ranks(view, member(s, "ranks"), arena);
  return true;
}

// Whether who wrote "running" still does.
static LiveState state_of_writer(LiveView* view, const RunDirectory* directory) {
  Leases leases;
  Process owner, here = process_this();
  leases_init(&leases, directory);
  if (lease_holder(&owner, &leases, LEASE_STATUS)) {
    bool is_here = strcmp(owner.boot, here.boot) == 0 && owner.space == here.space;
    view->process = is_here ? owner.number : 0;
    if (is_here || process_is_dead(&owner)) {
      return process_is_dead(&owner) ? LIVE_DEAD : LIVE_RUNNING;
    }
  }
  return view->age <= SILENT_AFTER ? LIVE_RUNNING : LIVE_SILENT;
}

static LiveState find_state(LiveView* view, const RunDirectory* directory) {
  static const struct {
    const char* said;
    LiveState state;
  } ends[] = {{"finished", LIVE_FINISHED},
              {"checkpointed", LIVE_CHECKPOINTED},
              {"failed", LIVE_FAILED}};
  char path[RUN_PATH_SIZE];
  run_file(path, directory, "COMPLETE");
  if (files_exists(path)) {
    return LIVE_FINISHED;
  }
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    if (strcmp(view->said, ends[i].said) == 0) {
      return ends[i].state;
    }
  }
  return view->status ? state_of_writer(view, directory) : LIVE_NOT_BEGUN;
}

bool live_read(LiveView* view, const char* directory, Arena* arena, Error* error) {
  RunDirectory place;
  if (!run_directory_find(&place, directory, error)) {
    return false;
  }
  *view = (LiveView){.directory = arena_string(arena, directory),
                     .method = "?",
                     .env = "?",
                     .seed = "?",
                     .said = "",
                     .updated = "",
                     .warning = "",
                     .age = NAN,
                     .progress = NAN,
                     .eta = NAN,
                     .steps_per_second = NAN,
                     .samples = NAN,
                     .checkpoint_age = NAN,
                     .best_score = NAN,
                     .best_episode = -1};
  read_config(view, &place, arena);
  read_start(view, &place, arena);
  read_metrics(view, &place, arena);
  if (!read_status(view, &place, arena, error)) {
    return false;
  }
  view->state = find_state(view, &place);
  return true;
}
