// start.c - the common course of train, resume, apply, baseline and fork, from arguments to exit
// code.
//
// A StartVerb says in what a verb differs; the rest is one sequence: parse, start MPI, and then for
// each seed read the configuration, compare all ranks, open the run directory, run it on all ranks,
// finish. Every rank reads the configuration itself, since a file may differ between nodes, and
// none goes on unless all have read the same. Rank 0 alone touches the directory, and its verdict
// is everybody's.
//
// A problem that a person must mend ends with code 2 before anything is written. One that may pass
// (a file system that is away) ends with 1, so that a supervisor tries again. A guard of time
// stands over both ends, where all ranks must gather and one that does not come would be waited for
// without end.
#define _GNU_SOURCE
#include "cli/start.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stopwatch.h"
#include "run/machine.h"
#include "run/run_files.h"
#include "cli/verbs.h"
#include "cluster/cluster.h"
#include "cluster/comm_mpi.h"
#include "cluster/cores.h"
#include "cluster/stop.h"
#include "hyper/scheduler.h"
#include "nn/gemm.h"

// Seconds for all ranks to begin and to end together.
#define BEGIN_PATIENCE 180
#define END_PATIENCE 60
#define SOON 1e-3  // as run.max_wall: it is over

static void print_problem(const Start* s, const Error* error) {
  if (s->comm.rank == 0) {
    fprintf(stderr, "%s\n", error->text);
  }
}

static int check_operands(int argc, char** argv, const StartVerb* verb, const Start* s) {
  if (verb->takes_output && !s->output) {
    fprintf(stderr, "autombpo %s: -o FILE is missing\n", argv[0]);
    return EXIT_USAGE;
  }
  Error error;
  if (s->output && !files_check_output(s->output, &error)) {
    fprintf(stderr, "autombpo %s: %s\n", argv[0], error.text);
    return verb_refusal(&error);
  }
  if (verb->resumes && (optind == argc || strchr(argv[optind], '='))) {
    fprintf(stderr, "autombpo %s: the run directory is missing\n", argv[0]);
    return EXIT_USAGE;
  }
  return -1;
}

// -1: go on. Otherwise the exit code.
static int parse_options(int argc, char** argv, const StartVerb* verb, Start* s) {
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
        s->dry_run = true;
        break;
      case 'q':
        s->quiet = true;
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
  return check_operands(argc, argv, verb, s);
}

// Fills in operands, with room for the preset that goes with seeds, and for run.seed.
static bool take_operands(Start* s, const StartVerb* verb, Error* error) {
  int count = s->argc - optind;
  char** operands = ARENA_NEW(&s->arena, count + 2, char*);
  memcpy(operands + 1, s->argv + optind, (size_t)count * sizeof *operands);
  s->operands = operands + 1;
  s->runs = 1;
  if (!verb->resumes && !seeds_take(&s->seeds, &count, s->operands, &s->arena, error)) {
    return false;
  }
  if (s->seeds.count > 0) {
    s->runs = s->seeds.count;
    count++;  // run.seed
  }
  if (s->seeds.count > 0 && verb->with_seeds) {
    operands[0] = verb->with_seeds;
    s->operands = operands;
    count++;
  }
  s->operand_count = count;
  s->directories = ARENA_NEW(&s->arena, s->runs, RunDirectory);
  return true;
}

static bool read_config(Start* s, const StartVerb* verb, Error* error) {
  RunConfig* c = &s->config;
  run_config_init(c);
  if (verb->resumes) {
    int count = s->operand_count - 1;
    return run_files_read(c, s->operands[0], count, s->operands + 1, error) &&
           run_config_resolve(c, error) &&
           run_files_check_controller(c, count, s->operands + 1, error);
  }
  if (s->seeds.count > 0) {
    s->operands[s->operand_count - 1] =
        text_format(&s->arena, "run.seed=%lld", (long long)s->seeds.seed[s->run]);
  }
  if (!run_config_read(c, s->operand_count, s->operands, verb->quickstart, verb->presets, error) ||
      !seeds_check_directory(&s->seeds, c, error)) {
    return false;
  }
  if (verb->train_length) {
    c->spec.hyper.apply_epochs = c->spec.hyper.train_epochs;
  }
  return run_config_resolve(c, error);
}

