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

bool experiment_cost_add(const Experiment* x, const ExperimentCost* cost, Error* error) {
  Arena arena;
  Text line;
  Json json;
  arena_init(&arena);
  text_init(&line, &arena);
  json_init(&json, &line);
  json_begin_object(&json, NULL);
  json_text(&json, "directory", cost->directory);
  json_number(&json, "cpu_seconds", cost->cpu_seconds);
  json_number(&json, "wall_seconds", cost->wall_seconds);
  json_integer(&json, "code", cost->code);
  json_end(&json);
  bool good = files_append_line(costs_path(x, &arena), line.bytes, error);
  arena_free(&arena);
  return good;
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
  Arena arena;
  Text line;
  Json json;
  arena_init(&arena);
  text_init(&line, &arena);
  json_init(&json, &line);
  json_begin_object(&json, NULL);
  json_text(&json, "directory", x->runs[run].directory + strlen(x->directory) + 1);
  json_number(&json, "cpu_seconds", f->cpu_seconds);
  json_number(&json, "disk_bytes", f->disk_bytes);
  json_number(&json, "memory_bytes", f->memory_bytes);
  json_end(&json);
  bool good = files_append_line(forecasts_path(x, &arena), line.bytes, error);
  arena_free(&arena);
  return good;
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
    if (sscanf(line, LINE_FORMAT ",\"disk_bytes\":%lf,\"memory_bytes\":%lf", directory,
               &f.cpu_seconds, &f.disk_bytes, &f.memory_bytes) == 4 &&
        run_of(x, directory) >= 0) {
      forecasts[run_of(x, directory)] = f;
    }
  }
  return true;
}
