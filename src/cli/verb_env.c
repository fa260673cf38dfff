// verb_env.c - autombpo env list | describe | check | replay: the tasks by themselves.
//
// Nothing is trained here; it is what one looks at before, and what one runs on a task of one's
// own. `list` opens every task, so that one whose files are missing shows. `check` (env/check.h)
// tests the promises that the rest of the program relies on. `replay` is for comparison with the
// reference environments.
//
// A name that is no task is wrong usage, code 2; one that cannot be opened is a failure, code 1.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/libm.h"
#include "cli/env_replay.h"
#include "cli/verbs.h"
#include "env/check.h"
#include "env/env.h"
#include "run/assets.h"

static const char USAGE[] =
    "usage: autombpo env list\n"
    "       autombpo env describe TASK...\n"
    "       autombpo env check [--steps N] TASK...\n"
    "       autombpo env replay --task TASK --input F --output G\n\n"
    "TASK is an id of the list, or plugin:PATH for a task of your own (env_plugin.h).\n"
    "list      prints all tasks\n"
    "describe  prints sizes, ranges and definition of tasks\n"
    "check     steps tasks with random actions, reports broken promises and the speed\n"
    "replay    runs the recorded start states and actions of F, writes what came back\n"
    "          to G; sines and the like are the C library's, as in the reference, not\n"
    "          those of runs\n\n"
    "  --assets DIR   directory of the MJCF files\n"
    "  --steps N      steps of check (default 5000)\n";

typedef struct {
  const char* assets;
  const char* task;
  const char* input;
  const char* output;
  int64_t steps;
  bool help;
} Arguments;

static int usage_error(const char* text) {
  fprintf(stderr, "autombpo env: %s\n%s", text, USAGE);
  return EXIT_USAGE;
}

static int fail(const char* text) {
  fprintf(stderr, "autombpo env: %s\n", text);
  return EXIT_FAILED;
}

static int open_failed(const Error* error) {
  fail(error->text);
  return verb_refusal(error);
}

static void print_row(const Env* env) {
  const EnvSpec* spec = &env->spec;
  printf("%-28s %4d %4d %6d  %-13s %s\n", spec->id, spec->obs_size, spec->act_size,
         spec->time_limit, spec->engine, spec->definition);
}

static int list(const Arguments* arguments, Arena* arena) {
  printf("%-28s %4s %4s %6s  %-13s %s\n", "task", "obs", "act", "steps", "engine", "definition");
  int code = EXIT_SUCCESS;
  for (int i = 0; i < env_count(); i++) {
    Env env;
    Error error = {0};
    if (env_open(&env, env_id(i), arguments->assets, arena, &error)) {
      print_row(&env);
      env_close(&env);
    } else {
      code = fail(error.text);
    }
  }
  return code;
}

static int describe(const char* id, const Arguments* arguments, Arena* arena) {
  Env env;
  Error error = {0};
  if (!env_open(&env, id, arguments->assets, arena, &error)) {
    return open_failed(&error);
  }
  const EnvSpec* spec = &env.spec;
  printf("%s\n  definition   %s\n  engine       %s\n", spec->id, spec->definition, spec->engine);
  printf("  observation  %d numbers\n  action       %d numbers:", spec->obs_size, spec->act_size);
  for (int a = 0; a < spec->act_size; a++) {
    printf(" [%g, %g]", spec->act_low[a], spec->act_high[a]);
  }
  printf("\n  step         %g s\n  time limit   %d steps\n", spec->step_seconds, spec->time_limit);
  printf("  termination  %s\n", spec->terminated ? "from the observation" : "never");
  printf("  start state  %d positions, %d velocities\n", env_position_size(&env),
         env_velocity_size(&env));
  env_close(&env);
  return EXIT_SUCCESS;
}

static void print_check(const char* id, const EnvCheck* check) {
  printf("%s\n", id);
  printf("  steps        %lld in %lld episodes, mean return %.6g, rewards %.6g to %.6g\n",
         (long long)check->steps, (long long)check->episodes, check->mean_return,
         check->reward_low, check->reward_high);
  printf("  termination  %lld ends; the model-side function misses %lld and ends %lld others\n",
         (long long)check->terminated, (long long)check->model_missed,
         (long long)check->model_ended);
  if (check->reward_difference >= 0) {
    printf("  reward       differs from its function of the transition by at most %g\n",
           check->reward_difference);
  }
  printf("  speed        %.0f steps/s", check->rate);
  if (check->bare_rate > 0) {
    printf("; the engine alone %.0f; overhead %.1f %%", check->bare_rate, 100 * check->overhead);
  }
  printf("\n");
}

