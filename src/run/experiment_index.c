// experiment_index.c - the list of an experiment's runs, as analysis reads it: DIR/NAME.json.
#include <string.h>

#include "nn/gemm.h"
#include "run/experiment.h"
#include "run/program.h"
#include "store/files.h"
#include "store/json.h"

static void add_run(Json* json, const Experiment* x, const ExperimentRun* run, Arena* arena) {
  Text command;
  text_init(&command, arena);
  if (run->output) {
    text_add(&command, "autombpo baseline -o %s", run->output);
  } else {
    text_add(&command, "autombpo train");
  }
  for (int i = 0; i < run->operand_count; i++) {
    text_add(&command, " ");
    text_add_shell_word(&command, run->operands[i]);
  }
  json_begin_object(json, NULL);
  json_text(json, "task", x->tasks[run->task].name);
  json_text(json, "method", x->methods[run->method].name);
  json_integer(json, "repetition", run->repetition);
  json_text(json, "role", experiment_step_names[run->step]);
  json_text(json, "set", experiment_set_names[run->step]);
  json_integer(json, "seed", run->seed);
  json_text(json, "directory", run->directory + strlen(x->directory) + 1);
  json_text(json, "command", command.bytes);
  json_begin_array(json, "after");
  for (int i = 0; i < run->need_count; i++) {
    json_integer(json, NULL, run->needs[i]);
  }
  json_end(json);
  json_end(json);
}

static void add_header(Json* json, const Experiment* x) {
  json_text(json, "format", "autombpo.experiment");
  json_integer(json, "format_version", 1);
  json_text(json, "name", x->name);
  json_text(json, "version", AUTOMBPO_VERSION);
  json_text(json, "build_id", program_id);
  json_text(json, "provenance", gemm_description());
  json_begin_object(json, "first_seed");
  for (int i = 0; i < STEP_COUNT; i++) {
    json_integer(json, experiment_set_names[i], x->first_seed[i]);
  }
  json_end(json);
  json_begin_object(json, "threshold");
  for (int i = 0; i < x->task_count; i++) {
    json_number(json, x->tasks[i].name, x->tasks[i].threshold);
  }
  json_end(json);
}

bool experiment_write(const Experiment* x, Error* error) {
  Arena arena;
  Text text;
  Json json;
  arena_init(&arena);
  text_init(&text, &arena);
  json_init(&json, &text);
  json_begin_object(&json, NULL);
  add_header(&json, x);
  json_begin_array(&json, "runs");
  for (int i = 0; i < x->run_count; i++) {
    add_run(&json, x, &x->runs[i], &arena);
  }
  json_end(&json);
  json_end(&json);
  text_add(&text, "\n");
  const char* path = text_format(&arena, "%s/%s.json", x->directory, x->name);
  bool good = files_make_directory(x->directory, error) &&
              files_write(path, text.bytes, text.size, error);
  arena_free(&arena);
  return good;
}
