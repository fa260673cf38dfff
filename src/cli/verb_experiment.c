// verb_experiment.c - autombpo experiment: many runs from one file, and what has become of them.
//
// A word says what to do: check and count (plan), run what is missing (run), look (status), compare
// (report). All of them read the file, expand it (run/experiment.h) and look at the run
// directories; there is no other state. Statistics and figures are made by the analysis package,
// which `report` becomes.
#define _GNU_SOURCE
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options_value.h"
#include "cli/campaign.h"
#include "cli/experiment_forecast.h"
#include "cli/experiment_run.h"
#include "cli/experiment_table.h"
#include "cli/launch.h"
#include "cli/verbs.h"
#include "cluster/stop.h"
#include "nn/gemm.h"

#define MOST_JOBS 1024

static const char usage[] =
    "usage: autombpo experiment plan|run|status|report|launch [OPTION...] FILE.yaml\n\n"
    "An experiment is tasks x methods x repetitions, each with steps that train on\n"
    "one set of seeds and report on another (docs/formats.md).\n\n"
    "  plan             its runs, and the core-hours and bytes that they take\n"
    "  run              runs what is missing; the same command goes on after a stop\n"
    "  status           what is finished, and what is left\n"
    "  report           statistics, tables and figures, with the analysis package\n"
    "  launch           prints a Slurm script: an array whose tasks all do `run`\n\n"
    "  -j, --jobs=N     run: processes at a time (default: the processors there are,\n"
    "                   over run.threads; in an mpirun of several processes, one\n"
    "                   each)\n"
    "      --max-hours=H  run: save and stop after H hours; everything stays usable\n"
    "      --measure=S  plan: first measure what is not measured yet, as `autombpo\n"
    "                   plan` does, for S seconds of processor time each\n"
    "      --dir=DIR    the directory of all runs, instead of the file's\n"
    "      --task=NAME, --method=NAME\n"
    "                   only this one, and what it needs\n"
    "  -o, --output=DIR report: where tables and figures go (default: DIR/report)\n"
    "      --tasks=N    launch: tasks of the array (default: as many as there are\n"
    "                   runs; at most MaxArraySize; tasks share the runs, so that any\n"
    "                   number will do)\n"
    "      --time=T     launch: time limit of a task, as sbatch takes it (default: a\n"
    "                   day, or what the longest run takes if that is less; memory\n"
    "                   too is as planned)\n"
    "  -q, --quiet      run: print nothing about single runs";

typedef struct {
  const char* action;
  const char* file;
  const char* output;
  ExperimentChoice choice;
  int jobs;
  int tasks;       // 0 = not said
  double seconds;  // time limit of a task; 0 = not said
  double max_hours;
  double measure;  // seconds; 0 = not
  bool quiet;
} ExperimentArguments;

static int usage_error(const char* what, const char* value) {
  fprintf(stderr, "autombpo experiment: %s: '%s'\n", what, value);
  return EXIT_USAGE;
}

#define DAY 86400.0
#define START_MARGIN 600.0  // seconds, for the start of a task and its last checkpoints

static bool parse_number(double* value, const char* text, double least, double most) {
  return text_read_number(value, text) && *value >= least && *value <= most;
}

static int parse_launch_option(ExperimentArguments* a, int option) {
  double number;
  if (option == 'n') {
    a->tasks = parse_number(&number, optarg, 1, 1e6) && number == floor(number) ? (int)number : 0;
    return a->tasks > 0 ? -1 : usage_error("--tasks: expected a whole number from 1", optarg);
  }
  Error error = {0};
  return option_parse_time(&a->seconds, optarg, 60, &error) && a->seconds >= 1
             ? -1
             : usage_error("--time: expected a time limit as sbatch takes it", optarg);
}

