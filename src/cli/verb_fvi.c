// verb_fvi.c - autombpo fvi: the theory of section 4 of the paper, run and measured.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options_value.h"
#include "base/text.h"
#include "cli/verbs.h"
#include "theory/fvi_tables.h"

static const char usage[] =
    "usage: autombpo fvi bound|run|optimal-ratio [CONFIG.yaml ...] [fvi.key=value ...]\n\n"
    "Fitted value iteration on samples of which a share beta is real and the rest comes from a\n"
    "model with half-normal error, on small problems whose optimal values are known.\n\n"
    "  bound           conditions (6) and (7) and the bound (8), term by term; runs nothing\n"
    "  run             measured || V* - V^piK || beside the bound\n"
    "  optimal-ratio   the same, and the best beta for each N_real, by bound and measured\n\n"
    "run and optimal-ratio write fvi.h5 and CSV files to fvi.out. Options:\n";

typedef struct {
  Arena arena;
  Arena scratch;
  Options set;
  FviOptions options;
} Fvi;

static void print_usage(Fvi* fvi, FILE* out) {
  const OptionTable table = fvi->set.sections[0].table;
  Text text;
  text_init(&text, &fvi->arena);
  for (int i = 0; i < table.count; i++) {
    const OptionRow* row = &table.rows[i];
    text_add(&text, "  fvi.%-14s %s%s%s%s; ", row->name, row->meaning, *row->unit ? " [" : "",
             row->unit, *row->unit ? "]" : "");
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

static bool run(Fvi* fvi, const FviPlan* plan, bool with_ratio, Error* error) {
  static const char* const excluded[] = {"fvi.out", NULL};
  FviResult* results = ARENA_NEW(&fvi->arena, fvi_job_count(plan), FviResult);
  for (int64_t job = 0; job < fvi_job_count(plan); job++) {
    fvi_job_run(&results[job], plan, job, &fvi->scratch);
  }
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

static void show_bound(Fvi* fvi, const FviPlan* plan) {
  Text shown;
  text_init(&shown, &fvi->arena);
  fvi_conditions_show(plan, &shown);
  fputs(shown.bytes, stdout);
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
  bool bound = strcmp(what, "bound") == 0;
  bool ratio = strcmp(what, "optimal-ratio") == 0;
  if (!bound && !ratio && strcmp(what, "run") != 0) {
    fprintf(stderr, "autombpo fvi: unknown command '%s'; `autombpo fvi --help` lists them\n", what);
    return EXIT_USAGE;
  }
  Error error = {0};
  FviPlan plan;
  if (!read_operands(fvi, argv + 2, argc - 2, &error) ||
      !fvi_plan(&plan, &fvi->options, !bound, &fvi->arena, &fvi->scratch, &error)) {
    fprintf(stderr, "autombpo fvi: %s\n", error.text);
    return EXIT_USAGE;
  }
  if (bound) {
    show_bound(fvi, &plan);
    return 0;
  }
  if (!run(fvi, &plan, ratio, &error)) {
    fprintf(stderr, "autombpo fvi: %s\n", error.text);
    return EXIT_FAILED;
  }
  return 0;
}

int verb_fvi(int argc, char** argv) {
  Fvi fvi = {0};
  arena_init(&fvi.arena);
  arena_init(&fvi.scratch);
  options_init(&fvi.set, &fvi.arena, getenv("AUTOMBPO_PATH"), NULL);
  options_section(&fvi.set, "fvi", fvi_option_table(), &fvi.options);
  int code = dispatch(&fvi, argc, argv);
  arena_free(&fvi.scratch);
  arena_free(&fvi.arena);
  return code;
}
