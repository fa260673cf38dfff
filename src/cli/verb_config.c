// verb_config.c - autombpo config: shows, explains, checks and compares configurations.
//
// Each command is a function in a table, with the RunConfig that was set up for it. What is shown
// or checked goes through the calls that a run makes, in the same order, so that "no problem found"
// means that `train` with the same operands starts. A baseline that is not made yet is the
// exception: it is said, and is no problem.
//
// Comparing two run directories compares their run.yaml. `diff` ends with 1 where something
// differs, as diff(1).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config_completion.h"
#include "cli/config_list.h"
#include "cli/config_text.h"
#include "run/assets.h"
#include "run/plan.h"
#include "run/run_config.h"
#include "cli/verbs.h"
#include "store/files.h"

static const char usage[] =
    "usage: autombpo config show  [-o FILE] [CONFIG.yaml ...] [key=value ...]\n"
    "       autombpo config keys  [--json] [PATTERN]\n"
    "       autombpo config check [--plan] [CONFIG.yaml ...] [key=value ...]\n"
    "       autombpo config diff  A B\n"
    "       autombpo config list  [tasks|methods|baselines|controllers]\n"
    "       autombpo config import mbpo|mbrl-lib|sb3 FILE [-o OUT.yaml]\n"
    "       autombpo config man | completion bash|zsh|fish\n\n"
    "show        prints every option with its value and where the value comes from;\n"
    "            the text is a configuration that gives the same run\n"
    "keys        explains the options whose name or meaning contains PATTERN\n"
    "check       lists every problem, as a run would; exit code 2 if there is one\n"
    "            --plan prints what the run needs: rows of D_model at each k, memory\n"
    "            of a rank, real rows of a batch, rollouts, trainings, updates and\n"
    "            real samples\n"
    "diff        prints what differs between two files or run directories; 1 if\n"
    "            anything does\n"
    "list        names what comes with the program, and what lies in directories of\n"
    "            AUTOMBPO_PATH; one kind alone with the commands that made it\n"
    "import      turns a configuration of MBPO's authors, mbrl-lib or RL Zoo (SB3)\n"
    "            into ours, and says what cannot be expressed; config import --help\n"
    "man         prints the man page of the configuration file\n"
    "completion  prints a completion script for a shell\n\n"
    "  -C, --directory DIR   go there first\n"
    "  -o, --output FILE     write there instead of to standard output\n"
    "      --json            JSON\n"
    "      --plan            of check";

typedef struct {
  const char* output;   // or NULL: standard output
  bool json;
  bool plan;
} Arguments;

static int problem(const Error* error) {
  fprintf(stderr, "%s\n", error->text);
  return verb_refusal(error);
}

static int usage_error(const char* text) {
  fprintf(stderr, "autombpo config: %s\n%s\n", text, usage);
  return EXIT_USAGE;
}

static int print(const Arguments* arguments, const Text* text) {
  Error error = {0};
  if (arguments->output) {
    bool written = files_write(arguments->output, text->bytes, text->size, &error);
    return written ? 0 : problem(&error);
  }
  fputs(text->bytes, stdout);
  return 0;
}

// Reads and checks operands as a run would.
static bool read_config(RunConfig* config, int count, char** operands, Error* error) {
  bool good = run_config_read(config, count, operands, false, NULL, error);
  good &= run_config_take_trained(config, error);
  fputs(config->warnings.bytes, stderr);
  return run_config_check(config, error) && good;
}

static int show(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Error error = {0};
  Text text;
  if (!read_config(config, count, operands, &error)) {
    return problem(&error);
  }
  text_init(&text, &config->arena);
  options_show(&config->options, &text);
  return print(arguments, &text);
}

static int keys(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Text text;
  const char* pattern = count > 0 ? operands[0] : NULL;
  if (count > 1) {
    return usage_error("keys takes one pattern");
  }
  text_init(&text, &config->arena);
  int found = arguments->json ? config_keys_json(&config->options, pattern, &text)
                              : config_keys(&config->options, pattern, &text);
  if (found == 0) {
    fprintf(stderr, "autombpo config keys: no option matches '%s'\n", pattern);
    return EXIT_FAILED;
  }
  return print(arguments, &text);
}