// The exit code, or -1.
static int parse_option(ExperimentArguments* a, int option) {
  double number;
  switch (option) {
    case 'h':
      puts(usage);
      return 0;
    case 'j':
      if (!parse_number(&number, optarg, 1, MOST_JOBS) || number != floor(number)) {
        return usage_error("--jobs: expected a whole number from 1 to 1024", optarg);
      }
      a->jobs = (int)number;
      return -1;
    case 'H':
      return parse_number(&a->max_hours, optarg, 1e-4, 1e5)
                 ? -1
                 : usage_error("--max-hours: expected a number of hours", optarg);
    case 's':
      return parse_number(&a->measure, optarg, 0.01, 86400)
                 ? -1
                 : usage_error("--measure: expected a number of seconds", optarg);
    case 'n':
    case 'T':
      return parse_launch_option(a, option);
    case 'd':
      a->choice.directory = optarg;
      return -1;
    case 't':
      a->choice.task = optarg;
      return -1;
    case 'm':
      a->choice.method = optarg;
      return -1;
    case 'o':
      a->output = optarg;
      return -1;
    case 'q':
      a->quiet = true;
      return -1;
    default:
      return EXIT_USAGE;
  }
}

static int parse(ExperimentArguments* a, int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"max-hours", required_argument, NULL, 'H'},
                                          {"measure", required_argument, NULL, 's'},
                                          {"tasks", required_argument, NULL, 'n'},
                                          {"time", required_argument, NULL, 'T'},
                                          {"dir", required_argument, NULL, 'd'},
                                          {"task", required_argument, NULL, 't'},
                                          {"method", required_argument, NULL, 'm'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {0}};
  int option;
  while ((option = getopt_long(argc, argv, "hj:o:q", options, NULL)) >= 0) {
    int code = parse_option(a, option);
    if (code >= 0) {
      return code;
    }
  }
  if (argc - optind != 2) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  a->action = argv[optind];
  a->file = argv[optind + 1];
  return -1;
}

// One of several processes of an mpirun or srun works by itself.
static bool is_one_of_many(void) {
  static const char* const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"};
  static const char* const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (int i = 0; i < 3; i++) {
    const char* size = getenv(sizes[i]);
    if (size && getenv(ranks[i]) && atoi(size) > 1) {
      return true;
    }
  }
  return false;
}

// So that each thread has a core.
static int default_jobs(const Experiment* x) {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  int jobs = cores / experiment_most_threads(x);
  return jobs > 0 ? jobs : 1;
}

static bool print_table(const Experiment* x, Arena* arena, Error* error) {
  Text text;
  text_init(&text, arena);
  bool good = experiment_table(&text, x, arena, error);
  fputs(text.bytes, stdout);
  fflush(stdout);
  return good;
}

static bool find_program(char program[FILES_PATH_SIZE], Error* error) {
  ssize_t length = readlink("/proc/self/exe", program, FILES_PATH_SIZE - 1);
  program[length > 0 ? length : 0] = '\0';
  return length >= 0 || error_errno(error, "/proc/self/exe");
}

// Describes the whole experiment in its directory, whatever part of it is asked for.
static bool write_description(const Experiment* x, const ExperimentArguments* a, Arena* arena,
                              Error* error) {
  Experiment whole;
  ExperimentChoice choice = {.directory = x->directory};
  return experiment_read(&whole, a->file, &choice, arena, error) &&
         experiment_write(&whole, error);
}

static int run(const Experiment* x, const ExperimentArguments* a, Arena* arena, Error* error) {
  char program[FILES_PATH_SIZE];
  if (!find_program(program, error) || !write_description(x, a, arena, error)) {
    return EXIT_FAILED;
  }
  ExperimentRunOptions options = {
      .jobs = a->jobs > 0 ? a->jobs : is_one_of_many() ? 1 : default_jobs(x),
      .max_seconds = 3600 * a->max_hours,
      .program = program,
      .quiet = a->quiet};
  int code = experiment_run(x, &options, arena, error);
  if (code == EXIT_STOPPED) {
    fprintf(stderr, "stopped with checkpoints; the same command goes on from there\n");
  }
  return code;
}

static bool measure(const Experiment* x, const ExperimentArguments* a, Arena* arena,
                    Error* error) {
  return write_description(x, a, arena, error) &&
         experiment_measure(x, a->measure, arena, error);
}

// What time and memory of the script follow from.
static const char* describe(const ExperimentForecast* largest, Arena* arena) {
  Text text;
  text_init(&text, arena);
  if (largest->cpu_seconds == 0) {
    return "Nothing was measured: autombpo experiment plan --measure=20 would say time and memory.";
  }
  text_add(&text, "Measured: at most %.2g h and ", largest->cpu_seconds / 3600);
  text_add_size(&text, 0, largest->memory_bytes);
  text_add(&text, " a run. Reserved: %g of that time, %g of that memory.", CAMPAIGN_TIME_MARGIN,
           CAMPAIGN_MEMORY_MARGIN);
  return text.bytes;
}

