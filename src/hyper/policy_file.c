// policy_file.c - a version of the controller as a sealed file, and back.
//
// One table, stage_columns, describes the results of stages for writing and reading, so that the
// two cannot drift apart. The file carries what the controller needs where it is applied: networks
// with the names of what they read, Adam's state to go on learning, the configuration that it was
// trained in, and the range that each feature was seen in.
//
// Reading makes sure that the file fits the controller that was set up for it (heads, features,
// widths): a network that reads other features has the right number of weights, and would act
// wrongly in silence.
#include "hyper/policy_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hyper/sealed_root.h"

#define REAL_TYPE (sizeof(Real) == 4 ? H5_F32 : H5_F64)

static void group_name(char* out, size_t size, const Controller* c, int group) {
  out[0] = '\0';
  if (c->groups == 1) {
    snprintf(out, size, "joint");
    return;
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (c->heads[h].scheduled && c->heads[h].group == group) {
      size_t used = strlen(out);
      snprintf(out + used, size - used, used ? "+%s" : "%s", head_name((HyperHead)h));
    }
  }
}

static void head_path(char* out, size_t size, int head) {
  snprintf(out, size, "heads/%s", head_name((HyperHead)head));
}

static void write_head(H5File* file, const Controller* c, int h) {
  const ControllerHead* head = &c->heads[h];
  char path[64], text[256];
  int64_t size = (int64_t)head->net.size;
  head_path(path, sizeof path, h);
  sealed_network(file, path, &head->net, head->params);
  sealed_column(file, path, "best_parameters", REAL_TYPE, size, 0, "1",
                "parameters of best_version", head->best);
  sealed_column(file, path, "adam_mean", REAL_TYPE, size, 0, "1", "mean of gradients",
                head->adam.first);
  sealed_column(file, path, "adam_variance", REAL_TYPE, size, 0, "1", "mean of squared gradients",
                head->adam.second);
  h5_set_i64(file, path, "adam_step", head->adam.steps);
  sealed_feature_names(text, sizeof text, head->features, head->feature_count);
  h5_set_text(file, path, "features", text);
  group_name(text, sizeof text, c, head->group);
  h5_set_text(file, path, "group", text);
}

// /stages, a row per folded stage; also read back.
typedef struct {
  const char* name;
  H5Type type;
  int64_t columns;
  size_t offset;
  const char* unit;
  const char* long_name;
} StageColumn;

#define STAGE(field) offsetof(StageResult, field)

static const StageColumn stage_columns[] = {
    {"stage", H5_I32, 0, STAGE(stage), "1", "index of the stage"},
    {"group", H5_I32, 0, STAGE(group), "1", "group of heads that was trained"},
    {"first_episode", H5_I32, 0, STAGE(first_episode), "1", "its first hyper-episode"},
    {"episodes", H5_I32, 0, STAGE(episodes), "1", "its hyper-episodes"},
    {"score", H5_F64, 0, STAGE(score), "return", "mean evaluation return of its hyper-episodes"},
    {"score_std", H5_F64, 0, STAGE(score_std), "return", "deviation over its hyper-episodes"},
    {"baseline_score", H5_F64, 0, STAGE(baseline_score), "return", "R' over the same epochs"},
    {"advantage_mean", H5_F64, 0, STAGE(advantage_mean), "1", "over its decisions"},
    {"entropy", H5_F64, HEAD_COUNT, STAGE(entropy), "nat", "mean over its decisions"},
    {"exploration", H5_F64, 0, STAGE(exploration), "1", "probability of uniform exploration"},
    {"clip_fraction", H5_F64, 0, STAGE(clip_fraction), "1", "ratios outside the clip range"},
    {"kl", H5_F64, 0, STAGE(kl), "nat", "mean of logp_behaviour - logp_new after the update"},
};

#define STAGE_COLUMNS (sizeof stage_columns / sizeof *stage_columns)

static size_t stage_cell(const StageColumn* column) {
  return h5_type_size(column->type) * (size_t)(column->columns ? column->columns : 1);
}

