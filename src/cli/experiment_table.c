// experiment_table.c - the table of `autombpo experiment plan` and `status`.
//
// Runs of one task, method and step differ in their seed, or in the controller that they apply, so
// they are one line. What one of them takes is measured, never guessed from sizes: how long a model
// is trained depends on the data that a policy brings, and changes tenfold within a run. The best
// measurement there is counts: finished runs of the line; a run of it that has begun, by its
// progress (`plan --measure` begins one of each line); another line of the same task, by the number
// and length of hyper-episodes.
#include "cli/experiment_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/experiment_costs.h"

#define LEAST_PROGRESS 0.002  // that says something about the whole

// Model training takes longer as data come in, so that a hyper-episode of twice the length takes
// 2^1.3 times as long: measured with MBPO on pendulum-small, between 12 and 20 epochs.
#define GROWTH 1.3

typedef enum { NOT_MEASURED, MEASURED_ELSEWHERE, MEASURED_PARTLY, MEASURED } Source;

typedef struct {
  int first;              // run, of this task, method and step
  int runs, done;
  double spent;           // core-seconds
  double all, bytes;      // core-seconds and bytes of `known` runs
  double known;           // runs, or parts of them
  Source source;
  double work;            // of one run, to compare lines of a task
} Line;

typedef struct {
  const Experiment* x;
  int count;
  Line* lines;
} Table;

// Files of a directory --------------------------------------------------------------------------

// Of what stays; checkpoints go when a run is finished.
static double sealed_bytes(const char* directory, Arena* arena) {
  static const char* const parts[] = {"episodes", "policy"};
  double bytes = 0;
  for (int i = 0; i < 2; i++) {
    const char* path = text_format(arena, "%s/%s", directory, parts[i]);
    char** names;
    int count;
    Error error = {0};
    if (!files_list(&names, &count, path, ".h5", arena, &error)) {
      continue;  // of a kind that has none
    }
    for (int f = 0; f < count; f++) {
      struct stat info;
      bool there = stat(text_format(arena, "%s/%s", path, names[f]), &info) == 0;
      bytes += there ? (double)info.st_size : 0;
    }
  }
  return bytes;
}

static double progress_of(const char* directory) {
  char path[FILES_PATH_SIZE], text[FILES_START_SIZE];
  snprintf(path, sizeof path, "%s/status.json", directory);
  files_read_start(text, path);
  const char* at = strstr(text, "\"progress\":");
  double progress = 0;
  return at && sscanf(at, "\"progress\":%lf", &progress) == 1 ? progress : 0;
}

// Lines -------------------------------------------------------------------------------------------

static double work_of(const ExperimentRun* run) {
  SchedulerPlan plan;
  return experiment_shape(&plan, run) ? (double)plan.hyper_episodes * pow(plan.epochs, GROWTH) : 0;
}

static Line* line_of(Table* t, int run) {
  const ExperimentRun* runs = t->x->runs;
  for (int i = 0; i < t->count; i++) {
    const ExperimentRun* first = &runs[t->lines[i].first];
    if (first->task == runs[run].task && first->method == runs[run].method &&
        first->step == runs[run].step) {
      return &t->lines[i];
    }
  }
  t->lines[t->count] = (Line){.first = run, .work = work_of(&runs[run])};
  return &t->lines[t->count++];
}

// A run with these core-seconds: measured, or as far as it has come.
static void add_run(Line* line, const ExperimentRun* run, double spent, Arena* arena) {
  bool done = experiment_is_done(run);
  double progress = done ? 1 : progress_of(run->directory);
  Source source = done ? MEASURED : MEASURED_PARTLY;
  line->runs++;
  line->done += done;
  line->spent += spent;
  if (spent == 0 || progress < LEAST_PROGRESS || source < line->source) {
    return;
  }
  if (source > line->source) {
    line->source = source;
    line->all = line->bytes = line->known = 0;
  }
  line->all += spent;
  line->bytes += sealed_bytes(run->directory, arena);
  line->known += progress;
}

