// verb_launch.c - autombpo launch: a Slurm script for a configuration, on standard output.
//
// The verb decides sizes and places (how many ranks can work at a time, how long, which program,
// which directory); launch.c prints the script from these. The configuration is resolved as for a
// run, so that mistakes show before a job waits in a queue for a day.
//
// It prints and submits nothing: partitions, accounts and limits are each cluster's own, and are
// given to sbatch. More ranks than hyper-episodes that may run together would only wait, hence the
// default.
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options_value.h"
#include "cli/campaign.h"
#include "cli/launch.h"
#include "run/run_config.h"
#include "cli/verbs.h"
#include "cluster/comm_mpi.h"
#include "hyper/scheduler.h"
#include "nn/gemm.h"

#define DAY 86400.0  // seconds
#define MEASURE 10.0
#define START_MARGIN 600.0     // seconds, for the start of a job and its last checkpoint
#define LONGEST_TIME 31536000.0
#define MOST_RANKS 100000

static const char usage[] =
    "usage: autombpo launch [OPTION...] CONFIG.yaml ... [key=value ...] [seeds=0..9]\n\n"
    "Prints a Slurm script that trains this configuration, and submits nothing:\n"
    "  autombpo launch hopper.yaml methods/autombpo.yaml | sbatch --partition=cpu\n"
    "The script saves before its time limit, goes back into the queue, and ends when\n"
    "the run is complete.\n\n"
    "  (no option)      one job, on any number of nodes\n"
    "      --array[=N]  a job array whose N tasks join one run through files, without\n"
    "                   MPI\n"
    "  seeds=A..B, seeds=A,B,C\n"
    "                   a job array with a run of its own for each seed\n"
    "      --nodes=N    nodes of a job or task\n"
    "      --workers=N  ranks that run hyper-episodes, in a job or task (default: of\n"
    "                   a job, as many as there are hyper-episodes at a time; of an\n"
    "                   array task, one)\n"
    "      --time=T     time limit as sbatch takes it: 90 is 90 minutes, 02:30:00,\n"
    "                   1-12; or 2h30m (default: run.max_wall and ten minutes, or as\n"
    "                   `autombpo plan` says, and a quarter more, at most a day: a\n"
    "                   job that needs more goes on in another)\n"
    "      --measure=S  seconds of processor time to measure for (default: 10);\n"
    "                   memory too is what `autombpo plan` says, and a fifth more";

typedef struct {
  int nodes;        // 0 = not said
  int workers;      // 0 = not said
  bool array;
  int tasks;        // 0 = not said
  double seconds;   // 0 = not said
  double measure;
} LaunchArguments;

static int usage_error(const char* what, const char* value) {
  fprintf(stderr, "autombpo launch: %s: '%s'\n", what, value);
  return EXIT_USAGE;
}

// 0 if the text is no number from 1 to MOST_RANKS.
static int parse_count(const char* text) {
  char* end;
  long value = strtol(text, &end, 10);
  return *end || value < 1 || value > MOST_RANKS ? 0 : (int)value;
}

// A time limit as sbatch takes it, where a plain number is minutes, or with units.
static bool parse_time(double* seconds, const char* text) {
  Error error = {0};
  if (option_parse_time(seconds, text, 60, &error) &&
      ((*seconds >= 1 && *seconds <= LONGEST_TIME) ||
       error_set(&error, "must be from one second to a year"))) {
    return true;
  }
  fprintf(stderr, "autombpo launch: --time=%s: %s\n", text, error.text);
  return false;
}

