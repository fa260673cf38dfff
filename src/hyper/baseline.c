// baseline.c - R' from and to its YAML file, and between its rows.
//
// A baseline is two columns, real samples and mean return (the deviation is for readers), and a
// header that says of which task. It is YAML because it is shipped, read and compared by people;
// provenance is written for them, and of the header the program only compares the task.
//
// Between two rows R' is interpolated, before the first and after the last it is constant. A run's
// epochs end where its own exploration ended plus whole epochs, which is rarely a row of a baseline
// that is a mean over seeds; that a baseline is long enough for the run is checked where the run is
// configured.
#include "hyper/baseline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
#include "store/files.h"

#define MOST_SAMPLES 0x1p53  // whole numbers up to here are exact

static const YamlNode* column(const YamlNode* root, const char* key, const char* path,
                              Error* error) {
  const YamlNode* node = yaml_find(root, key);
  if (!node || node->kind != YAML_SEQUENCE || node->count < 1) {
    error_line(error, "%s: '%s' is missing, expected a list of numbers", path, key);
    return NULL;
  }
  return node;
}

static double* read_column(const YamlNode* root, const char* key, const char* path, int* count,
                           Arena* arena, Error* error) {
  const YamlNode* node = column(root, key, path, error);
  if (!node) {
    return NULL;
  }
  double* values = ARENA_NEW(arena, node->count, double);
  int i = 0;
  for (const YamlNode* item = node->first; item; item = item->next) {
    if (!yaml_number(&values[i++], item, path, error)) {
      return NULL;
    }
  }
  if (*count && *count != node->count) {
    error_line(error, "%s:%d: '%s' has %d values, expected %d as 'env_step'", path, node->line, key,
               node->count, *count);
    return NULL;
  }
  *count = node->count;
  return values;
}

static bool read_header(Baseline* b, const YamlNode* root, const char* path, Error* error) {
  const YamlNode* format = yaml_find(root, "format");
  if (!format || strcmp(format->text, "autombpo.baseline") != 0) {
    return error_line(error, "%s: not a baseline: expected 'format: autombpo.baseline'", path);
  }
  const YamlNode* version = yaml_find(root, "format_version");
  if (!version || strcmp(version->text, "1") != 0) {
    return error_line(error, "%s: format version %s, this program reads 1", path,
                      version ? version->text : "missing");
  }
  const YamlNode* env = yaml_find(root, "env");
  if (!env || strlen(env->text) == 0 || strlen(env->text) >= sizeof b->env) {
    return error_line(error, "%s: 'env' is missing, expected a task id", path);
  }
  strcpy(b->env, env->text);
  const YamlNode* seeds = yaml_find(root, "seeds");
  b->seeds = seeds ? seeds->count : 0;
  return true;
}

// "0,1,2"
static const char* read_run_seeds(const YamlNode* root, Arena* arena) {
  const YamlNode* list = yaml_find(root, "run_seeds");
  Text text;
  text_init(&text, arena);
  for (const YamlNode* item = list ? list->first : NULL; item; item = item->next) {
    text_add(&text, item == list->first ? "%s" : ",%s", item->text);
  }
  return text.bytes;
}

bool baseline_load(Baseline* b, const char* path, Arena* arena, Error* error) {
  *b = (Baseline){0};
  YamlNode* root;
  char target[FILES_PATH_SIZE];
  char* text;
  size_t size;
  if (!files_read(&text, &size, files_target(target, path), arena, error) ||
      !yaml_read(&root, path, text, size, arena, error) || !read_header(b, root, path, error)) {
    return false;
  }
  b->run_seeds = read_run_seeds(root, arena);
  double* steps = read_column(root, "env_step", path, &b->count, arena, error);
  b->return_mean = read_column(root, "return_mean", path, &b->count, arena, error);
  b->return_std = read_column(root, "return_std", path, &b->count, arena, error);
  if (!steps || !b->return_mean || !b->return_std) {
    return false;
  }
  b->env_step = ARENA_NEW(arena, b->count, int64_t);
  for (int i = 0; i < b->count; i++) {
    if (!(steps[i] >= 0 && steps[i] <= MOST_SAMPLES)) {
      return error_line(error, "%s: 'env_step' holds %g, expected 0 to %g", path, steps[i],
                        MOST_SAMPLES);
    }
    b->env_step[i] = (int64_t)steps[i];
    if (i > 0 && b->env_step[i] <= b->env_step[i - 1]) {
      return error_line(error, "%s: 'env_step' must rise, but %lld follows %lld", path,
                        (long long)b->env_step[i], (long long)b->env_step[i - 1]);
    }
  }
  return true;
}

static void add_numbers(Text* text, const char* key, const double* values, int count) {
  text_add(text, "%s: [", key);
  for (int i = 0; i < count; i++) {
    char number[TEXT_NUMBER_SIZE];
    text_number(number, values[i]);
    text_add(text, i ? ", %s" : "%s", number);
  }
  text_add(text, "]\n");
}

static void add_integers(Text* text, const char* key, const int64_t* values, int count) {
  text_add(text, "%s: [", key);
  for (int i = 0; i < count; i++) {
    text_add(text, i ? ", %lld" : "%lld", (long long)values[i]);
  }
  text_add(text, "]\n");
}

static void add_text(Text* text, const char* key, const char* value) {
  text_add(text, "%s: ", key);
  text_add_scalar(text, value);
  text_add(text, "\n");
}

bool baseline_save(const Baseline* b, const BaselineSource* source, const char* path,
                   Error* error) {
  Arena arena;
  arena_init(&arena);
  Text text;
  text_init(&text, &arena);
  text_add(&text, "# R': mean evaluation return of MBPO in its original configuration.\n");
  text_add(&text, "format: autombpo.baseline\nformat_version: 1\n");
  add_text(&text, "env", b->env);
  add_text(&text, "env_engine", source->env_engine);
  text_add(&text, "method: mbpo\n");
  add_integers(&text, "seeds", source->seeds, b->seeds);
  text_add(&text, "run_seeds: [%s]\n", b->run_seeds);
  text_add(&text, "eval_episodes: %d\nconfig_hash: \"%s\"\n", source->eval_episodes,
           source->config_hash);
  add_text(&text, "command", source->command);
  add_text(&text, "provenance", source->provenance);
  add_integers(&text, "env_step", b->env_step, b->count);
  add_numbers(&text, "return_mean", b->return_mean, b->count);
  add_numbers(&text, "return_std", b->return_std, b->count);
  bool ok = files_write(path, text.bytes, text.size, error);
  arena_free(&arena);
  return ok;
}

double baseline_at(const Baseline* b, int64_t env_step) {
  if (env_step <= b->env_step[0]) {
    return b->return_mean[0];
  }
  for (int i = 1; i < b->count; i++) {
    if (env_step <= b->env_step[i]) {
      double span = (double)(b->env_step[i] - b->env_step[i - 1]);
      double share = (double)(env_step - b->env_step[i - 1]) / span;
      return b->return_mean[i - 1] + share * (b->return_mean[i] - b->return_mean[i - 1]);
    }
  }
  return b->return_mean[b->count - 1];
}

double baseline_least(const Baseline* b) {
  double least = INFINITY;
  for (int i = 0; i < b->count; i++) {
    least = fmin(least, b->return_mean[i]);
  }
  return least;
}
