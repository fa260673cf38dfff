// verb_bench.c - autombpo bench: how fast the parts of a run are, and what bounds them.
//
// Operands are sorted first: names of parts, then configuration as everywhere. A part is a row with
// a function of bench/; its result goes out as text or as a line of JSON. `controller` is
// different, as it needs several processes: the program starts itself again under mpirun, with the
// interval that it has measured, and the second start does the work (bench_ranks.c).
//
// The presets make the work the same each time: early stopping of the model would otherwise decide
// how much is measured.
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/blas.h"
#include "cli/bench_ranks.h"
#include "cli/bench_row.h"
#include "run/run_config.h"
#include "cli/verbs.h"
#include "nn/gemm.h"
#include "store/json.h"

static const char usage[] =
    "usage: autombpo bench [options] [PART ...] [CONFIG.yaml ...] [key=value ...]\n\n"
    "Measures parts of a run, at the sizes of a configuration (default: hopper.yaml):\n"
    "  gemm        products of hidden layers; floor: OpenBLAS's\n"
    "  sac         updates of policy, critics and temperature; floor: their matrix\n"
    "              products through OpenBLAS, and Adam\n"
    "  ensemble    gradient steps of all members; floor: likewise\n"
    "  rollout     imaginary transitions; floor: likewise, without Adam\n"
    "  env         steps of the real environment; floor: those of its engine alone\n"
    "  mbpo        the whole loop, with model.max_epochs=50 epochs for each model\n"
    "              training, so that the work is the same each time\n"
    "  controller  rank 0 under simulated workers, which send real messages; starts\n"
    "              itself under mpirun\n"
    "Without a PART: the first five. Times are processor times of one core, so that\n"
    "what else runs on the machine counts little; the median of the repeats counts,\n"
    "and the spread is their largest difference over the median. Figure and floor are\n"
    "measured in turn; floors, gemm, env and controller have one thread, the others\n"
    "run.threads of them.\n\n"
    "      --json        one JSON object a line\n"
    "      --row         a row of the table of machines in docs/performance.md: send\n"
    "                    yours in\n"
    "      --repeats N   default 9; of mbpo 1; controller has one\n"
    "      --seconds S   of each repeat; default 0.5; of controller 5\n"
    "      --length K    steps of a rollout; default 5\n"
    "      --steps N     real steps of mbpo; default 1000\n"
    "      --workers N   simulated workers of controller; default 1000\n"
    "      --interval S  seconds between two decisions of a worker; default: those of\n"
    "                    its policy updates, which are measured first";

// A part that takes long is run only when it is asked for.
typedef struct {
  const char* name;
  BenchRun run;
  bool takes_long;
} Part;

static const Part parts[] = {
    {"gemm", bench_gemm, false},
    {"sac", bench_sac, false},
    {"ensemble", bench_ensemble, false},
    {"rollout", bench_rollout, false},
    {"env", bench_env, false},
    {"mbpo", bench_mbpo, true},
    {"controller", NULL, true},  // needs several processes: src/cli/bench_ranks.c
};

#define PARTS ((int)(sizeof parts / sizeof *parts))
#define CONTROLLER (PARTS - 1)

// So that the whole loop does the same work each time; and nothing here needs a baseline.
static const char* const presets[] = {"scheduler.kind=fixed", "model.patience=100000",
                                      "model.max_epochs=50", NULL};

typedef struct {
  bool chosen[PARTS];
  bool json, row;
  int64_t repeats, length, steps, workers;  // repeats 0 = the part's own default
  double seconds;                           // likewise
  double interval;                          // 0 = to be measured
} Arguments;

static bool parse_number(double* value, const char* name, double low, double high, bool whole) {
  char* end;
  errno = 0;
  *value = strtod(optarg, &end);
  if (errno == 0 && *optarg && !*end && low <= *value && *value <= high &&
      (!whole || *value == floor(*value))) {
    return true;
  }
  fprintf(stderr, "autombpo bench: --%s is '%s', expected a %snumber from %g to %g\n", name, optarg,
          whole ? "whole " : "", low, high);
  return false;
}

static bool parse_count(int64_t* value, const char* name, double high) {
  double number;
  bool good = parse_number(&number, name, 1, high, true);
  *value = good ? (int64_t)number : 0;
  return good;
}

// -1: go on. Otherwise the exit code.
static int parse_options(Arguments* a, int argc, char** argv) {
  static const struct option options[] = {
      {"help", no_argument, NULL, 'h'},
      {"json", no_argument, NULL, 'j'},
      {"row", no_argument, NULL, 'R'},
      {"repeats", required_argument, NULL, 'r'},
      {"seconds", required_argument, NULL, 's'},
      {"length", required_argument, NULL, 'k'},
      {"steps", required_argument, NULL, 'n'},
      {"workers", required_argument, NULL, 'w'},
      {"interval", required_argument, NULL, 'i'},
      {0}};
  bool good = true;
  for (int c; good && (c = getopt_long(argc, argv, "h", options, NULL)) >= 0;) {
    switch (c) {
      case 'h':
        puts(usage);
        return 0;
      case 'j':
        a->json = true;
        break;
      case 'R':
        a->row = true;
        break;
      case 'r':
        good = parse_count(&a->repeats, "repeats", 10000);
        break;
      case 's':
        good = parse_number(&a->seconds, "seconds", 1e-3, 3600, false);
        break;
      case 'k':
        good = parse_count(&a->length, "length", 1000);
        break;
      case 'n':
        good = parse_count(&a->steps, "steps", 1e7);
        break;
      case 'w':
        good = parse_count(&a->workers, "workers", 100000);
        break;
      case 'i':
        good = parse_number(&a->interval, "interval", 1e-3, 1e6, false);
        break;
      default:
        return EXIT_USAGE;
    }
  }
  return good ? -1 : EXIT_USAGE;
}

