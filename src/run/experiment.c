// experiment.c - expands an experiment into runs, in an order in which each comes after what it
// needs.
//
// The grid is tasks x methods x repetitions x steps. A reference {STEP} or {METHOD/STEP} becomes
// the directory of the run with the same task and repetition (of a method with one repetition, of
// that one), and a need. A step that uses no other differs between repetitions by its seed, the
// first of its set and the repetition; one that does keeps the first, so that all controllers are
// compared on the same seeds.
//
// Nothing is kept about a run but its own directory: it is finished when that is COMPLETE, so that
// any number of processes may work on an experiment, and be killed.
#include "run/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment_file.h"
#include "hyper/run_directory.h"
#include "run/run_files.h"

#define MOST_OPERANDS 64
#define MOST_RUNS 1000000

const char* const experiment_step_names[STEP_COUNT] = {"train", "validate", "test"};
const char* const experiment_set_names[STEP_COUNT] = {"tune", "validate", "test"};

static int repetitions(const Experiment* x, int task, int method) {
  int most = x->tasks[task].repetitions;
  return x->methods[method].repetitions < most ? x->methods[method].repetitions : most;
}

static int find_run(const Experiment* x, int task, int method, int repetition,
                    ExperimentStep step) {
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    if (run->task == task && run->method == method && run->repetition == repetition &&
        run->step == step) {
      return i;
    }
  }
  return -1;
}

static int find_step(const char* name, size_t size) {
  for (int i = 0; i < STEP_COUNT; i++) {
    if (strlen(experiment_step_names[i]) == size &&
        strncmp(experiment_step_names[i], name, size) == 0) {
      return i;
    }
  }
  return -1;
}

static int find_method(const Experiment* x, const char* name, size_t size) {
  for (int i = 0; i < x->method_count; i++) {
    if (strlen(x->methods[i].name) == size && strncmp(x->methods[i].name, name, size) == 0) {
      return i;
    }
  }
  return -1;
}

// Expanding ---------------------------------------------------------------------------------------

typedef struct {
  Experiment* x;
  Arena* arena;
  Error* error;
  int8_t* compares;  // (tasks, methods, steps) whether a step needs R'; 0 = not known yet
} Expansion;

static int expand_step(const Expansion* e, int task, int method, int repetition,
                       ExperimentStep step);

static bool wrong(const Expansion* e, const ExperimentRun* run, const char* what,
                  const char* expected) {
  const ExperimentMethod* method = &e->x->methods[run->method];
  error_line(e->error, "%s: %s of method %s: %s, expected %s", e->x->path,
             experiment_step_names[run->step], method->name, what, expected);
  return false;
}

// The run that "{METHOD/STEP}" without its brackets names, which is expanded first; -1: none.
static int refer(const Expansion* e, const ExperimentRun* run, const char* name, size_t size) {
  const char* slash = memchr(name, '/', size);
  int method = slash ? find_method(e->x, name, (size_t)(slash - name)) : run->method;
  const char* step_name = slash ? slash + 1 : name;
  int step = find_step(step_name, size - (size_t)(step_name - name));
  bool itself = method == run->method && step >= (int)run->step;
  if (method < 0 || step < 0 || itself || !e->x->methods[method].steps[step]) {
    wrong(e, run, text_format(e->arena, "{%.*s} names no step before it", (int)size, name),
          "{train}, {validate} or {METHOD/train}");
    return -1;
  }
  int count = repetitions(e->x, run->task, method);
  if (count > 1 && run->repetition >= count) {
    wrong(e, run, text_format(e->arena, "{%.*s} has %d repetitions", (int)size, name, count),
          "one, or at least as many");
    return -1;
  }
  return expand_step(e, run->task, method, count > 1 ? run->repetition : 0, (ExperimentStep)step);
}

