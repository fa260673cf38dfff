// verb_plan.c - autombpo plan: what a whole run will take, from a measurement of some seconds.
//
// The estimate is campaign.c's; here are its operands and its text. The clocks of a run count
// processor time of a rank's first thread, so other programs on this machine disturb a measurement
// little; hours on the wall are those of threads that have a core each.
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/campaign.h"
#include "cli/verbs.h"
#include "cluster/comm_mpi.h"
#include "nn/gemm.h"
#include "store/json.h"

#define SECONDS 20.0  // of the measurement
#define MOST_RANKS 100001

static const char usage[] =
    "usage: autombpo plan [OPTION...] [CONFIG.yaml ...] [key=value ...]\n\n"
    "Says what a whole run of this configuration will take: hours, core-hours,\n"
    "memory, disk. The run is begun in a directory that is removed, and measured for\n"
    "some seconds; the rest follows from the loops of Algorithm 1. Nothing else is\n"
    "written.\n\n"
    "      --ranks=N     ranks, of which one gives work to the others (default: 1,\n"
    "                    does both)\n"
    "      --price=P     of a core-hour: says what it costs\n"
    "      --measure=S   seconds of processor time to measure for (default: 20); the\n"
    "                    more of a hyper-episode they are, the better is the estimate\n"
    "      --json        one JSON object";

typedef struct {
  double ranks, price, seconds;
  bool json;
} Arguments;

static bool parse_number(double* value, const char* name, double low, double high, bool whole) {
  char* end;
  *value = strtod(optarg, &end);
  if (*optarg && !*end && low <= *value && *value <= high && (!whole || *value == floor(*value))) {
    return true;
  }
  fprintf(stderr, "autombpo plan: --%s is '%s', expected a %snumber from %g to %g\n", name, optarg,
          whole ? "whole " : "", low, high);
  return false;
}

// -1: go on. Otherwise the exit code.
static int parse_options(Arguments* a, int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"ranks", required_argument, NULL, 'n'},
                                          {"price", required_argument, NULL, 'p'},
                                          {"measure", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
  bool good = true;
  for (int c; good && (c = getopt_long(argc, argv, "hn:", options, NULL)) >= 0;) {
    switch (c) {
      case 'h':
        puts(usage);
        return 0;
      case 'n':
        good = parse_number(&a->ranks, "ranks", 1, MOST_RANKS, true);
        break;
      case 'p':
        good = parse_number(&a->price, "price", 0, 1e9, false);
        break;
      case 's':
        good = parse_number(&a->seconds, "measure", 0, 86400, false);
        break;
      case 'j':
        a->json = true;
        break;
      default:
        return EXIT_USAGE;
    }
  }
  return good ? -1 : EXIT_USAGE;
}

// The text ----------------------------------------------------------------------------------------

static void add_duration(Text* out, double seconds) {
  if (seconds < 120) {
    text_add(out, "%.3g s", seconds);
  } else if (seconds < 7200) {
    text_add(out, "%.1f min", seconds / 60);
  } else {
    text_add(out, "%.1f h", seconds / 3600);
  }
}

static void add_measured(Text* out, const Forecast* f) {
  double all = 0;
  for (int i = 0; i < WORK_PARTS; i++) {
    all += f->probe.seconds.of[i];
  }
  text_add(out, "measured    ");
  add_duration(out, all);
  text_add(out, " of processor time, ");
  if (f->probe.progress < 1) {
    text_add(out, "%.0f %% of ", 100 * f->probe.progress);
  }
  text_add(out, "%s %d hyper-episode%s\n", f->probe.progress < 1 ? "the last of" : "all of",
           f->probe.hyper_episodes, f->probe.hyper_episodes > 1 ? "s" : "");
  if (f->unseen >= 0.005) {
    text_add(out, "            %.0f %% of the trainings' work is on more data than was seen: "
             "--measure longer to be sure\n", 100 * f->unseen);
  }
  text_add(out, "            %-18s %12s %14s %7s\n", "part", "us each", "in all", "share");
  for (int i = 0; i < WORK_PARTS; i++) {
    double unit = forecast_unit_seconds(f, (WorkPart)i);
    if (unit > 0) {
      text_add(out, "            %-18s %12.4g %14.4g %5.1f %%\n", work_units[i], 1e6 * unit,
               f->work.of[i], 100 * unit * f->work.of[i] / f->processor_seconds);
    }
  }
}

static void add_time(Text* out, const Campaign* c) {
  const Forecast* f = &c->forecast;
  text_add(out, "time        ");
  add_duration(out, f->wall_seconds);
  text_add(out, " on %d rank%s", c->ranks, c->ranks > 1 ? "s" : "");
  if (f->workers < c->ranks - 1) {
    text_add(out, ", of which no more than %d have work at a time", f->workers);
  }
  text_add(out, "; a hyper-episode ");
  add_duration(out, f->episode_seconds);
  text_add(out, ", the longest ");
  add_duration(out, f->longest_seconds);
}

