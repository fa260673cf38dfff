// experiment_table.c - the table of `autombpo experiment plan` and `status`.
//
// Runs of one task, method and step differ in their seed, or in the controller that they apply, so
// they are one line. What one of them takes is what finished ones took; before that, what was
// forecast of the first (cli/campaign.h, `plan --measure`).
#include "cli/experiment_table.h"

#include <math.h>
#include <sys/stat.h>

#include "cli/experiment_costs.h"

typedef enum { NOT_MEASURED, FORECAST, MEASURED } Source;

typedef struct {
  int first;              // run, of this task, method and step
  int runs, done;
  double spent;           // core-seconds
  double unfinished;      // of them, of runs that are not finished
  double all, bytes;      // core-seconds and bytes of `known` runs
  int known;
  Source source;
} Line;

typedef struct {
  const Experiment* x;
  int count;
  Line* lines;
} Table;

// Files of a directory --------------------------------------------------------------------------

// Of what stays; checkpoints go when a run is finished.
static double sealed_bytes(const char* directory, Arena* arena) {
  static const char* const parts[] = {"episodes", "episodes/packed", "policy"};
  static const char* const suffixes[] = {".h5", ".tar", ".h5"};
  double bytes = 0;
  for (int i = 0; i < 3; i++) {
    const char* path = text_format(arena, "%s/%s", directory, parts[i]);
    char** names;
    int count;
    Error error = {0};
    if (!files_list(&names, &count, path, suffixes[i], arena, &error)) {
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

// Lines -------------------------------------------------------------------------------------------

static Line* line_of(Table* t, int run) {
  const ExperimentRun* runs = t->x->runs;
  for (int i = 0; i < t->count; i++) {
    const ExperimentRun* first = &runs[t->lines[i].first];
    if (first->task == runs[run].task && first->method == runs[run].method &&
        first->step == runs[run].step) {
      return &t->lines[i];
    }
  }
  t->lines[t->count] = (Line){.first = run};
  return &t->lines[t->count++];
}

// A run with these core-seconds.
static void add_run(Line* line, const ExperimentRun* run, double spent, Arena* arena) {
  bool done = experiment_is_done(run);
  line->runs++;
  line->done += done;
  line->spent += spent;
  line->unfinished += done ? 0 : spent;
  if (done && spent > 0) {
    line->source = MEASURED;
    line->all += spent;
    line->bytes += sealed_bytes(run->directory, arena);
    line->known++;
  }
}

static bool fill(Table* t, const Experiment* x, Arena* arena, Error* error) {
  double* spent = ARENA_NEW(arena, x->run_count, double);
  ExperimentForecast* forecasts = ARENA_NEW(arena, x->run_count, ExperimentForecast);
  *t = (Table){.x = x, .lines = ARENA_NEW(arena, x->run_count, Line)};
  if (!experiment_costs_read(spent, x, arena, error) ||
      !experiment_forecasts_read(forecasts, x, arena, error)) {
    return false;
  }
  for (int i = 0; i < x->run_count; i++) {
    add_run(line_of(t, i), &x->runs[i], spent[i], arena);
  }
  for (int i = 0; i < t->count; i++) {
    Line* line = &t->lines[i];
    const ExperimentForecast* forecast = &forecasts[line->first];
    if (line->source == NOT_MEASURED && forecast->cpu_seconds > 0) {
      line->source = FORECAST;
      line->all = forecast->cpu_seconds;
      line->bytes = forecast->disk_bytes;
      line->known = 1;
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
  static const char* const sources[] = {
      [NOT_MEASURED] = "not measured", [FORECAST] = "forecast", [MEASURED] = "measured"};
  const ExperimentRun* run = &t->x->runs[line->first];
  bool known = line->source != NOT_MEASURED;
  double each = known ? line->all / line->known : 0;
  double bytes = known ? line->bytes / line->known * line->runs : 0;
  double left = fmax(0, each * (line->runs - line->done) - line->unfinished);
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