// What "{task}" and "{repetition}" stand for; NULL: the brackets name a step.
static const char* own_value(const Expansion* e, ExperimentRun* run, const char* open) {
  if (strncmp(open, "{task}", 6) == 0) {
    return e->x->tasks[run->task].name;
  }
  if (strncmp(open, "{repetition}", 12) != 0) {
    return NULL;
  }
  run->differs = true;
  return text_format(e->arena, "%d", run->repetition);
}

static bool add_need(const Expansion* e, ExperimentRun* run, int needed) {
  if (run->need_count == EXPERIMENT_MOST_NEEDS) {
    return wrong(e, run, "it needs too many runs",
                 text_format(e->arena, "at most %d", EXPERIMENT_MOST_NEEDS));
  }
  run->needs[run->need_count++] = needed;
  return true;
}

// The run that a reference names; -1: none.
static int read_reference(const Expansion* e, ExperimentRun* run, const char* open,
                          const char* close) {
  if (!close) {
    wrong(e, run, text_format(e->arena, "'%.64s' has no closing bracket", open),
          "{train}, {validate} or {METHOD/train}");
    return -1;
  }
  int needed = refer(e, run, open + 1, (size_t)(close - open - 1));
  return needed >= 0 && add_need(e, run, needed) ? needed : -1;
}

// Puts values and directories in the place of references.
static char* substitute(const Expansion* e, ExperimentRun* run, const char* word) {
  Text out;
  text_init(&out, e->arena);
  for (const char* open = strchr(word, '{'); open; open = strchr(word, '{')) {
    const char* close = strchr(open, '}');
    const char* value = own_value(e, run, open);
    if (value) {
      text_add_bytes(&out, word, (size_t)(open - word));
      text_add(&out, "%s", value);
      word = close + 1;
      continue;
    }
    int needed = read_reference(e, run, open, close);
    if (needed < 0) {
      return NULL;
    }
    run->differs = true;
    text_add_bytes(&out, word, (size_t)(open - word));
    text_add(&out, "%s", e->x->runs[needed].directory);
    word = close + 1;
    if (strcmp(word, "/schedule.csv") == 0) {
      run->scheduled = e->x->runs[needed].directory;
      run->schedule = text_format(e->arena, "%s%s", run->scheduled, word);
    }
  }
  text_add(&out, "%s", word);
  return out.bytes;
}

// A configuration beside the experiment's file, unless there is one as it is named.
static char* find_config(const Expansion* e, char* word) {
  bool elsewhere = !strchr(word, '=') && !files_exists(word);
  return elsewhere ? (char*)experiment_file_beside(e->x->path, word, e->arena) : word;
}