static int find_part(const char* name) {
  for (int i = 0; i < PARTS; i++) {
    if (strcmp(name, parts[i].name) == 0) {
      return i;
    }
  }
  return -1;
}

// Takes the parts out of the operands; returns how many operands are left, or -1.
static int take_parts(Arguments* a, int count, char** operands) {
  int left = 0, chosen = 0;
  for (int i = 0; i < count; i++) {
    int part = find_part(operands[i]);
    if (part >= 0) {
      a->chosen[part] = true;
      chosen++;
    } else if (strpbrk(operands[i], "=./")) {
      operands[left++] = operands[i];
    } else {
      fprintf(stderr, "autombpo bench: unknown part '%s'; `autombpo bench --help` lists them\n",
              operands[i]);
      return -1;
    }
  }
  for (int i = 0; chosen == 0 && i < PARTS; i++) {
    a->chosen[i] = !parts[i].takes_long;
  }
  return left;
}

static bool read_config(RunConfig* config, int count, char** operands, Error* error) {
  bool file = false;
  for (int i = 0; i < count; i++) {
    file = file || !strchr(operands[i], '=');
  }
  bool good = file || options_load(&config->options, "hopper.yaml", error);
  good &= run_config_read(config, count, operands, false, presets, error);
  return good && run_config_resolve(config, error);
}

// Where results go to.
typedef struct {
  const RunConfig* config;
  bool json;
  Text* row;  // NULL: print
} Output;

static void add_items(Json* json, const char* key, const BenchItem* items, int count) {
  json_begin_object(json, key);
  for (int i = 0; i < count; i++) {
    json_number(json, items[i].name, items[i].value);
  }
  json_end(json);
}

static void add_networks(Json* json, const BenchResult* r) {
  json_begin_object(json, "networks");
  for (int i = 0; i < r->network_count; i++) {
    const Mlp* shape = &r->network[i].shape;
    json_begin_array(json, r->network[i].name);
    for (int l = 0; l <= shape->layers; l++) {
      json_integer(json, NULL, shape->width[l]);
    }
    json_end(json);
  }
  json_end(json);
}

static void print_json(const BenchResult* r, const RunConfig* config, Text* text) {
  Json json;
  json_init(&json, text);
  json_begin_object(&json, NULL);
  json_text(&json, "name", r->name);
  json_text(&json, "precision", config->compute.precision);
  json_text(&json, "task", config->spec.task);
  json_integer(&json, "batch", r->batch);
  json_integer(&json, "threads", config->spec.threads);
  json_number(&json, "value", r->value);
  json_text(&json, "unit", r->unit);
  json_number(&json, "floor", r->floor);
  json_number(&json, "floor_ratio", r->value / r->floor);
  json_integer(&json, "repeats", r->repeats);
  json_number(&json, "spread", r->spread);
  add_items(&json, "shares", r->share, r->share_count);
  add_items(&json, "figures", r->figure, r->figure_count);
  add_networks(&json, r);
  json_text(&json, "kernels", gemm_description());
  json_text(&json, "floor_kernels", blas_description(text->arena));
  json_end(&json);
  puts(text->bytes);
}

static void print_text(const BenchResult* r, const RunConfig* config) {
  printf("%-10s %.6g %s (%s, %s, batch %d); %d repeats, spread %.1f %%\n", r->name, r->value,
         r->unit, config->spec.task, config->compute.precision, r->batch, r->repeats,
         100 * r->spread);
  if (isfinite(r->floor)) {
    printf("  %-22s %.6g; %.3f of it\n", "floor", r->floor, r->value / r->floor);
  }
  for (int i = 0; i < r->share_count; i++) {
    printf("  %-22s %.1f %% of the time\n", r->share[i].name, 100 * r->share[i].value);
  }
  for (int i = 0; i < r->figure_count; i++) {
    printf("  %-22s %.6g\n", r->figure[i].name, r->figure[i].value);
  }
  for (int i = 0; i < r->network_count; i++) {
    const Mlp* shape = &r->network[i].shape;
    printf("  %-22s", r->network[i].name);
    for (int l = 0; l <= shape->layers; l++) {
      printf("%s%d", l > 0 ? "-" : " ", shape->width[l]);
    }
    printf("\n");
  }
}