// -1: go on. Otherwise the exit code.
static int parse_options(LaunchArguments* a, int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"array", optional_argument, NULL, 'a'},
                                          {"nodes", required_argument, NULL, 'n'},
                                          {"workers", required_argument, NULL, 'w'},
                                          {"time", required_argument, NULL, 't'},
                                          {"measure", required_argument, NULL, 's'},
                                          {0}};
  int option, index = 0;
  while ((option = getopt_long(argc, argv, "h", options, &index)) >= 0) {
    bool good = true;
    switch (option) {
      case 'h':
        puts(usage);
        return 0;
      case 'a':
        a->array = true;
        good = !optarg || (a->tasks = parse_count(optarg)) > 0;
        break;
      case 'n':
        good = (a->nodes = parse_count(optarg)) > 0;
        break;
      case 'w':
        good = (a->workers = parse_count(optarg)) > 0;
        break;
      case 's':
        if (!text_read_number(&a->measure, optarg) || a->measure < 0 || a->measure > DAY) {
          return usage_error("--measure: expected a number of seconds", optarg);
        }
        break;
      case 't':
        if (!parse_time(&a->seconds, optarg)) {
          return EXIT_USAGE;
        }
        break;
      default:
        return EXIT_USAGE;
    }
    if (!good) {
      fprintf(stderr, "autombpo launch: --%s is '%s', expected a whole number from 1 to %d\n",
              options[index].name, optarg, MOST_RANKS);
      return EXIT_USAGE;
    }
  }
  return -1;
}

// Hyper-episodes that may run at the same time.
static int parallel_episodes(const RunSpec* x) {
  SchedulerPlan plan = scheduler_plan(x);
  int64_t most = scheduler_at_once(&plan);
  return most < MOST_RANKS ? (int)most : MOST_RANKS;
}

// Letters, digits, '.', '_' and '-' of METHOD-TASK.
static const char* job_name(Arena* arena, const RunSpec* x) {
  char* name = text_format(arena, "%s-%s", x->method, x->task);
  for (char* at = name; *at; at++) {
    bool plain = (*at >= '0' && *at <= '9') || ((*at | 32) >= 'a' && (*at | 32) <= 'z');
    *at = plain || strchr("._-", *at) ? *at : '-';
  }
  return name;
}

static const char* title(Arena* arena, const RunConfig* c, const LaunchScript* s) {
  const RunSpec* x = &c->spec;
  SchedulerPlan plan = scheduler_plan(x);
  const char* run = text_format(arena, "%s on %s, %lld hyper-episodes of %d epochs", x->method,
                                x->task, (long long)plan.hyper_episodes, plan.epochs);
  if (s->seeds.count > 0) {
    return text_format(arena, "%s; %d runs, one a seed.", run, s->seeds.count);
  }
  return text_format(arena, "%s, into %s.", run, c->directory.path);
}

static void fill_size(LaunchScript* s, const LaunchArguments* a, const RunConfig* c) {
  int parallel = parallel_episodes(&c->spec);
  bool array = a->array || s->seeds.count > 0;
  s->nodes = a->nodes;
  s->threads = c->run.threads;
  s->workers = a->workers > 0 ? a->workers : array ? 1 : parallel;
  s->workers = s->workers < s->nodes ? s->nodes : s->workers;
  if (a->array && s->seeds.count == 0) {
    s->tasks = a->tasks > 0 ? a->tasks : parallel;
  }
  s->most_tasks = launch_most_tasks();
}

// Memory of a node, or of a rank where Slurm may spread the ranks as it likes. Rank 0, or mpirun
// and the script, take what a rank without a hyper-episode takes.
static double bytes_to_reserve(const LaunchScript* s, const Campaign* c) {
  int nodes = s->nodes > 0 ? s->nodes : s->workers;
  int on_a_node = (s->workers + nodes - 1) / nodes;
  return CAMPAIGN_MEMORY_MARGIN * (c->rank_0 + on_a_node * c->rank);
}

// Of a job or task, with all runs that are its.
static double seconds_to_reserve(const LaunchScript* s, const Campaign* c) {
  int runs = s->seeds.count > 0 ? (s->seeds.count - 1) / s->most_tasks + 1 : 1;
  double seconds = CAMPAIGN_TIME_MARGIN * runs * c->forecast.wall_seconds + START_MARGIN;
  return seconds < DAY ? seconds : DAY;
}