static bool add_operands(const Expansion* e, ExperimentRun* run, const char* text) {
  char* rest = arena_string(e->arena, text);
  for (char* word = strtok_r(rest, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
    char* operand = substitute(e, run, word);
    if (!operand) {
      return false;
    }
    if (run->operand_count > MOST_OPERANDS - 6) {
      return wrong(e, run, "too many operands", "at most 60");
    }
    run->operands[run->operand_count++] = find_config(e, operand);
  }
  return true;
}

// The last of the seeds for tuning, which no repetition gets before all others.
static int64_t seed_of_baseline(const Experiment* x) {
  int64_t first = x->first_seed[STEP_TRAIN], end = first + MOST_RUNS;
  for (int i = 0; i < STEP_COUNT; i++) {
    if (x->first_seed[i] > first && x->first_seed[i] < end) {
      end = x->first_seed[i];
    }
  }
  return end - 1;
}

// Its seed, which must be of its own set.
static bool take_seed(const Expansion* e, ExperimentRun* run) {
  int64_t first = e->x->first_seed[run->step];
  if (run->output) {
    run->seed = seed_of_baseline(e->x);
    return true;
  }
  run->seed = first + (run->differs ? 0 : run->repetition);
  for (int i = 0; i < STEP_COUNT; i++) {
    int64_t other = e->x->first_seed[i];
    if (i != (int)run->step && other >= first && other <= run->seed) {
      return wrong(e, run,
                   text_format(e->arena, "seed %lld is of the set '%s', too", (long long)run->seed,
                               experiment_set_names[i]),
                   "sets that do not meet (seeds: first seeds further apart)");
    }
  }
  return true;
}

static void add_own(const Expansion* e, ExperimentRun* run) {
  const ExperimentMethod* method = &e->x->methods[run->method];
  char** at = run->operands + run->operand_count;
  at[0] = text_format(e->arena, "run.method=%s", method->name);
  at[1] = text_format(e->arena, "run.seed=%lld", (long long)run->seed);
  at[2] = text_format(e->arena, "run.seed_set=%s", experiment_set_names[run->step]);
  at[3] = text_format(e->arena, "run.dir=%s", run->directory);
  run->operand_count += 4;
}

// Begins the configuration of a run, and reads it; to be freed in any case.
static bool read_config(RunConfig* config, const ExperimentRun* run, Error* error) {
  run_config_init(config);
  return run_config_read(config, run->operand_count, run->operands, false, NULL, error);
}

// Whether the kind of scheduler learns from R'; of all repetitions the first one tells.
static bool compares(const Expansion* e, const ExperimentRun* run) {
  int8_t* known = &e->compares[(run->task * e->x->method_count + run->method) * STEP_COUNT +
                               (int)run->step];
  if (*known == 0) {
    RunConfig config;
    Error error = {0};
    bool read = read_config(&config, run, &error);
    *known = read && scheduler_kind(&config.spec)->needs_baseline ? 1 : -1;
    run_config_free(&config);
  }
  return *known > 0;
}

// R' of the task, where it is made by the experiment.
static bool add_baseline(const Expansion* e, ExperimentRun* run) {
  if (!e->x->tasks[run->task].baseline || run->output || !compares(e, run)) {
    return true;
  }
  int needed = expand_step(e, run->task, e->x->method_count - 1, 0, STEP_TRAIN);
  if (needed < 0 || !add_need(e, run, needed)) {
    return false;
  }
  run->operands[run->operand_count++] =
      text_format(e->arena, "scheduler.baseline=%s", e->x->runs[needed].output);
  return true;
}

// Appends a run, after what it needs. Returns its index, -1 if it is wrong.
static int expand_step(const Expansion* e, int task, int method, int repetition,
                       ExperimentStep step) {
  Experiment* x = e->x;
  int there = find_run(x, task, method, repetition, step);
  if (there >= 0) {
    return there;
  }
  ExperimentRun run = {.task = task, .method = method, .repetition = repetition, .step = step};
  run.operands = ARENA_NEW(e->arena, MOST_OPERANDS, char*);
  run.directory = text_format(e->arena, "%s/%s/%s/%d/%s", x->directory, x->tasks[task].name,
                              x->methods[method].name, repetition, experiment_step_names[step]);
  bool makes_baseline = x->methods[method].makes_baseline;
  if (makes_baseline) {
    run.output = text_format(e->arena, "%s.yaml", run.directory);
  }
  if (!add_operands(e, &run, x->tasks[task].operands) ||
      !add_operands(e, &run,
                    makes_baseline ? x->tasks[task].baseline : x->methods[method].steps[step]) ||
      !take_seed(e, &run) || !add_baseline(e, &run)) {
    return -1;
  }
  add_own(e, &run);
  x->runs[x->run_count] = run;
  return x->run_count++;
}

static bool expand_method(const Expansion* e, int task, int method) {
  for (int r = 0; r < repetitions(e->x, task, method); r++) {
    for (int step = 0; step < STEP_COUNT; step++) {
      if (e->x->methods[method].steps[step] &&
          expand_step(e, task, method, r, (ExperimentStep)step) < 0) {
        return false;  // of the other repetitions the same would be said
      }
    }
  }
  return true;
}

static bool reserve(Experiment* x, Arena* arena, Error* error) {
  int64_t most = 0;
  for (int t = 0; t < x->task_count; t++) {
    for (int m = 0; m < x->method_count; m++) {
      most += (int64_t)STEP_COUNT * repetitions(x, t, m);
    }
  }
  if (most > MOST_RUNS) {
    return error_line(error, "%s: more than %d runs", x->path, MOST_RUNS);
  }
  x->runs = ARENA_NEW(arena, most, ExperimentRun);
  return true;
}

static bool is_known(const char* chosen, const char* what, const char* path, bool known,
                     Error* error) {
  return !chosen || known || error_line(error, "%s: there is no %s '%s'", path, what, chosen);
}

bool experiment_read(Experiment* x, const char* path, const ExperimentChoice* choice, Arena* arena,
                     Error* error) {
  if (!experiment_file_read(x, path, arena, error) || !reserve(x, arena, error)) {
    return false;
  }
  x->directory = choice->directory ? choice->directory : x->directory;
  Expansion e = {.x = x, .arena = arena, .error = error};
  e.compares = ARENA_NEW(arena, x->task_count * x->method_count * STEP_COUNT, int8_t);
  bool good = true, task_known = false, method_known = false;
  for (int t = 0; t < x->task_count; t++) {
    bool task = !choice->task || strcmp(choice->task, x->tasks[t].name) == 0;
    for (int m = 0; m < x->method_count; m++) {
      bool method = !choice->method || strcmp(choice->method, x->methods[m].name) == 0;
      good &= !task || !method || expand_method(&e, t, m);
      method_known |= method;
    }
    task_known |= task;
  }
  return is_known(choice->task, "task", x->path, task_known, error) &&
         is_known(choice->method, "method", x->path, method_known, error) && good;
}

bool experiment_check(const Experiment* x, Error* error) {
  bool good = true;
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    if (run->repetition > 0) {
      continue;  // the same but for its seed
    }
    RunConfig config;
    Error own = {0};
    if (!read_config(&config, run, &own) || !run_config_check(&config, &own)) {
      error_line(error, "%s", own.text);
      good = error_line(error, "(%s: the configuration of %s)", x->path, run->directory);
    }
    run_config_free(&config);
  }
  return good;
}

