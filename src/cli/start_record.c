// start_record.c - starts.jsonl: where, when and with what a program worked on a run.
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/moment.h"
#include "cli/start.h"
#include "cluster/comm_mpi.h"
#include "nn/gemm.h"
#include "run/program.h"
#include "store/json.h"

static void add_scheduler_ids(Json* json) {
  static const char* const names[] = {"SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID",
                                      "SLURM_RESTART_COUNT", "PBS_JOBID"};
  json_begin_object(json, "scheduler_ids");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (getenv(names[i])) {
      json_text(json, names[i], getenv(names[i]));
    }
  }
  json_end(json);
}

static void add_arguments(Json* json, int argc, char** argv) {
  json_begin_array(json, "argv");
  for (int i = 0; i < argc; i++) {
    json_text(json, NULL, argv[i]);
  }
  json_end(json);
}

static void add_task_files(Json* json, const EnvFile files[ENV_MAX_FILES]) {
  char hash[17];
  json_begin_array(json, "task_files");
  for (int i = 0; i < ENV_MAX_FILES && files[i].name[0]; i++) {
    snprintf(hash, sizeof hash, "%016" PRIx64, files[i].hash);
    json_begin_object(json, NULL);
    json_text(json, "file", files[i].name);
    json_text(json, "hash", hash);
    json_end(json);
  }
  json_end(json);
}

bool start_record(const Start* s, Error* error) {
  Arena arena;
  arena_init(&arena);
  Text text;
  Json json;
  char host[256] = "", now[MOMENT_SIZE], path[RUN_PATH_SIZE];
  gethostname(host, sizeof host - 1);
  moment_now(now);
  text_init(&text, &arena);
  json_init(&json, &text);
  json_begin_object(&json, NULL);
  json_text(&json, "start", now);
  add_arguments(&json, s->argc, s->argv);
  json_text(&json, "version", AUTOMBPO_VERSION);
  json_text(&json, "revision", program_revision);
  json_text(&json, "program", program_id);
  json_text(&json, "compiler", __VERSION__);
  json_text(&json, "kernels", gemm_description());
  add_task_files(&json, s->config.spec.task_files);
  json_text(&json, "mpi", comm_mpi_description());
  json_text(&json, "host", host);
  json_integer(&json, "ranks", s->comm.ranks);
  json_integer(&json, "threads", s->config.spec.threads);
  add_scheduler_ids(&json);
  json_end(&json);
  run_file(path, &s->config.directory, "starts.jsonl");
  bool ok = files_append_line(path, text.bytes, error);
  arena_free(&arena);
  return ok;
}