static void write_stages(H5File* file, const Controller* c) {
  Arena arena;
  arena_init(&arena);
  h5_group(file, "stages");
  for (size_t i = 0; i < STAGE_COLUMNS; i++) {
    const StageColumn* column = &stage_columns[i];
    size_t cell = stage_cell(column);
    char* data = arena_alloc(&arena, cell * (size_t)c->stages);
    for (int s = 0; s < c->stages; s++) {
      memcpy(data + (size_t)s * cell, (const char*)&c->stage[s] + column->offset, cell);
    }
    sealed_column(file, "stages", column->name, column->type, c->stages, column->columns,
                  column->unit, column->long_name, data);
  }
  arena_free(&arena);
}

static void write_features(H5File* file, const Controller* c) {
  char names[256];
  h5_group(file, "features");
  sealed_feature_names(names, sizeof names, NULL, FEATURE_COUNT);
  h5_set_text(file, "features", "feature_names", names);
  sealed_column(file, "features", "trained_low", H5_F64, FEATURE_COUNT, 0, "mixed",
                "least raw value in the hyper-episodes of all stages", c->seen.low);
  sealed_column(file, "features", "trained_high", H5_F64, FEATURE_COUNT, 0, "mixed",
                "largest raw value in the hyper-episodes of all stages", c->seen.high);
}

