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

static void add_to_run(double* cpu_seconds, const Experiment* x, const char* directory,
                       double seconds) {
  size_t prefix = strlen(x->directory) + 1;
  for (int i = 0; i < x->run_count; i++) {
    if (strcmp(x->runs[i].directory + prefix, directory) == 0) {
      cpu_seconds[i] += seconds;
      return;
    }
  }
}

bool experiment_costs_read(double* cpu_seconds, const Experiment* x, Arena* arena, Error* error) {
  char* text;
  size_t size;
  char directory[FILES_PATH_SIZE];
  double seconds;
  const char* path = costs_path(x, arena);
  memset(cpu_seconds, 0, (size_t)x->run_count * sizeof *cpu_seconds);
  if (!files_exists(path)) {
    return true;
  }
  if (!files_read(&text, &size, path, arena, error)) {
    return false;
  }
  for (char* line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text)) {
    if (sscanf(line, LINE_FORMAT, directory, &seconds) == 2) {
      add_to_run(cpu_seconds, x, directory, seconds);
    }
  }
  return true;
}
