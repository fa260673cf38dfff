// verb_fvi.c - autombpo fvi: the theory of section 4 of the paper, run and measured.
//
// It has an option set of its own with one section, since nothing of a training run applies here.
// The plan is made on every rank; jobs are dealt to all ranks (cluster/jobs.h), and rank 0 makes
// the tables from their results in order, prints them and writes them.
//
// There is no run directory: a plan is short, and a job a pure function of its number, so that to
// repeat is to resume. Whether the results can be written is checked before they are made.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options_value.h"
#include "base/text.h"
#include "run/assets.h"
#include "cli/verbs.h"
#include "cluster/comm_mpi.h"
#include "cluster/jobs.h"
#include "store/files.h"
#include "theory/fvi_tables.h"

static const char usage[] =
    "usage: autombpo fvi bound|run|optimal-ratio [CONFIG.yaml ...]\n"
    "                    [fvi.key=value ...]\n\n"
    "Fitted value iteration on samples of which a share beta is real and the rest\n"
    "comes from a model with half-normal error, on small problems whose optimal\n"
    "values are known.\n\n"
    "  bound           conditions (6) and (7) and the bound (8), term by term; runs\n"
    "                  nothing\n"
    "  run             measured || V* - V^piK || beside the bound\n"
    "  optimal-ratio   the same, and the best beta for each N_real, by bound and\n"
    "                  measured\n\n"
    "run and optimal-ratio write fvi.h5 and CSV files to fvi.out. Options:\n";

typedef struct {
  Arena arena;
  Arena scratch;
  Options set;
  FviOptions options;
  Comm comm;
} Fvi;

static void print_usage(Fvi* fvi, FILE* out) {
  const OptionTable table = fvi->set.sections[0].table;
  Text text;
  text_init(&text, &fvi->arena);
  for (int i = 0; i < table.count; i++) {
    const OptionRow* row = &table.rows[i];
    text_add(&text, "  fvi.%-14s %s%s%s%s\n      ", row->name, row->meaning,
             *row->unit ? " [" : "", row->unit, *row->unit ? "]" : "");
    option_format_range(row, &text);
    text_add(&text, "; default ");
    option_format_default(row, &text);
    text_add(&text, "\n");
  }
  fputs(usage, out);
  fputs(text.bytes, out);
}

// Files first, then key=value, wherever they stand.
static bool read_operands(Fvi* fvi, char* const* operands, int count, Error* error) {
  bool good = true;
  for (int i = 0; i < count; i++) {
    if (strchr(operands[i], '=') == NULL) {
      good &= options_load(&fvi->set, operands[i], error);
    }
  }
  for (int i = 0; i < count; i++) {
    if (strchr(operands[i], '=') != NULL) {
      good &= options_override(&fvi->set, operands[i], error);
    }
  }
  return good;
}

typedef struct {
  Fvi* fvi;
  const FviPlan* plan;
} JobContext;

static void run_job(void* result, int64_t job, void* context) {
  const JobContext* c = context;
  fvi_job_run(result, c->plan, job, &c->fvi->scratch);
}

static bool report(Fvi* fvi, const FviPlan* plan, const FviResult* results, bool with_ratio,
                   Error* error) {
  static const char* const excluded[] = {"fvi.out", NULL};
  FviTable tables[5];
  int count = 0;
  tables[count++] = fvi_settings_table(plan, results, &fvi->arena);
  tables[count++] = fvi_runs_table(plan, results, &fvi->arena);
  if (with_ratio) {
    tables[count++] = fvi_ratio_table(plan, results, &fvi->arena);
    tables[count++] = fvi_curve_table(plan, &fvi->arena);
    tables[count++] = fvi_rise_table(plan, &fvi->arena);
  }
  Text config;
  text_init(&config, &fvi->arena);
  options_canonical(&fvi->set, excluded, &config);
  Text shown;
  text_init(&shown, &fvi->arena);
  fvi_settings_show(plan, &tables[0], &shown);
  if (with_ratio) {
    text_add(&shown, "\nbest beta: ");
    fvi_ratio_show(plan, &tables[2], &shown);
  }
  fputs(shown.bytes, stdout);
  return fvi_tables_write(tables, count, fvi->options.out, config.bytes, &fvi->scratch, error);
}

