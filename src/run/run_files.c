// run_files.c - what makes a directory a run, and when two starts are of the same run.
//
// The first start copies the inputs and then writes run.yaml, whose last line is the hash; a
// directory without that line is not a run yet, whatever a kill left in it. Every later start
// compares its options with run.yaml, and then the hash, which also covers the contents of inputs.
// Two first starts at once are settled by the file system: one run.yaml is published, and both
// compare themselves with it.
//
// On resuming, nothing outside the directory is read because a file in it says so: code, other MJCF
// files and controllers must be named on the command line again.
#define _GNU_SOURCE
#include "run/run_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "hyper/scheduler.h"
#include "hyper/sealed_check.h"

#define END_LINE "# end of run.yaml; config_hash "

// The copies of a run's inputs: option, name in the directory.
static const char* const inputs[][2] = {{"scheduler.baseline", "baseline.yaml"},
                                        {"scheduler.controller", "controller.h5"},
                                        {"scheduler.schedule", "schedule.csv"}};

#define INPUT_COUNT (sizeof inputs / sizeof *inputs)

// run.yaml ----------------------------------------------------------------------------------------

// The hash that run.yaml ends with, in its last line; NULL if that is missing.
static const char* recorded_hash(const char* text, Arena* arena) {
  const size_t mark = strlen(END_LINE), size = strlen(text);
  const char* end = size > mark + 17 ? text + size - mark - 17 : text;
  char hash[17] = "";
  bool whole = end > text && end[-1] == '\n' && strncmp(end, END_LINE, mark) == 0 &&
               sscanf(end + mark, "%16[0-9a-f]", hash) == 1 && end[mark + strlen(hash)] == '\n';
  return whole && strlen(hash) == 16 ? arena_string(arena, hash) : NULL;
}

// A path that is good in any working directory; it stays as it is where YAML cannot hold that.
static void make_absolute(char option[OPTION_TEXT_SIZE]) {
  char absolute[PATH_MAX];
  if (*option && realpath(option, absolute) && strlen(absolute) < OPTION_TEXT_SIZE &&
      text_is_printable(absolute)) {
    strcpy(option, absolute);
  }
}

static bool write_run_yaml(RunConfig* c, const char* path, Error* error) {
  Text text;
  make_absolute(c->spec.scheduler.baseline);
  make_absolute(c->spec.scheduler.controller);
  make_absolute(c->spec.scheduler.schedule);
  make_absolute(c->env.assets);
  text_init(&text, &c->arena);
  options_show(&c->options, &text);
  text_add(&text, END_LINE "%s\n", c->spec.config_hash);
  // of two first starts at once, one makes the run; the other then compares itself with it
  return files_write_first(path, text.bytes, text.size, error);
}

static bool copy_input(RunConfig* c, const char* from, const char* name, Error* error) {
  char to[RUN_PATH_SIZE];
  char target[FILES_PATH_SIZE];
  char* bytes;
  size_t size;
  run_file(to, &c->directory, name);
  if (!from || strcmp(from, to) == 0) {
    return true;
  }
  return files_read(&bytes, &size, files_target(target, from), &c->arena, error) &&
         files_write(to, bytes, size, error);
}

// Whether the results that a directory without run.yaml holds, if any, are this run's.
static bool check_results(RunConfig* c, Error* error) {
  char path[RUN_PATH_SIZE];
  const RunSpec* x = &c->spec;
  bool there;
  RunIndices sealed;
  run_policy_path(path, &c->directory, 0);
  if (!files_look(&there, path, error) ||
      !run_list(&sealed, run_episode_path, &c->directory, &c->arena, error)) {
    return false;
  }
  return there ? sealed_check_policy(&c->directory, x, 0, error)
               : sealed.count == 0 ||
                     sealed_check_episode(&c->directory, x, sealed.index[0], error);
}

// The run directory, where it may be made.
static bool make_directory(const RunConfig* c, Error* error) {
  return run_directory_make(&c->directory, error) ||
         error_line(error,
                    "The run was to be kept in %s; run.dir=DIRECTORY names another place, and a "
                    "relative one is of the directory where the command is started",
                    c->directory.path);
}