static int check(const char* id, const Arguments* arguments, Arena* arena) {
  (void)arena;
  EnvCheck result;
  Error error = {0};
  if (!env_check(&result, id, arguments->assets, arguments->steps, &error)) {
    return open_failed(&error);
  }
  print_check(id, &result);
  if (!env_check_passed(&result, &error)) {
    printf("  FAILED       %s\n", error.text);
    return EXIT_FAILED;
  }
  printf("  passed\n");
  return EXIT_SUCCESS;
}

typedef int (*TaskVerb)(const char* id, const Arguments*, Arena*);

// Runs `verb` for every operand; the largest exit code counts.
static int for_tasks(TaskVerb verb, int argc, char** argv, const Arguments* arguments,
                     Arena* arena) {
  if (argc == 0) {
    return usage_error("no task given");
  }
  int code = EXIT_SUCCESS;
  for (int i = 0; i < argc; i++) {
    int one = verb(argv[i], arguments, arena);
    code = one > code ? one : code;
  }
  return code;
}

static int replay(const Arguments* arguments) {
  if (!arguments->task || !arguments->input || !arguments->output) {
    return usage_error("replay needs --task, --input and --output");
  }
  Error error = {0};
  libm_use_library();
  if (!env_replay(arguments->task, arguments->assets, arguments->input, arguments->output,
                  &error)) {
    return open_failed(&error);
  }
  return EXIT_SUCCESS;
}

static bool parse_steps(int64_t* steps, const char* text) {
  char* end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  *steps = value;
  return errno == 0 && *text && !*end && 1 <= value && value <= 100000000;
}

static bool take_option(Arguments* arguments, int option) {
  switch (option) {
    case 'a':
      arguments->assets = optarg;
      return true;
    case 't':
      arguments->task = optarg;
      return true;
    case 'i':
      arguments->input = optarg;
      return true;
    case 'o':
      arguments->output = optarg;
      return true;
    case 'h':
      arguments->help = true;
      return true;
    case 's':
      return parse_steps(&arguments->steps, optarg) ||
             usage_error("--steps must be between 1 and 100000000") == 0;
    default:
      fputs(USAGE, stderr);
      return false;
  }
}

// False: wrong usage, already reported. Operands come last in argv, from optind on.
static bool parse(Arguments* arguments, int argc, char** argv) {
  static const struct option options[] = {
      {"assets", required_argument, NULL, 'a'}, {"task", required_argument, NULL, 't'},
      {"input", required_argument, NULL, 'i'},  {"output", required_argument, NULL, 'o'},
      {"steps", required_argument, NULL, 's'},  {"help", no_argument, NULL, 'h'},
      {0},
  };
  optind = 0;
  for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (!take_option(arguments, c)) {
      return false;
    }
  }
  return true;
}

static int run(const char* verb, int argc, char** argv, const Arguments* arguments, Arena* arena) {
  if (strcmp(verb, "list") == 0) {
    return argc == 0 ? list(arguments, arena) : usage_error("list takes no operand");
  }
  if (strcmp(verb, "describe") == 0) {
    return for_tasks(describe, argc, argv, arguments, arena);
  }
  if (strcmp(verb, "check") == 0) {
    return for_tasks(check, argc, argv, arguments, arena);
  }
  if (strcmp(verb, "replay") == 0) {
    return argc == 0 ? replay(arguments) : usage_error("replay takes no operand");
  }
  return usage_error("expected list, describe, check or replay");
}

int verb_env(int argc, char** argv) {
  Arguments arguments = {.steps = 5000};
  if (!parse(&arguments, argc, argv)) {
    return EXIT_USAGE;
  }
  if (arguments.help) {
    fputs(USAGE, stdout);
    return EXIT_SUCCESS;
  }
  if (optind >= argc) {
    return usage_error("expected list, describe, check or replay");
  }
  Arena arena;
  arena_init(&arena);
  Error error = {0};
  if (!arguments.assets) {
    arguments.assets = assets_find(&arena, &error);
  }
  int code = arguments.assets
                 ? run(argv[optind], argc - optind - 1, argv + optind + 1, &arguments, &arena)
                 : fail(error.text);
  arena_free(&arena);
  return code;
}