static void add_sizes(Text* out, const Campaign* c) {
  const Forecast* f = &c->forecast;
  text_add(out, "memory      ");
  text_add_size(out, 0, c->rank);
  text_add(out, " a rank at most (program ");
  text_add_size(out, 0, f->probe.resident);
  text_add(out, "; ");
  plan_format_bytes(&c->bytes, out);
  text_add(out, "); all ranks ");
  text_add_size(out, 0, campaign_memory(c));
  text_add(out, "\ndisk        ");
  text_add_size(out, 0, c->kept);
  text_add(out, " in the end: episodes ");
  text_add_size(out, 0, f->sealed);
  text_add(out, ", controllers ");
  text_add_size(out, 0, f->policies);
  text_add(out, ", log ");
  text_add_size(out, 0, f->log);
  text_add(out, "; checkpoints before that, at most ");
  text_add_size(out, 0, c->while_running);
  text_add(out, "\n");
}

static void print_text(const Campaign* c, const RunConfig* config, double price, Arena* arena) {
  const Forecast* f = &c->forecast;
  Text out;
  text_init(&out, arena);
  text_add(&out, "run         %s on %s: %lld hyper-episodes of %d epochs\n", config->spec.method,
           config->spec.task, (long long)f->plan.hyper_episodes, f->plan.epochs);
  add_measured(&out, f);
  add_time(&out, c);
  text_add(&out, "\ncore-hours  %.4g", c->core_seconds / 3600);
  if (!isnan(price)) {
    text_add(&out, ", which cost %.4g", price * c->core_seconds / 3600);
  }
  text_add(&out, " (%.0f %% of them at work)\n", 100 * c->processor_seconds / c->core_seconds);
  add_sizes(&out, c);
  fputs(out.bytes, stdout);
}

static void print_json(const Campaign* c, double price, Arena* arena) {
  const Forecast* f = &c->forecast;
  Text out;
  Json json;
  text_init(&out, arena);
  json_init(&json, &out);
  json_begin_object(&json, NULL);
  json_integer(&json, "ranks", c->ranks);
  json_integer(&json, "hyper_episodes", f->plan.hyper_episodes);
  json_number(&json, "hours", f->wall_seconds / 3600);
  json_number(&json, "core_hours", c->core_seconds / 3600);
  json_number(&json, "processor_hours", c->processor_seconds / 3600);
  if (!isnan(price)) {
    json_number(&json, "cost", price * c->core_seconds / 3600);
  }
  json_number(&json, "rank_bytes", c->rank);
  json_number(&json, "memory_bytes", campaign_memory(c));
  json_number(&json, "disk_bytes", c->kept);
  json_number(&json, "checkpoint_bytes", c->while_running);
  json_begin_object(&json, "work");
  for (int i = 0; i < WORK_PARTS; i++) {
    json_number(&json, work_units[i], f->work.of[i]);
  }
  json_end(&json);
  json_begin_object(&json, "unit_seconds");
  for (int i = 0; i < WORK_PARTS; i++) {
    json_number(&json, work_units[i], forecast_unit_seconds(f, (WorkPart)i));
  }
  json_end(&json);
  json_end(&json);
  puts(out.bytes);
}

static bool plan(RunConfig* config, const Arguments* a, int count, char** operands, int* code,
                 Error* error) {
  Error missing = {0};
  if (!run_config_read(config, count, operands, true, NULL, error) ||
      !run_config_open(config, error)) {
    *code = verb_refusal(error);
    return false;
  }
  fputs(config->warnings.bytes, stderr);
  run_config_take_baseline(config, &missing);  // one that is not made yet changes no work
  Campaign campaign;
  *code = EXIT_FAILED;
  if (!campaign_measure(&campaign, config, (int)a->ranks, a->seconds, error)) {
    return false;
  }
  if (a->json) {
    print_json(&campaign, a->price, &config->arena);
  } else {
    print_text(&campaign, config, a->price, &config->arena);
  }
  *code = 0;
  return true;
}

int verb_plan(int argc, char** argv) {
  Arguments arguments = {.ranks = 1, .price = NAN, .seconds = SECONDS};
  Error error = {0};
  Comm comm;
  int code = parse_options(&arguments, argc, argv);
  if (code >= 0) {
    return code;
  }
  // as a rank, so that the memory of MPI is measured too
  if (!comm_mpi_init(&comm, &error)) {
    fprintf(stderr, "autombpo plan: %s\n", error.text);
    return verb_refusal(&error);
  }
  gemm_init();
  RunConfig config;
  run_config_init(&config);
  if (!plan(&config, &arguments, argc - optind, argv + optind, &code, &error)) {
    fprintf(stderr, "%s\n", error.text);
  }
  run_config_free(&config);
  comm_finalize(&comm, code);
  return code;
}