static int launch(const Experiment* x, const ExperimentArguments* a, Arena* arena, Error* error) {
  char program[FILES_PATH_SIZE], directory[FILES_PATH_SIZE];
  char* operands[] = {text_format(arena, "--dir=%s", x->directory), (char*)a->file, NULL, NULL};
  int count = 2;
  if (a->choice.task) {
    operands[count++] = text_format(arena, "--task=%s", a->choice.task);
  }
  if (a->choice.method) {
    operands[count++] = text_format(arena, "--method=%s", a->choice.method);
  }
  if (!find_program(program, error) || !getcwd(directory, sizeof directory)) {
    return EXIT_FAILED;
  }
  int tasks = a->tasks > 0 ? a->tasks : x->run_count;
  ExperimentForecast largest;
  if (!experiment_largest(&largest, x, arena, error)) {
    return EXIT_FAILED;
  }
  double seconds = CAMPAIGN_TIME_MARGIN * largest.cpu_seconds + START_MARGIN;
  seconds = largest.cpu_seconds > 0 && seconds < DAY ? seconds : DAY;
  LaunchScript script = {
      .title = text_format(arena, "%s: %d runs, into %s.", x->name, x->run_count, x->directory),
      .name = x->name,
      .program = program,
      .directory = directory,
      .workers = 1,
      .threads = experiment_most_threads(x),
      .reserved = describe(&largest, arena),
      .tasks = tasks,
      .most_tasks = launch_most_tasks(),
      .seconds = a->seconds > 0 ? a->seconds : seconds,
      .bytes = CAMPAIGN_MEMORY_MARGIN * largest.memory_bytes,
      .operand_count = count,
      .operands = operands};
  Text text;
  text_init(&text, arena);
  launch_print_experiment(&text, &script);
  fputs(text.bytes, stdout);
  return 0;
}

// Becomes the program of the analysis package.
static int report(const Experiment* x, const ExperimentArguments* a, Arena* arena, Error* error) {
  const char* output = a->output ? a->output : text_format(arena, "%s/report", x->directory);
  if (!write_description(x, a, arena, error)) {
    return EXIT_FAILED;
  }
  const char* described = text_format(arena, "%s/%s.json", x->directory, x->name);
  execlp("autombpo-plot", "autombpo-plot", "experiment", described, "-o", output, (char*)NULL);
  error_set(error, "autombpo-plot: not found; the analysis package has it: pip install analysis/");
  return EXIT_FAILED;
}

static int act(const Experiment* x, const ExperimentArguments* a, Arena* arena, Error* error) {
  if (strcmp(a->action, "run") == 0) {
    return print_table(x, arena, error) ? run(x, a, arena, error) : EXIT_FAILED;
  }
  if (strcmp(a->action, "report") == 0) {
    return report(x, a, arena, error);
  }
  if (strcmp(a->action, "launch") == 0) {
    return launch(x, a, arena, error);
  }
  bool good = strcmp(a->action, "plan") != 0 || a->measure == 0 || measure(x, a, arena, error);
  return good && print_table(x, arena, error) ? 0 : EXIT_FAILED;
}

int verb_experiment(int argc, char** argv) {
  static const char* const actions[] = {"plan", "run", "status", "report", "launch"};
  ExperimentArguments arguments = {.max_hours = INFINITY, .seconds = 0};
  int code = parse(&arguments, argc, argv);
  if (code >= 0) {
    return code;
  }
  bool known = false;
  for (int i = 0; i < 5; i++) {
    known |= strcmp(arguments.action, actions[i]) == 0;
  }
  if (!known) {
    return usage_error("expected plan, run, status, report or launch", arguments.action);
  }
  if (strcmp(arguments.action, "run") != 0) {
    stop_let_go();
  }
  Arena arena;
  Experiment x;
  Error error = {0};
  arena_init(&arena);
  gemm_init();
  bool good = experiment_read(&x, arguments.file, &arguments.choice, &arena, &error) &&
              experiment_check(&x, &error) && experiment_check_done(&x, &error);
  code = good ? act(&x, &arguments, &arena, &error) : verb_refusal(&error);
  if (error.text[0]) {
    fprintf(stderr, "%s\n", error.text);
  }
  arena_free(&arena);
  return code;
}
