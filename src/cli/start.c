#define _GNU_SOURCE
#include "cli/start.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "cluster/campaign.h"
#include "nn/gemm.h"
#include "store/json.h"

static void print_problem(const Start* s, const Error* error) {
  if (s->comm.rank == 0) {
    fprintf(stderr, "%s\n", error->text);
  }
}

// -1: go on. Otherwise the exit code.
static int parse_options(int argc, char** argv, const StartVerb* verb, Start* s, bool* dry_run,
                         bool* quiet) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"dry-run", no_argument, NULL, 'n'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"output", required_argument, NULL, 'o'},
                                          {0}};
  int option;
  while ((option = getopt_long(argc, argv, "hnqo:", options, NULL)) >= 0) {
    switch (option) {
      case 'h':
        puts(verb->usage);
        return 0;
      case 'n':
        *dry_run = true;
        break;
      case 'q':
        *quiet = true;
        break;
      case 'o':
        if (verb->takes_output) {
          s->output = optarg;
          break;
        }
        fprintf(stderr, "autombpo %s: -o is not an option of this verb\n", argv[0]);
        return EXIT_USAGE;
      default:
        return EXIT_USAGE;
    }
  }
  return -1;
}

static bool read_config(Start* s, int count, char** operands, const StartVerb* verb, Error* error) {
  RunConfig* c = &s->config;
  run_config_init(c);
  if (!run_config_read(c, count, operands, verb->quickstart, verb->presets, error)) {
    return false;
  }
  if (verb->train_length) {
    c->hyper.apply_epochs = c->hyper.train_epochs;
  }
  return run_config_resolve(c, error);
}

// The run directory -------------------------------------------------------------------------------

static void resolved_text(RunConfig* c, Text* text) {
  text_init(text, &c->arena);
  options_show(&c->options, text);
}

// Two configurations are the same run if what results depend on is the same.
static bool check_same_run(RunConfig* c, const char* path, Error* error) {
  RunConfig* old = ARENA_NEW(&c->arena, 1, RunConfig);
  run_config_init(old);
  if (!options_load(&old->options, path, error)) {
    return false;
  }
  Text text, differences;
  text_init(&text, &c->arena);
  options_canonical(&old->options, run_config_unhashed, &text);
  bool same = strncmp(text.bytes, c->experiment.config, text.size) == 0;
  if (!same) {
    text_init(&differences, &c->arena);
    options_diff(&old->options, &c->options, &differences);
    error_set(error,
              "%s holds a run of another configuration; choose another run.dir, or repeat with the "
              "same one:\n%s",
              c->directory.path, differences.bytes);
  }
  run_config_free(old);
  return same;
}

static bool open_directory(Start* s, Error* error) {
  char path[RUN_PATH_SIZE];
  run_file(path, &s->config.directory, "run.yaml");
  if (files_exists(path)) {
    return check_same_run(&s->config, path, error) &&
           run_directory_make(&s->config.directory, error);
  }
  Text text;
  resolved_text(&s->config, &text);
  return run_directory_make(&s->config.directory, error) &&
         files_write(path, text.bytes, text.size, error);
}

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

// Where, when and with what the program ran: one line of starts.jsonl.
static bool record_start(const Start* s, int argc, char** argv, Error* error) {
  Arena arena;
  arena_init(&arena);
  Text text;
  Json json;
  char host[256] = "", now[32], path[RUN_PATH_SIZE];
  time_t clock = time(NULL);
  struct tm utc;
  gethostname(host, sizeof host - 1);
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&clock, &utc));
  text_init(&text, &arena);
  json_init(&json, &text);
  json_begin_object(&json, NULL);
  json_text(&json, "start", now);
  add_arguments(&json, argc, argv);
  json_text(&json, "version", AUTOMBPO_VERSION);
  json_text(&json, "compiler", __VERSION__);
  json_text(&json, "blas", gemm_description());
  json_text(&json, "mpi", comm_description());
  json_text(&json, "host", host);
  json_integer(&json, "ranks", s->comm.ranks);
  add_scheduler_ids(&json);
  json_end(&json);
  run_file(path, &s->config.directory, "starts.jsonl");
  bool ok = files_append_line(path, text.bytes, error);
  arena_free(&arena);
  return ok;
}

// -------------------------------------------------------------------------------------------------

static int prepare(Start* s, int argc, char** argv, const StartVerb* verb, int first, bool dry_run,
                   Error* error) {
  if (!read_config(s, argc - first, argv + first, verb, error)) {
    return EXIT_USAGE;
  }
  if (s->comm.rank > 0 || dry_run) {
    return -1;
  }
  if (!open_directory(s, error)) {
    return EXIT_USAGE;
  }
  return record_start(s, argc, argv, error) ? -1 : EXIT_FAILED;
}

static void print_plan(Start* s) {
  const Experiment* x = &s->config.experiment;
  Text text;
  resolved_text(&s->config, &text);
  printf("%s# %lld hyper-episodes of %d epochs into %s; nothing was written\n", text.bytes,
         (long long)experiment_hyper_episodes(x), experiment_epochs(x), s->config.directory.path);
}

static int run_campaign(Start* s, bool quiet, bool (*finish)(const Start*, Error*), Error* error) {
  const RunConfig* c = &s->config;
  CampaignOptions options = {.progress_interval = c->log.progress,
                             .checkpoint_interval = c->checkpoint.every,
                             .max_wall = c->run.max_wall,
                             .quiet = quiet || c->log.quiet};
  CampaignEnd end = campaign_run(&s->comm, &c->experiment, &c->directory, &options, error);
  bool ok = end != CAMPAIGN_FAILED;
  if (end == CAMPAIGN_FINISHED && s->comm.rank == 0 && finish) {
    ok = finish(s, error);
  }
  if (!ok) {
    fprintf(stderr, "autombpo: rank %d: %s\n", s->comm.rank, error->text);
    comm_abort();
  }
  if (end == CAMPAIGN_STOPPED && s->comm.rank == 0) {
    fprintf(stderr, "stopped with a checkpoint; the same command goes on from there\n");
  }
  return end == CAMPAIGN_STOPPED ? EXIT_STOPPED : 0;
}

int start_run(int argc, char** argv, const StartVerb* verb,
              bool (*finish)(const Start* start, Error* error)) {
  Start start = {0};
  Error error = {0};
  bool dry_run = false, quiet = false;
  int code = parse_options(argc, argv, verb, &start, &dry_run, &quiet);
  if (code >= 0) {
    return code;
  }
  if (verb->takes_output && !start.output) {
    fprintf(stderr, "autombpo %s: -o FILE is missing\n", argv[0]);
    return EXIT_USAGE;
  }
  if (!comm_init(&start.comm, &error)) {
    fprintf(stderr, "autombpo: %s\n", error.text);
    return EXIT_USAGE;
  }
  gemm_init();
  code = comm_share(prepare(&start, argc, argv, verb, optind, dry_run, &error));
  if (code >= 0) {
    print_problem(&start, &error);
  } else if (dry_run) {
    code = 0;
    if (start.comm.rank == 0) {
      print_plan(&start);
    }
  } else {
    code = run_campaign(&start, quiet, finish, &error);
  }
  comm_finalize(&start.comm);
  run_config_free(&start.config);
  return code;
}