static bool create_run(RunConfig* c, const char* path, Error* error) {
  return make_directory(c, error) && check_results(c, error) &&
         copy_input(c, c->baseline_path, inputs[0][1], error) &&
         copy_input(c, c->controller_path, inputs[1][1], error) &&
         copy_input(c, c->schedule_path, inputs[2][1], error) && write_run_yaml(c, path, error);
}

static bool is_plugin(const RunConfig* c) { return strncmp(c->env.id, "plugin:", 7) == 0; }

// Comparing a start with the run that a directory holds -------------------------------------------

// *cut_off: its last section is missing, too.
static bool read_run_yaml(RunConfig* old, const char* path, const char** hash, bool* cut_off,
                          Error* error) {
  char* text;
  size_t size;
  if (!files_read(&text, &size, path, &old->arena, error)) {
    return false;
  }
  const OptionSection* last = &old->options.sections[old->options.count - 1];
  *hash = recorded_hash(text, &old->arena);
  *cut_off = !*hash && !strstr(text, text_format(&old->arena, "\n%s:\n", last->name));
  return options_load_text(&old->options, path, text, error) ||
         error_line(error, "%s: is damaged; move it away and repeat the command", path);
}

static bool refuse_difference(RunConfig* old, RunConfig* c, const char* hash, const char* path,
                              Error* error) {
  Text differences;
  text_init(&differences, &c->arena);
  options_diff(&old->options, &c->options, c->unhashed, &differences);
  if (hash && strcmp(hash, c->spec.config_hash) == 0) {
    return error_set(error,
                     "%s: is damaged: it differs from the configuration that it was written "
                     "from. Move it away and repeat the command\n%s",
                     path, differences.bytes);
  }
  return error_set(error,
                   "%s holds a run of another configuration; choose another run.dir, or repeat "
                   "with the same one:\n%s",
                   c->directory.path, differences.bytes);
}

static bool compare_configs(RunConfig* old, RunConfig* c, const char* hash, const char* path,
                            Error* error) {
  Text text;
  text_init(&text, &c->arena);
  if (is_plugin(old) && is_plugin(c)) {
    // it may have moved; whether it is the same one, the hash tells
    strcpy(old->env.id, c->spec.env);
  }
  options_canonical(&old->options, old->unhashed, &text);
  if (strncmp(text.bytes, c->spec.config, text.size) != 0) {
    return refuse_difference(old, c, hash, path, error);
  }
  if (hash && strcmp(hash, c->spec.config_hash) != 0) {
    return error_set(error,
                     "%s: the run began with hash %s, but this start has %s: the baseline or the "
                     "controller has changed since, or a file is damaged. `autombpo resume %s` "
                     "goes on with the copies in the directory",
                     path, hash, c->spec.config_hash, c->directory.path);
  }
  return true;
}

// Two configurations are the same run if what results depend on is the same. *cut_off: the file's
// last section is missing, and it tells nothing.
static bool compare_with(RunConfig* c, const char* path, bool* cut_off, Error* error) {
  RunConfig* old = ARENA_NEW(&c->arena, 1, RunConfig);
  const char* hash = NULL;
  run_config_init(old);
  bool good = read_run_yaml(old, path, &hash, cut_off, error) &&
              (*cut_off || compare_configs(old, c, hash, path, error));
  run_config_free(old);
  return good;
}

static bool check_same_run(RunConfig* c, const char* path, Error* error) {
  bool cut_off = false;
  bool good = compare_with(c, path, &cut_off, error);
  if (cut_off) {
    // what is there tells whether it is this run
    return (remove(path) == 0 || error_errno(error, path)) && create_run(c, path, error);
  }
  return good;
}

bool run_files_compare(RunConfig* c, Error* error) {
  char path[RUN_PATH_SIZE];
  bool cut_off = false;
  run_file(path, &c->directory, "run.yaml");
  return compare_with(c, path, &cut_off, error) &&
         (!cut_off || error_set(error, "%s: its end is missing", path));
}

// From now on the copy is what is read.
static void use_copy(const RunConfig* c, const char* name, char option[OPTION_TEXT_SIZE]) {
  char path[RUN_PATH_SIZE];
  run_file(path, &c->directory, name);
  if (files_stands(path) && strlen(path) < OPTION_TEXT_SIZE) {
    strcpy(option, path);
  }
}

