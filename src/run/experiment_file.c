// experiment_file.c - reads the YAML file of an experiment.
//
//   name: figure-2                  include: [tasks.yaml]
//   seeds: {tune: 1, validate: 1000, test: 2000}
//   tasks:                          methods:
//     pendulum-small:                 autombpo:
//       config: pendulum-small.yaml     repetitions: 10
//       threshold: -300                 train: methods/autombpo.yaml
//                                       test: ... scheduler.controller={train}
//
// A size of an experiment is a file of tasks, which the files of figures include; so tasks and
// methods merge by name, the later one replacing the earlier. All problems are collected, each with
// its line.
#include "experiment_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "run/assets.h"

#define DEEPEST_INCLUDE 8
#define MOST_TASKS 64
#define MOST_METHODS 256
#define MOST_REPETITIONS 10000

typedef struct {
  Experiment* x;
  Arena* arena;
  const char* file;  // that is being read
  int depth;
  Error* error;
} Reader;

static bool wrong(const Reader* r, const YamlNode* node, const char* what, const char* expected) {
  return error_line(r->error, "%s:%d:%d: %s, expected %s", r->file, node->line, node->column, what,
                    expected);
}

static bool read_text(const char** text, const Reader* r, const YamlNode* node) {
  if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
    return wrong(r, node, text_format(r->arena, "'%s' has no text", node->key), "words");
  }
  *text = node->text;
  return true;
}

static bool read_count(int64_t* value, const Reader* r, const YamlNode* node, int64_t least,
                       int64_t most) {
  double number = NAN;
  bool good = node->kind == YAML_SCALAR && text_read_number(&number, node->text) &&
              number == floor(number) && number >= (double)least && number <= (double)most;
  *value = good ? (int64_t)number : least;
  return good ||
         wrong(r, node, text_format(r->arena, "'%s' is '%s'", node->key, node->text),
               text_format(r->arena, "a whole number from %lld to %lld", (long long)least,
                           (long long)most));
}

// Names become directories.
static bool check_name(const Reader* r, const YamlNode* node, const char* name) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  bool good = *name && *name != '.' && strlen(name) < 64 && name[strspn(name, letters)] == '\0';
  return good || wrong(r, node, text_format(r->arena, "the name '%s'", name),
                       "letters, digits, '_', '-' and '.', at most 63");
}

static bool unknown(const Reader* r, const YamlNode* node, const char* expected) {
  return error_line(r->error, "%s:%d:%d: unknown key '%s', expected %s", r->file, node->key_line,
                    node->key_column, node->key, expected);
}

// Tasks and methods -------------------------------------------------------------------------------

static bool read_task_member(ExperimentTask* task, const Reader* r, const YamlNode* node) {
  int64_t count;
  if (strcmp(node->key, "config") == 0) {
    return read_text(&task->operands, r, node);
  }
  if (strcmp(node->key, "baseline") == 0) {
    return read_text(&task->baseline, r, node);
  }
  if (strcmp(node->key, "threshold") == 0) {
    return yaml_number(&task->threshold, node, r->file, r->error);
  }
  if (strcmp(node->key, "repetitions") == 0) {
    bool good = read_count(&count, r, node, 1, MOST_REPETITIONS);
    task->repetitions = (int)count;
    return good;
  }
  return unknown(r, node, "config, baseline, threshold or repetitions");
}

static bool read_method_member(ExperimentMethod* method, const Reader* r, const YamlNode* node) {
  int64_t count;
  if (strcmp(node->key, "repetitions") == 0) {
    bool good = read_count(&count, r, node, 1, MOST_REPETITIONS);
    method->repetitions = (int)count;
    return good;
  }
  for (int i = 0; i < STEP_COUNT; i++) {
    if (strcmp(node->key, experiment_step_names[i]) == 0) {
      return read_text(&method->steps[i], r, node);
    }
  }
  return unknown(r, node, "repetitions, train, validate or test");
}

// The place of a name among those there are, or behind them.
static int place_of(const char* name, const void* first, size_t size, int count) {
  int i = 0;
  while (i < count && strcmp(*(const char* const*)((const char*)first + size * (size_t)i), name)) {
    i++;
  }
  return i;
}

static bool read_task(const Reader* r, const YamlNode* node) {
  Experiment* x = r->x;
  int at = place_of(node->key, x->tasks, sizeof *x->tasks, x->task_count);
  if (node->kind != YAML_MAP || at == MOST_TASKS) {
    return wrong(r, node, "this is no task", "its config, in a map, of 64 tasks at most");
  }
  ExperimentTask* task = &x->tasks[at];
  *task = (ExperimentTask){
      .name = node->key, .threshold = NAN, .repetitions = MOST_REPETITIONS};
  x->task_count += at == x->task_count;
  bool good = check_name(r, node, task->name);
  for (const YamlNode* member = node->first; member; member = member->next) {
    good &= read_task_member(task, r, member);
  }
  return (task->operands || wrong(r, node, "'config' is missing", "a configuration file")) && good;
}