static void print_result(const BenchResult* result, void* context) {
  const Output* output = context;
  if (output->row) {
    bench_row_add(output->row, result);
    return;
  }
  Arena arena;
  Text text;
  arena_init(&arena);
  text_init(&text, &arena);
  if (output->json) {
    print_json(result, output->config, &text);
  } else {
    print_text(result, output->config);
  }
  fflush(stdout);
  arena_free(&arena);
}

static BenchSetup setup_of(const Part* part, const Arguments* a, const RunConfig* config) {
  int64_t repeats = part->takes_long ? 1 : 9;
  return (BenchSetup){.spec = &config->spec,
                      .repeats = (int)(a->repeats > 0 ? a->repeats : repeats),
                      .seconds = a->seconds > 0 ? a->seconds : 0.5,
                      .length = (int)a->length,
                      .steps = (int)a->steps};
}

static bool run_part(const Part* part, const Arguments* a, RunConfig* config, Text* row,
                     Error* error) {
  BenchSetup setup = setup_of(part, a, config);
  Output output = {config, a->json, row};
  BenchResult result;
  ArenaMark mark = arena_mark(&config->arena);
  bool good = part->run(&result, &setup, &config->arena, error);
  arena_release(&config->arena, mark);
  if (!good) {
    return error_add(error, "bench %s", part->name);
  }
  result.name = part->name;
  print_result(&result, &output);
  return true;
}

// Starts this program again under mpirun; `count` operands are the configuration.
static bool start_ranks(const Arguments* a, const ControllerLoad* load, int count, char** operands,
                        Arena* arena, Error* error) {
  char* own[] = {"bench",
                 "controller",
                 text_format(arena, "--workers=%d", load->workers),
                 text_format(arena, "--seconds=%.9g", load->seconds),
                 text_format(arena, "--interval=%.9g", load->interval),
                 "--json"};
  int own_count = (int)(sizeof own / sizeof *own) - !a->json;
  char** all = ARENA_NEW(arena, own_count + count, char*);
  memcpy(all, own, (size_t)own_count * sizeof *all);
  memcpy(all + own_count, operands, (size_t)count * sizeof *all);
  return bench_start_ranks(all, own_count + count, arena, error);
}

static int run_controller(const Arguments* a, RunConfig* config, int count, char** operands,
                          Error* error) {
  BenchSetup setup = setup_of(&parts[CONTROLLER], a, config);
  setup.seconds = fmin(setup.seconds, 0.5);
  Output output = {config, a->json, NULL};
  ControllerLoad load = {.workers = (int)a->workers,
                         .seconds = a->seconds > 0 ? a->seconds : 5,
                         .interval = a->interval};
  bool good = a->interval > 0 ||
              controller_interval(&load.interval, &setup, &config->arena, error);
  if (good && bench_has_ranks()) {
    return bench_run_ranks(&config->spec, &load, print_result, &output);
  }
  // does not return if all is well
  if (good) {
    start_ranks(a, &load, count, operands, &config->arena, error);
  }
  return EXIT_FAILED;
}

// One line, when all of it is known.
static int print_row(const Arguments* a, RunConfig* config, Error* error) {
  Arena arena;
  Text row;
  bool good = true;
  arena_init(&arena);
  text_init(&row, &arena);
  bench_row_begin(&row, config);
  for (int i = 0; good && i < PARTS; i++) {
    if (a->chosen[i] && parts[i].run) {
      good = run_part(&parts[i], a, config, &row, error);
    } else if (!parts[i].takes_long) {
      bench_row_add(&row, NULL);
    }
  }
  bench_row_end(&row);
  if (good) {
    puts(row.bytes);
  }
  arena_free(&arena);
  return good ? 0 : EXIT_FAILED;
}

static int run_parts(const Arguments* a, RunConfig* config, int count, char** operands,
                     Error* error) {
  if (!read_config(config, count, operands, error)) {
    return verb_refusal(error);
  }
  if (a->row) {
    return print_row(a, config, error);
  }
  for (int i = 0; i < PARTS; i++) {
    if (a->chosen[i] && parts[i].run && !run_part(&parts[i], a, config, NULL, error)) {
      return EXIT_FAILED;
    }
  }
  return a->chosen[CONTROLLER] ? run_controller(a, config, count, operands, error) : 0;
}

int verb_bench(int argc, char** argv) {
  Arguments arguments = {.length = 5, .steps = 1000, .workers = 1000};
  Error error = {0};
  int code = parse_options(&arguments, argc, argv);
  if (code >= 0) {
    return code;
  }
  int count = take_parts(&arguments, argc - optind, argv + optind);
  if (count < 0) {
    return EXIT_USAGE;
  }
  for (int i = 0; arguments.row && i < PARTS; i++) {
    if (arguments.chosen[i] && parts[i].takes_long) {
      fprintf(stderr, "autombpo bench: --row has no place for '%s'\n", parts[i].name);
      return EXIT_USAGE;
    }
  }
  RunConfig config;
  run_config_init(&config);
  gemm_init();
  blas_init();
  code = run_parts(&arguments, &config, count, argv + optind, &error);
  if (*error.text) {
    fprintf(stderr, "%s\n", error.text);
  }
  run_config_free(&config);
  return code;
}