static const char* describe(const Campaign* c, Arena* arena) {
  Text text;
  text_init(&text, arena);
  text_add(&text, "Measured on this machine: %.2g h on %d rank%s, ",
           c->forecast.wall_seconds / 3600, c->ranks, c->ranks > 1 ? "s" : "");
  text_add_size(&text, 0, c->rank);
  text_add(&text, " a rank. Reserved: %g of that time, %g of that memory.", CAMPAIGN_TIME_MARGIN,
           CAMPAIGN_MEMORY_MARGIN);
  return text.bytes;
}

static bool fill_reserved(LaunchScript* s, const LaunchArguments* a, RunConfig* c, Error* error) {
  Campaign campaign;
  int workers = s->seeds.count == 0 && s->tasks > 0 ? s->workers * s->tasks : s->workers;
  double limit = c->run.max_wall > 0 ? c->run.max_wall + START_MARGIN : 0;
  limit = a->seconds > 0 ? a->seconds : limit;
  int ranks = workers > 1 ? workers + 1 : 1;
  if (!campaign_measure(&campaign, c, ranks, limit > 0 ? 0 : a->measure, error)) {
    return false;
  }
  s->seconds = limit > 0 ? limit : seconds_to_reserve(s, &campaign);
  s->bytes = bytes_to_reserve(s, &campaign);
  s->reserved = describe(&campaign, &c->arena);
  return true;
}

static bool fill_places(LaunchScript* s, Arena* arena, Error* error) {
  char* program = ARENA_NEW(arena, RUN_PATH_SIZE, char);
  char* directory = ARENA_NEW(arena, RUN_PATH_SIZE, char);
  ssize_t length = readlink("/proc/self/exe", program, RUN_PATH_SIZE - 1);
  if (length < 0 || !getcwd(directory, RUN_PATH_SIZE)) {
    return error_errno(error, ".");
  }
  program[length] = '\0';
  s->program = program;
  s->directory = directory;
  return true;
}

static bool print_script(RunConfig* c, const LaunchArguments* a, int count, char** operands,
                         Error* error) {
  LaunchScript s = {.operands = operands};
  if (!seeds_take(&s.seeds, &count, operands, &c->arena, error) ||
      !run_config_read(c, count, operands, false, NULL, error) ||
      !run_config_resolve(c, error) || !seeds_check_directory(&s.seeds, c, error) ||
      !fill_places(&s, &c->arena, error)) {
    return false;
  }
  fputs(c->warnings.bytes, stderr);
  fill_size(&s, a, c);
  if (!fill_reserved(&s, a, c, error)) {
    return false;
  }
  s.operand_count = count;
  s.name = job_name(&c->arena, &c->spec);
  s.title = title(&c->arena, c, &s);
  Text text;
  text_init(&text, &c->arena);
  launch_print(&text, &s);
  fputs(text.bytes, stdout);
  return true;
}

int verb_launch(int argc, char** argv) {
  LaunchArguments arguments = {.measure = MEASURE};
  Error error = {0};
  int code = parse_options(&arguments, argc, argv);
  if (code >= 0) {
    return code;
  }
  if (optind == argc) {
    return usage_error("a configuration is missing", "CONFIG.yaml");
  }
  Comm comm;
  if (!comm_mpi_init(&comm, &error)) {
    fprintf(stderr, "autombpo launch: %s\n", error.text);
    return verb_refusal(&error);
  }
  gemm_init();
  RunConfig config;
  run_config_init(&config);
  bool good = print_script(&config, &arguments, argc - optind, argv + optind, &error);
  run_config_free(&config);
  if (!good) {
    fprintf(stderr, "%s\n", error.text);
  }
  code = good ? 0 : verb_refusal(&error);
  comm_finalize(&comm, code);
  return code;
}