// What another line of the task, of the same method if there is one, says about this one.
static void borrow(const Table* t, Line* line) {
  const ExperimentRun* run = &t->x->runs[line->first];
  const Line* best = NULL;
  for (int i = 0; i < t->count; i++) {
    const Line* other = &t->lines[i];
    const ExperimentRun* there = &t->x->runs[other->first];
    bool closer = !best || there->method == run->method;
    if (there->task == run->task && other->source >= MEASURED_PARTLY && other->work > 0 && closer) {
      best = other;
    }
  }
  if (best && line->work > 0) {
    double scale = line->work / best->work;
    line->source = MEASURED_ELSEWHERE;
    line->known = 1;
    line->all = scale * best->all / best->known;
    line->bytes = scale * best->bytes / best->known;
  }
}

static bool fill(Table* t, const Experiment* x, Arena* arena, Error* error) {
  double* spent = ARENA_NEW(arena, x->run_count, double);
  *t = (Table){.x = x, .lines = ARENA_NEW(arena, x->run_count, Line)};
  if (!experiment_costs_read(spent, x, arena, error)) {
    return false;
  }
  for (int i = 0; i < x->run_count; i++) {
    add_run(line_of(t, i), &x->runs[i], spent[i], arena);
  }
  for (int i = 0; i < t->count; i++) {
    if (t->lines[i].source == NOT_MEASURED) {
      borrow(t, &t->lines[i]);
    }
  }
  return true;
}

// The text ----------------------------------------------------------------------------------------

typedef struct {
  int runs, done;
  double each, left, spent, bytes;
  bool known;
} Sums;

static void add_number(Text* out, int width, double value, double unit, bool known) {
  if (known) {
    text_add(out, " %*.3f", width, value / unit);
  } else {
    text_add(out, " %*s", width, "?");
  }
}

static void add_line(Text* out, const Table* t, const Line* line, Sums* sums) {
  static const char* const sources[] = {[NOT_MEASURED] = "not measured",
                                        [MEASURED_ELSEWHERE] = "of another line",
                                        [MEASURED_PARTLY] = "of a part of a run",
                                        [MEASURED] = "measured"};
  const ExperimentRun* run = &t->x->runs[line->first];
  bool known = line->source != NOT_MEASURED;
  double each = known ? line->all / line->known : 0;
  double bytes = known ? line->bytes / line->known * line->runs : 0;
  double left = fmax(0, each * (line->runs - line->done) -
                            (line->source == MEASURED_PARTLY ? line->spent : 0));
  text_add(out, "%-18s %-14s %-8s %5d %5d", t->x->tasks[run->task].name,
           t->x->methods[run->method].name, experiment_step_names[run->step], line->runs,
           line->done);
  add_number(out, 8, each, 3600, known);
  add_number(out, 8, line->spent, 3600, true);
  add_number(out, 8, left, 3600, known);
  add_number(out, 7, bytes, 1e9, known);
  text_add(out, "  %s\n", sources[line->source]);
  sums->runs += line->runs;
  sums->done += line->done;
  sums->left += left;
  sums->spent += line->spent;
  sums->bytes += bytes;
  sums->known &= known || line->done == line->runs;
}

bool experiment_table(Text* out, const Experiment* x, Arena* arena, Error* error) {
  Table table;
  Sums sums = {.known = true};
  if (!fill(&table, x, arena, error)) {
    return false;
  }
  text_add(out, "%-18s %-14s %-8s %5s %5s %8s %8s %8s %7s\n", "task", "method", "step", "runs",
           "done", "each/h", "spent/h", "left/h", "GB");
  for (int i = 0; i < table.count; i++) {
    add_line(out, &table, &table.lines[i], &sums);
  }
  text_add(out, "%s: %d of %d runs finished; %.2f core-hours spent, ", x->name, sums.done,
           sums.runs, sums.spent / 3600);
  text_add(out, sums.known ? "%.2f left" : "%.2f and what is not measured left", sums.left / 3600);
  text_add(out, "; %.2f GB in %s\n", sums.bytes * 1e-9, x->directory);
  return true;
}