static int check(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Error error = {0}, missing = {0};
  bool good = run_config_read(config, count, operands, false, NULL, &error);
  if (!run_config_open(config, &error) || !good) {
    fputs(config->warnings.bytes, stderr);
    return problem(&error);
  }
  fputs(config->warnings.bytes, stderr);
  if (arguments->plan) {
    Text text;
    text_init(&text, &config->arena);
    plan_format(config, &text);
    fputs(text.bytes, stdout);
  }
  if (!run_config_take_baseline(config, &missing)) {
    if (config->baseline_path) {
      return problem(&missing);
    }
    fprintf(stderr, "still missing: %s\n", missing.text);
  }
  if (!arguments->plan) {
    puts("no problem found");
  }
  return 0;
}

// Reads one side of a comparison: a file, or the run.yaml of a run directory.
static bool read_side(RunConfig* config, const char* operand, Error* error) {
  const char* inside = text_format(&config->arena, "%s/run.yaml", operand);
  return options_load(&config->options, access(inside, R_OK) == 0 ? inside : operand, error);
}

static int diff(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Error error = {0};
  Text text;
  if (count != 2) {
    return usage_error("diff takes two files or run directories");
  }
  RunConfig* other = ARENA_NEW(&config->arena, 1, RunConfig);
  run_config_init(other);
  text_init(&text, &config->arena);
  bool good = read_side(config, operands[0], &error);
  good &= read_side(other, operands[1], &error);
  int differences = good ? options_diff(&config->options, &other->options, NULL, &text) : 0;
  run_config_free(other);
  if (!good) {
    return problem(&error);
  }
  int code = print(arguments, &text);
  return code == 0 && differences > 0 ? EXIT_FAILED : code;
}

static int list(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Error error = {0};
  Text text;
  text_init(&text, &config->arena);
  if (count > 1) {
    return usage_error("list takes one kind");
  }
  if (!config_list(count > 0 ? operands[0] : NULL, &text, &error)) {
    return problem(&error);
  }
  return print(arguments, &text);
}

// The reader of other programs' files is a script beside the configurations, in a source tree and
// where it is installed: it evaluates Python and YAML with tags. Returns only where there is none.
static int import(char** argv) {
  Arena arena;
  arena_init(&arena);
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  setenv("AUTOMBPO", program, 1);
  argv[0] = text_format(&arena, "%s/../mpi_launch/import", assets_configs(&arena));
  execv(argv[0], argv);
  perror(argv[0]);
  arena_free(&arena);
  return EXIT_FAILED;
}

static int man(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  (void)operands;
  Text text;
  if (count > 0) {
    return usage_error("man takes no operand");
  }
  text_init(&text, &config->arena);
  config_man(&config->options, &text);
  return print(arguments, &text);
}

static int completion(RunConfig* config, const Arguments* arguments, int count, char** operands) {
  Text text;
  text_init(&text, &config->arena);
  if (count != 1 || !config_completion(&config->options, operands[0], &text)) {
    return usage_error("completion: expected bash, zsh or fish");
  }
  return print(arguments, &text);
}

typedef struct {
  const char* name;
  int (*run)(RunConfig* config, const Arguments* arguments, int count, char** operands);
} Part;

static const Part parts[] = {{"show", show}, {"keys", keys}, {"check", check},
                             {"diff", diff}, {"list", list}, {"man", man},
                             {"completion", completion}};

// -1: go on. Otherwise the exit code.
static int parse_options(Arguments* arguments, int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"directory", required_argument, NULL, 'C'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"plan", no_argument, NULL, 'p'},
                                          {0}};
  int option;
  while ((option = getopt_long(argc, argv, "hC:o:", options, NULL)) >= 0) {
    switch (option) {
      case 'h':
        puts(usage);
        return 0;
      case 'C':
        if (chdir(optarg) != 0) {
          perror(optarg);
          return EXIT_USAGE;
        }
        break;
      case 'o':
        arguments->output = optarg;
        break;
      case 'j':
        arguments->json = true;
        break;
      case 'p':
        arguments->plan = true;
        break;
      default:
        return EXIT_USAGE;
    }
  }
  return -1;
}

int verb_config(int argc, char** argv) {
  Arguments arguments = {0};
  if (argc > 1 && strcmp(argv[1], "import") == 0) {
    return import(argv + 1);
  }
  int code = parse_options(&arguments, argc, argv);
  if (code >= 0) {
    return code;
  }
  if (optind == argc) {
    return usage_error("expected show, keys, check, diff, list, import, man or completion");
  }
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (strcmp(parts[i].name, argv[optind]) == 0) {
      RunConfig config;
      run_config_init(&config);
      code = parts[i].run(&config, &arguments, argc - optind - 1, argv + optind + 1);
      run_config_free(&config);
      return code;
    }
  }
  return usage_error("expected show, keys, check, diff, list, import, man or completion");
}