bool experiment_shape(SchedulerPlan* plan, const ExperimentRun* run) {
  RunConfig config;
  Error error = {0};
  bool good = read_config(&config, run, &error) && run_config_check(&config, &error);
  if (good) {
    run_config_fill(&config);
    *plan = scheduler_plan(&config.spec);
  }
  run_config_free(&config);
  return good;
}

int experiment_most_threads(const Experiment* x) {
  int most = 1;
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    if (run->repetition > 0) {
      continue;  // the same but for its seed
    }
    RunConfig config;
    Error error = {0};
    bool read = read_config(&config, run, &error);
    most = read && config.run.threads > most ? config.run.threads : most;
    run_config_free(&config);
  }
  return most;
}

// Where it stands ---------------------------------------------------------------------------------

bool experiment_is_done(const ExperimentRun* run) {
  RunDirectory directory;
  char path[RUN_PATH_SIZE];
  snprintf(directory.path, sizeof directory.path, "%s", run->directory);
  run_file(path, &directory, "COMPLETE");
  return files_stands(path) && (!run->output || files_stands(run->output));
}

static bool is_of_this(const ExperimentRun* run, Error* error) {
  RunConfig config;
  bool good = read_config(&config, run, error) && run_config_resolve(&config, error) &&
              run_files_compare(&config, error);
  run_config_free(&config);
  return good;
}

bool experiment_check_done(const Experiment* x, Error* error) {
  bool good = true;
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    Error own = {0};
    // R' may be made again: it counts as part of those that use it
    if (!run->output && experiment_is_done(run) && !is_of_this(run, &own)) {
      error_line(error, "%s", own.text);
      good = error_line(error,
                        "(%s: the finished run of %s is not what the file says now: move it away, "
                        "or choose another --dir)",
                        x->path, run->directory);
    }
  }
  return good;
}