// Whether the results can be written, before they are made.
static bool check_output(const Fvi* fvi, Error* error) {
  const char* first = text_format(fvi->set.arena, "%s/fvi.h5", fvi->options.out);
  return fvi->comm.rank > 0 ||
         (files_make_directory(fvi->options.out, error) && files_check_output(first, error));
}

// The jobs are dealt to all ranks; rank 0 folds their results in order.
static bool run(Fvi* fvi, const FviPlan* plan, bool with_ratio, Error* error) {
  int64_t count = fvi_job_count(plan);
  FviResult* results = ARENA_NEW(&fvi->arena, count, FviResult);
  JobContext context = {fvi, plan};
  jobs_run(&fvi->comm, results, count, sizeof *results, run_job, &context);
  return fvi->comm.rank > 0 || report(fvi, plan, results, with_ratio, error);
}

static void show_bound(Fvi* fvi, const FviPlan* plan) {
  Text shown;
  text_init(&shown, &fvi->arena);
  fvi_conditions_show(plan, &shown);
  fputs(shown.bytes, stdout);
}

static void print_problem(const Fvi* fvi, const Error* error) {
  if (fvi->comm.rank == 0) {
    fprintf(stderr, "autombpo fvi: %s\n", error->text);
  }
}

static int execute(Fvi* fvi, const char* what, int count, char** operands) {
  bool bound = strcmp(what, "bound") == 0;
  Error error = {0};
  FviPlan plan;
  if (!read_operands(fvi, operands, count, &error) ||
      !fvi_plan(&plan, &fvi->options, !bound, &fvi->arena, &fvi->scratch, &error)) {
    print_problem(fvi, &error);
    return verb_refusal(&error);
  }
  if (bound) {
    show_bound(fvi, &plan);
    return 0;
  }
  if (comm_share(&fvi->comm, check_output(fvi, &error)) == 0) {
    print_problem(fvi, &error);
    return EXIT_USAGE;
  }
  if (!run(fvi, &plan, strcmp(what, "optimal-ratio") == 0, &error)) {
    print_problem(fvi, &error);
    return EXIT_FAILED;
  }
  return 0;
}

static bool is_command(const char* what) {
  return !strcmp(what, "bound") || !strcmp(what, "run") || !strcmp(what, "optimal-ratio");
}

static int dispatch(Fvi* fvi, int argc, char** argv) {
  if (argc < 2) {
    print_usage(fvi, stderr);
    return EXIT_USAGE;
  }
  const char* what = argv[1];
  if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0 ||
      (argc > 2 && strcmp(argv[2], "--help") == 0)) {
    print_usage(fvi, stdout);
    return 0;
  }
  if (!is_command(what)) {
    fprintf(stderr, "autombpo fvi: unknown command '%s'; `autombpo fvi --help` lists them\n", what);
    return EXIT_USAGE;
  }
  Error error = {0};
  if (!comm_mpi_init(&fvi->comm, &error)) {
    fprintf(stderr, "autombpo fvi: %s\n", error.text);
    return verb_refusal(&error);
  }
  int code = execute(fvi, what, argc - 2, argv + 2);
  comm_finalize(&fvi->comm, code);
  return code;
}

int verb_fvi(int argc, char** argv) {
  Fvi fvi = {0};
  arena_init(&fvi.arena);
  arena_init(&fvi.scratch);
  options_init(&fvi.set, &fvi.arena, getenv("AUTOMBPO_PATH"), assets_configs(&fvi.arena));
  options_section(&fvi.set, "fvi", fvi_option_table(), &fvi.options);
  int code = dispatch(&fvi, argc, argv);
  arena_free(&fvi.scratch);
  arena_free(&fvi.arena);
  return code;
}