bool policy_file_write(const Controller* c, const RunSpec* x, const char* path, Error* error) {
  H5File file;
  if (!h5_create(&file, path, POLICY_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  char group[256];
  group_name(group, sizeof group, c, c->active_group);
  h5_set_text(&file, "", "env", x->env);
  h5_set_text(&file, "", "method", x->method);
  h5_set_i64(&file, "", "seed", (int64_t)x->seed);
  h5_set_text(&file, "", "seed_set", x->seed_set);
  h5_set_text(&file, "", "baseline_seeds", x->baseline ? x->baseline->run_seeds : "");
  h5_set_text(&file, "", "config", x->config);
  h5_set_text(&file, "", "config_hash", x->config_hash);
  h5_set_i64(&file, "", "version", c->version);
  h5_set_i64(&file, "", "stage", c->stages);
  h5_set_text(&file, "", "group", group);
  h5_set_i64(&file, "", "active_group", c->active_group);
  h5_set_i64(&file, "", "best_version", c->best_version);
  h5_set_f64(&file, "", "best_score", c->best_score);
  write_features(&file, c);
  h5_group(&file, "heads");
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (c->heads[h].scheduled) {
      write_head(&file, c, h);
    }
  }
  write_stages(&file, c);
  return h5_seal(&file, error);
}

// Reading -----------------------------------------------------------------------------------------

static void read_reals(H5File* file, const char* path, const char* name, size_t count, Real* out) {
  char full[128];
  snprintf(full, sizeof full, "%s/%s", path, name);
  h5_read(file, full, REAL_TYPE, (int64_t)count, 0, out);
}

// Whether the file has the network of this head.
static bool check_network(H5File* file, const char* path, const ControllerHead* head, Arena* arena,
                          Error* error) {
  char expected[256];
  int64_t widths[MLP_MAX_LAYERS + 1] = {0};
  const char* features = h5_get_text(file, path, "features", arena);
  h5_get_i64s(file, path, "widths", widths, head->net.layers + 1);
  sealed_feature_names(expected, sizeof expected, head->features, head->feature_count);
  if (file->failed) {
    return true;  // which h5_close reports
  }
  if (strcmp(features, expected) != 0) {
    return error_set(error, "%s: %s reads %.160s, expected %s", file->path, path, features,
                     expected);
  }
  for (int l = 0; l <= head->net.layers; l++) {
    if (widths[l] != head->net.width[l]) {
      return error_set(error, "%s: layer %d of %s has %lld units, expected %d", file->path, l, path,
                       (long long)widths[l], head->net.width[l]);
    }
  }
  return true;
}

static bool read_head(H5File* file, Controller* c, int h, Arena* arena, Error* error) {
  ControllerHead* head = &c->heads[h];
  char path[64];
  head_path(path, sizeof path, h);
  if (!file->failed && h5_has(file, path) != head->scheduled) {
    return error_set(error, "%s: head '%s' is %s, but hyper.schedule_%s is %s", file->path,
                     head_name((HyperHead)h), head->scheduled ? "not trained" : "trained",
                     head_name((HyperHead)h), head->scheduled ? "true" : "false");
  }
  if (!head->scheduled) {
    return true;
  }
  if (!check_network(file, path, head, arena, error)) {
    return false;
  }
  read_reals(file, path, "parameters", head->net.size, head->params);
  read_reals(file, path, "best_parameters", head->net.size, head->best);
  read_reals(file, path, "adam_mean", head->net.size, head->adam.first);
  read_reals(file, path, "adam_variance", head->net.size, head->adam.second);
  head->adam.steps = h5_get_i64(file, path, "adam_step");
  return true;
}

static void read_stages(H5File* file, Controller* c, Arena* arena) {
  for (size_t i = 0; i < STAGE_COLUMNS; i++) {
    const StageColumn* column = &stage_columns[i];
    char name[64];
    snprintf(name, sizeof name, "stages/%s", column->name);
    size_t cell = stage_cell(column);
    char* data = arena_alloc(arena, cell * (size_t)c->stages);
    h5_read(file, name, column->type, c->stages, column->columns, data);
    for (int s = 0; s < c->stages; s++) {
      memcpy((char*)&c->stage[s] + column->offset, data + (size_t)s * cell, cell);
    }
  }
}

static bool read_all(Controller* c, H5File* file, Arena* arena, Error* error) {
  c->version = h5_get_int(file, "", "version", 0, c->max_stages);
  c->stages = h5_get_int(file, "", "stage", 0, c->max_stages);
  c->active_group = h5_get_int(file, "", "active_group", 0, HEAD_COUNT);
  c->best_version = h5_get_int(file, "", "best_version", -1, c->max_stages);
  c->best_score = h5_get_f64(file, "", "best_score");
  if (h5_has(file, "features")) {  // files of earlier programs have none
    h5_read(file, "features/trained_low", H5_F64, FEATURE_COUNT, 0, c->seen.low);
    h5_read(file, "features/trained_high", H5_F64, FEATURE_COUNT, 0, c->seen.high);
  }
  for (int h = 0; h < HEAD_COUNT; h++) {
    if (!read_head(file, c, h, arena, error)) {
      return false;
    }
  }
  read_stages(file, c, arena);
  return true;
}

bool policy_file_read(Controller* c, const char* path, Error* error) {
  H5File file;
  Error ignored;
  Arena arena;
  if (!h5_open(&file, path, POLICY_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  arena_init(&arena);
  bool good = read_all(c, &file, &arena, error);
  arena_free(&arena);
  return h5_close(&file, good ? error : &ignored) && good;
}

bool policy_file_read_training(PolicyTraining* training, const char* path, Arena* arena,
                               Error* error) {
  H5File file;
  if (!h5_open(&file, path, POLICY_FORMAT, SEALED_VERSION, error)) {
    return false;
  }
  training->env = h5_get_text(&file, "", "env", arena);
  training->config = h5_get_text(&file, "", "config", arena);
  training->seed = h5_get_i64(&file, "", "seed");
  training->baseline_seeds = h5_has_attribute(&file, "", "baseline_seeds")
                                 ? h5_get_text(&file, "", "baseline_seeds", arena)
                                 : "";
  return h5_close(&file, error);
}

bool policy_file_find(char out[RUN_PATH_SIZE], const char* named, Error* error) {
  struct stat info;
  if (stat(named, &info) != 0) {
    return error_set(error, "scheduler.controller: '%s' does not exist", named);
  }
  if (!S_ISDIR(info.st_mode)) {
    char target[FILES_PATH_SIZE];
    snprintf(out, RUN_PATH_SIZE, "%s", files_target(target, named));
    return true;
  }
  RunDirectory directory;
  snprintf(directory.path, sizeof directory.path, "%s", named);
  bool found = false;
  for (int v = 0; v < 1000000; v++) {
    char path[RUN_PATH_SIZE];
    run_policy_path(path, &directory, v);
    if (!files_exists(path)) {
      break;
    }
    memcpy(out, path, sizeof path);
    found = true;
  }
  return found || error_set(error, "%s: no policy file in its policy/ directory", named);
}
