// experiment_costs.c - two files of lines beside the runs of an experiment.
//
// Both are appended to by any process that works on it, a line at a time, and read whole. A line
// names a run by its directory within that of the experiment, so that the whole may be moved; what
// is no line of this form, or of a run that there is no more, counts nothing.
#include <stdio.h>
#include <string.h>

#include "cli/experiment_costs.h"
#include "store/json.h"

#define LINE_FORMAT "{\"directory\":\"%1023[^\"]\",\"cpu_seconds\":%lf"

static const char* costs_path(const Experiment* x, Arena* arena) {
  return text_format(arena, "%s/costs.jsonl", x->directory);
}

// A line about a run, as it is put together.
typedef struct {
  Arena arena;
  Text text;
  Json json;
} Line;

static void line_begin(Line* line, const char* directory, double cpu_seconds) {
  arena_init(&line->arena);
  text_init(&line->text, &line->arena);
  json_init(&line->json, &line->text);
  json_begin_object(&line->json, NULL);
  json_text(&line->json, "directory", directory);
  json_number(&line->json, "cpu_seconds", cpu_seconds);
}

static bool line_append(Line* line, const char* path, Error* error) {
  json_end(&line->json);
  bool good = files_append_line(path, line->text.bytes, error);
  arena_free(&line->arena);
  return good;
}

bool experiment_cost_add(const Experiment* x, const ExperimentCost* cost, Error* error) {
  Line line;
  line_begin(&line, cost->directory, cost->cpu_seconds);
  json_number(&line.json, "wall_seconds", cost->wall_seconds);
  json_integer(&line.json, "code", cost->code);
  return line_append(&line, costs_path(x, &line.arena), error);
}

// The run in a directory that a line names; -1: none.
static int run_of(const Experiment* x, const char* directory) {
  size_t prefix = strlen(x->directory) + 1;
  for (int i = 0; i < x->run_count; i++) {
    if (strcmp(x->runs[i].directory + prefix, directory) == 0) {
      return i;
    }
  }
  return -1;
}

// The lines of a file; none if it is not there.
static bool read_lines(char** text, const char* path, Arena* arena, Error* error) {
  size_t size;
  *text = "";
  return !files_exists(path) || files_read(text, &size, path, arena, error);
}

bool experiment_costs_read(double* cpu_seconds, const Experiment* x, Arena* arena, Error* error) {
  char *text, *rest, directory[FILES_PATH_SIZE];
  double seconds;
  memset(cpu_seconds, 0, (size_t)x->run_count * sizeof *cpu_seconds);
  if (!read_lines(&text, costs_path(x, arena), arena, error)) {
    return false;
  }
  for (char* line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    int run = sscanf(line, LINE_FORMAT, directory, &seconds) == 2 ? run_of(x, directory) : -1;
    if (run >= 0) {
      cpu_seconds[run] += seconds;
    }
  }
  return true;
}

// Forecasts ---------------------------------------------------------------------------------------

static const char* forecasts_path(const Experiment* x, Arena* arena) {
  return text_format(arena, "%s/forecasts.jsonl", x->directory);
}

bool experiment_forecast_add(const Experiment* x, int run, const ExperimentForecast* f,
                             Error* error) {
  Line line;
  line_begin(&line, x->runs[run].directory + strlen(x->directory) + 1, f->cpu_seconds);
  json_number(&line.json, "disk_bytes", f->disk_bytes);
  json_number(&line.json, "memory_bytes", f->memory_bytes);
  return line_append(&line, forecasts_path(x, &line.arena), error);
}

bool experiment_forecasts_read(ExperimentForecast* forecasts, const Experiment* x, Arena* arena,
                               Error* error) {
  char *text, *rest, directory[FILES_PATH_SIZE];
  memset(forecasts, 0, (size_t)x->run_count * sizeof *forecasts);
  if (!read_lines(&text, forecasts_path(x, arena), arena, error)) {
    return false;
  }
  for (char* line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    ExperimentForecast f;
    bool whole = sscanf(line, LINE_FORMAT ",\"disk_bytes\":%lf,\"memory_bytes\":%lf", directory,
                        &f.cpu_seconds, &f.disk_bytes, &f.memory_bytes) == 4;
    int run = whole ? run_of(x, directory) : -1;
    if (run >= 0) {
      forecasts[run] = f;
    }
  }
  return true;
}