bool run_files_open(RunConfig* c, Error* error) {
  char path[RUN_PATH_SIZE];
  bool exists;
  run_file(path, &c->directory, "run.yaml");
  if (!run_directory_check(&c->directory, error) || !files_look(&exists, path, error) ||
      (!exists && !create_run(c, path, error))) {
    return false;
  }
  if (!check_same_run(c, path, error) || !run_directory_make(&c->directory, error)) {
    return false;
  }
  use_copy(c, inputs[1][1], c->spec.scheduler.controller);
  use_copy(c, inputs[2][1], c->spec.scheduler.schedule);
  return true;
}

// Resuming ----------------------------------------------------------------------------------------

static bool names(int count, char* const* operands, const char* key) {
  for (int i = 0; i < count; i++) {
    size_t size = strlen(key);
    if (strncmp(operands[i], key, size) == 0 && operands[i][size] == '=') {
      return true;
    }
  }
  return false;
}

// A data file must not have code loaded or other directories read.
static bool check_outside(const RunConfig* c, const char* path, int count, char* const* operands,
                          Error* error) {
  if (is_plugin(c) && !names(count, operands, "env.id")) {
    return error_set(error,
                     "%s: the task is code of your own; say that it may be loaded: "
                     "env.id=%s",
                     path, c->env.id);
  }
  if (*c->env.assets && !names(count, operands, "env.assets")) {
    return error_set(error,
                     "%s: the run has its MJCF files elsewhere; say that they may be read: "
                     "env.assets=%s",
                     path, c->env.assets);
  }
  return true;
}

bool run_files_check_controller(const RunConfig* c, int count, char* const* operands,
                                Error* error) {
  const char* const* key = scheduler_kind(&c->spec)->section.outside;
  for (; key && *key; key++) {
    OptionSection* section;
    const OptionRow* row = options_find(&c->options, *key, &section);
    const char* value = (const char*)section->values + row->offset;
    if (*value && !names(count, operands, *key)) {
      return error_set(error, "%s: the controller is another program; say that it may be asked: "
                       "%s='%s'", c->directory.path, *key, value);
    }
  }
  return true;
}

static bool load_run_yaml(RunConfig* c, const char* path, Error* error) {
  char* text;
  size_t size;
  bool there;
  if (!files_look(&there, path, error)) {
    return false;
  }
  if (!there) {
    return error_set(error, "%s: there is no run here; `autombpo train` starts one", path);
  }
  if (!files_read(&text, &size, path, &c->arena, error)) {
    return false;
  }
  if (!recorded_hash(text, &c->arena)) {
    return error_set(error,
                     "%s: its end is missing; repeat `autombpo train` with the configuration "
                     "of the run instead",
                     path);
  }
  YamlNode* root;
  if (!yaml_read(&root, path, text, size, &c->arena, error)) {
    return false;
  }
  if (yaml_find(root, "include")) {
    return error_set(error, "%s: includes other files, which this program never writes", path);
  }
  return options_load_text(&c->options, path, text, error);
}

// Names the copies of the inputs, or nothing where there is none.
static bool point_to_copies(RunConfig* c, int count, char* const* operands, Error* error) {
  char path[RUN_PATH_SIZE];
  bool good = true, there;
  for (size_t i = 0; i < INPUT_COUNT; i++) {
    run_file(path, &c->directory, inputs[i][1]);
    if (!names(count, operands, inputs[i][0])) {
      good &= files_look(&there, path, error) &&
              options_set(&c->options, inputs[i][0], there ? path : "", "run directory", error);
    }
  }
  return good;
}

bool run_files_read(RunConfig* c, const char* directory, int count, char* const* operands,
                    Error* error) {
  char path[RUN_PATH_SIZE];
  int length = snprintf(c->directory.path, RUN_PATH_SIZE, "%s", directory);
  if (length >= RUN_PATH_SIZE - 64) {
    return error_set(error, "%s: name too long", directory);
  }
  run_file(path, &c->directory, "run.yaml");
  if (!run_directory_check(&c->directory, error) || !load_run_yaml(c, path, error) ||
      !check_outside(c, path, count, operands, error) ||
      !point_to_copies(c, count, operands, error)) {
    return false;
  }
  bool good = true;
  for (int i = 0; i < count; i++) {
    good &= strchr(operands[i], '=')
                ? options_override(&c->options, operands[i], error)
                : error_line(error, "'%s': only key=value may follow the directory", operands[i]);
  }
  return options_set(&c->options, "run.dir", directory, "command line", error) && good;
}