// Every rank reads the configuration for itself: all must have read the same, on equal machines.
static bool check_ranks(Start* s, const char* config, const char* machine, Error* error) {
  char who[COMM_WHO_SIZE], other[COMM_LABEL_SIZE];
  int odd = comm_compare(&s->comm, config, who, other);
  if (odd > 0) {
    error_set(error, "%s %s another configuration than rank 0, or none: %s, expected %s", who,
              odd == 1 ? "has" : "have", other, config);
  }
  int mixed = comm_compare(&s->comm, machine, who, other);
  if (odd > 0 || mixed == 0) {
    return odd == 0;
  }
  char subject[COMM_WHO_SIZE + 16];
  snprintf(subject, sizeof subject, "%s %s", who, mixed == 1 ? "has" : "have");
  return machines_compare(&s->config, subject, other, machine, error);
}

// -1: go on. Otherwise the exit code.
static int open_run(Start* s, const char* machine, Error* error) {
  if (s->comm.rank > 0 || s->dry_run) {
    return -1;
  }
  if (!run_files_open(&s->config, error) ||
      !machine_check(&s->config, machine, error)) {
    return verb_refusal(error);
  }
  return start_record(s, error) ? -1 : verb_refusal(error);
}

static void warn_of_cores(Start* s) {
  Text warnings;
  text_init(&warnings, &s->arena);
  cores_check(&warnings, &s->comm, s->config.spec.threads);
  fputs(warnings.bytes, stderr);
}

// On every rank: the verdict of rank 0.
static int prepare(Start* s, const StartVerb* verb, Error* error) {
  char machine[MACHINE_SIZE] = "", label[COMM_LABEL_SIZE];
  Error own = {0}, ranks = {0};
  bool good = read_config(s, verb, &own) &&
              machine_describe(machine, &s->config, &own);
  snprintf(label, sizeof label, "%.150s", good ? s->config.spec.config_hash : own.text);
  bool equal = check_ranks(s, label, machine, &ranks);
  *error = good ? ranks : own;
  if (good && equal && s->comm.rank == 0 && s->run == 0) {
    fputs(s->config.warnings.bytes, stderr);
  }
  int code = good && equal ? open_run(s, machine, error) : verb_refusal(error);
  code = comm_share(&s->comm, code);
  if (code < 0 && s->run == 0) {
    warn_of_cores(s);
  }
  return code;
}

// The configuration of the first run, and where each one goes.
static void print_plan(Start* s) {
  SchedulerPlan plan = scheduler_plan(&s->config.spec);
  Text text;
  text_init(&text, &s->config.arena);
  if (s->run == 0) {
    options_show(&s->config.options, &text);
  }
  printf("%s# %lld hyper-episodes of %d epochs into %s; nothing was written\n", text.bytes,
         (long long)plan.hyper_episodes, plan.epochs, s->config.directory.path);
}

// What else is to be done when a run is complete, on rank 0.
typedef struct {
  Start* start;
  const StartVerb* verb;
} Completion;

static bool complete_run(void* of, int64_t diverged, Error* error) {
  Completion* completion = of;
  completion->start->diverged = diverged;
  return !completion->verb->finish || completion->verb->finish(completion->start, error);
}

static ClusterOptions cluster_options(const Start* s, Completion* completion) {
  const RunConfig* c = &s->config;
  return (ClusterOptions){
      .save = {.interval = c->checkpoint.every,
               .give_up = c->checkpoint.give_up,
               .max_bytes = (int64_t)(c->checkpoint.max_gb * 1e9)},
      .progress_interval = c->log.progress,
      .max_wall = c->run.max_wall > 0 ? fmax(SOON, c->run.max_wall - clock_wall() + s->begun) : 0,
      .lost_after = c->run.lost_after,
      .lease_timeout = c->run.lease_timeout,
      .pack = c->run.pack,
      .quiet = s->quiet || c->log.quiet,
      .complete = complete_run,
      .of = completion};
}