static bool read_method(const Reader* r, const YamlNode* node) {
  Experiment* x = r->x;
  int at = place_of(node->key, x->methods, sizeof *x->methods, x->method_count);
  if (node->kind != YAML_MAP || at == MOST_METHODS) {
    return wrong(r, node, "this is no method", "its steps, in a map, of 256 methods at most");
  }
  if (strcmp(node->key, EXPERIMENT_BASELINE) == 0) {
    return wrong(r, node, "a method of this name makes R' of tasks with a 'baseline'",
                 "another name");
  }
  ExperimentMethod* method = &x->methods[at];
  *method = (ExperimentMethod){.name = node->key, .repetitions = 1};
  x->method_count += at == x->method_count;
  bool good = check_name(r, node, method->name);
  for (const YamlNode* member = node->first; member; member = member->next) {
    good &= read_method_member(method, r, member);
  }
  for (int i = 0; i < STEP_COUNT; i++) {
    if (method->steps[i]) {
      return good;
    }
  }
  return wrong(r, node, "a method without steps", "train, validate or test");
}

static bool read_each(const Reader* r, const YamlNode* map,
                      bool (*read)(const Reader*, const YamlNode*)) {
  bool good = map->kind == YAML_MAP || wrong(r, map, "this is no map", "names and what they are");
  for (const YamlNode* node = map->first; node && map->kind == YAML_MAP; node = node->next) {
    good &= read(r, node);
  }
  return good;
}

static bool read_seed(const Reader* r, const YamlNode* node) {
  for (int i = 0; i < STEP_COUNT; i++) {
    if (strcmp(node->key, experiment_set_names[i]) == 0) {
      return read_count(&r->x->first_seed[i], r, node, 0, INT64_C(1) << 53);
    }
  }
  return unknown(r, node, "tune, validate or test");
}

// The file ----------------------------------------------------------------------------------------

static bool read_file(Reader r, const char* path);

const char* experiment_file_beside(const char* file, const char* name, Arena* arena) {
  const char* slash = strrchr(file, '/');
  const char* beside = text_format(arena, "%.*s/%s", slash ? (int)(slash - file) : 1,
                                   slash ? file : ".", name);
  return files_exists(beside) ? beside : name;
}

static bool include(const Reader* r, const YamlNode* item) {
  const char* path = "";
  if (!read_text(&path, r, item)) {
    return false;
  }
  Reader inner = *r;
  inner.depth++;
  if (inner.depth > DEEPEST_INCLUDE) {
    return wrong(r, item, "includes nest too deep", "at most 8 levels (is there a circle?)");
  }
  return read_file(inner, experiment_file_beside(r->file, path, r->arena));
}

static bool read_member(const Reader* r, const YamlNode* node) {
  if (strcmp(node->key, "include") == 0) {
    return true;  // it was first
  }
  if (strcmp(node->key, "name") == 0) {
    return read_text(&r->x->name, r, node) && check_name(r, node, node->text);
  }
  if (strcmp(node->key, "dir") == 0) {
    return read_text(&r->x->directory, r, node);
  }
  if (strcmp(node->key, "seeds") == 0) {
    return read_each(r, node, read_seed);
  }
  if (strcmp(node->key, "tasks") == 0) {
    return read_each(r, node, read_task);
  }
  if (strcmp(node->key, "methods") == 0) {
    return read_each(r, node, read_method);
  }
  return unknown(r, node, "include, name, dir, seeds, tasks or methods");
}

static bool read_file(Reader r, const char* path) {
  YamlNode* root;
  r.file = path;
  if (!yaml_read_file(&root, path, r.arena, r.error)) {
    return false;
  }
  if (root->kind != YAML_MAP) {
    return error_line(r.error, "%s: is no experiment, expected name, tasks and methods", path);
  }
  bool good = true;
  const YamlNode* included = yaml_find(root, "include");
  if (included && included->kind != YAML_SEQUENCE) {
    return wrong(&r, included, "'include' is no list", "[FILE, ...]");
  }
  for (const YamlNode* item = included ? included->first : NULL; item; item = item->next) {
    good &= include(&r, item);
  }
  for (const YamlNode* node = root->first; node; node = node->next) {
    good &= read_member(&r, node);
  }
  return good;
}

bool experiment_file_read(Experiment* x, const char* path, Arena* arena, Error* error) {
  *x = (Experiment){.path = assets_find_shipped(path, arena), .first_seed = {1, 1000, 2000}};
  x->tasks = ARENA_NEW(arena, MOST_TASKS, ExperimentTask);
  x->methods = ARENA_NEW(arena, MOST_METHODS + 1, ExperimentMethod);
  Reader reader = {.x = x, .arena = arena, .error = error};
  if (!read_file(reader, x->path)) {
    return false;
  }
  if (!x->name || x->task_count == 0 || x->method_count == 0) {
    return error_line(error, "%s: %s is missing", x->path,
                      !x->name ? "name" : x->task_count == 0 ? "tasks" : "methods");
  }
  x->directory = x->directory ? x->directory : text_format(arena, "runs/%s", x->name);
  x->methods[x->method_count++] =
      (ExperimentMethod){.name = EXPERIMENT_BASELINE, .makes_baseline = true, .repetitions = 1};
  return true;
}