static int run_on_ranks(Start* s, const StartVerb* verb, Error* error) {
  const RunConfig* c = &s->config;
  Completion completion = {s, verb};
  ClusterOptions options = cluster_options(s, &completion);
  stop_set_grace(c->run.term_grace);
  if (s->comm.rank == 0 && verb->opened) {
    verb->opened(s);
  }
  ClusterEnd end = cluster_run(&s->comm, &c->spec, &c->directory, &options, error);
  if (end == CLUSTER_FAILED) {
    fprintf(stderr, "autombpo: rank %d: %s\n", s->comm.rank, error->text);
    if (s->comm.ranks > 1) {
      comm_abort(&s->comm);
    }
    return EXIT_FAILED;
  }
  if (end == CLUSTER_STOPPED && s->comm.rank == 0) {
    fprintf(stderr,
            "stopped with a checkpoint; the same command, or `autombpo resume %s`, goes on "
            "from there\n",
            c->directory.path);
  }
  return end == CLUSTER_STOPPED ? EXIT_STOPPED : 0;
}

bool start_print_result(const Start* start, Error* error) {
  (void)error;
  const RunSpec* x = &start->config.spec;
  char lost[64] = "";
  if (start->diverged > 0) {
    snprintf(lost, sizeof lost, " (%lld diverged)", (long long)start->diverged);
  }
  printf("finished: %lld hyper-episodes%s of %s on %s in %s\n",
         (long long)scheduler_plan(x).hyper_episodes, lost, x->method, x->task,
         start->config.directory.path);
  return true;
}

static int dry_run(Start* s, const StartVerb* verb) {
  if (s->comm.rank == 0) {
    print_plan(s);
  }
  if (s->comm.rank == 0 && verb->opened) {
    verb->opened(s);
  }
  return 0;
}

static int run_one(Start* s, const StartVerb* verb) {
  Error error = {0};
  stop_guard(BEGIN_PATIENCE, EXIT_FAILED);
  int code = prepare(s, verb, &error);
  s->directories[s->run] = s->config.directory;
  if (code >= 0) {
    print_problem(s, &error);
  } else {
    code = s->dry_run ? dry_run(s, verb) : run_on_ranks(s, verb, &error);
  }
  run_config_free(&s->config);
  return code;
}

// Whether the next run may begin: its ranks gather, so none may be lost.
static bool goes_on(const Start* s, int* code) {
  bool next = *code == 0 && s->run + 1 < s->runs;
  if (next && s->comm.lost) {
    *code = EXIT_FAILED;
    fprintf(stderr, "autombpo: rank %d: a rank was lost; repeat the command for the other seeds\n",
            s->comm.rank);
  }
  return next && *code == 0;
}

static int run_all(Start* s, const StartVerb* verb) {
  Error error = {0};
  if (!take_operands(s, verb, &error)) {
    print_problem(s, &error);
    return EXIT_USAGE;
  }
  int code = run_one(s, verb);
  while (goes_on(s, &code)) {
    s->run++;
    code = run_one(s, verb);
  }
  return code;
}

int start_run(int argc, char** argv, const StartVerb* verb) {
  Start start = {.argc = argc, .argv = argv, .begun = clock_wall()};
  Error error = {0};
  int code = parse_options(argc, argv, verb, &start);
  if (code >= 0) {
    return code;
  }
  stop_install();
  stop_guard(BEGIN_PATIENCE, EXIT_FAILED);
  if (!comm_mpi_init(&start.comm, &error)) {
    fprintf(stderr, "autombpo: %s\n", error.text);
    return verb_refusal(&error);
  }
  gemm_init();
  arena_init(&start.arena);
  code = run_all(&start, verb);
  stop_guard(END_PATIENCE, code);
  comm_finalize(&start.comm, code);
  arena_free(&start.arena);
  return code;
}
