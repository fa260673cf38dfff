// fvi_write.c - tables as files, and as text for a terminal.
//
// One HDF5 file has all tables, with units and meanings, and is sealed like every other of the
// program; beside it each table is a CSV file of the same numbers, for whoever has no HDF5. Files
// have all columns and the units of the tables.
//
// The terminal shows a choice of columns, in units of V_max: only then can one see at once whether
// a bound says something. One above 1 says nothing, as no policy loses more, and is named vacuous.
// Nothing is computed here.
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "store/files.h"
#include "store/h5.h"
#include "theory/fvi_tables.h"

#define FORMAT "autombpo.fvi"
#define FORMAT_VERSION 1

static void write_group(H5File* file, const FviTable* table, Arena* scratch) {
  h5_group(file, table->name);
  for (int c = 0; c < table->column_count; c++) {
    const FviColumn* column = &table->columns[c];
    H5Column target = {.name = text_format(scratch, "%s/%s", table->name, column->name),
                       .type = H5_F64,
                       .rows = table->rows,
                       .unit = column->unit,
                       .long_name = column->meaning};
    h5_write(file, &target, table->x + c * table->rows);
  }
}

static bool write_h5(const FviTable* tables, int count, const char* path, const char* config,
                     Arena* scratch, Error* error) {
  H5File file;
  if (!h5_create(&file, path, FORMAT, FORMAT_VERSION, error)) {
    return false;
  }
  h5_set_text(&file, "", "config", config);
  for (int i = 0; i < count; i++) {
    write_group(&file, &tables[i], scratch);
  }
  return h5_seal(&file, error);
}

static bool write_csv(const FviTable* table, const char* path, Arena* scratch, Error* error) {
  Text text;
  text_init(&text, scratch);
  for (int c = 0; c < table->column_count; c++) {
    text_add(&text, "%s%s", c == 0 ? "" : ",", table->columns[c].name);
  }
  for (int64_t row = 0; row < table->rows; row++) {
    for (int c = 0; c < table->column_count; c++) {
      char number[TEXT_NUMBER_SIZE];
      text_number(number, table->x[c * table->rows + row]);
      text_add(&text, "%c%s", c == 0 ? '\n' : ',', number);
    }
  }
  text_add(&text, "\n");
  return files_write(path, text.bytes, text.size, error);
}

bool fvi_tables_write(const FviTable* tables, int count, const char* directory, const char* config,
                      Arena* scratch, Error* error) {
  ArenaMark mark = arena_mark(scratch);
  const char* path = text_format(scratch, "%s/fvi.h5", directory);
  bool good = files_make_directory(directory, error) &&
              write_h5(tables, count, path, config, scratch, error);
  for (int i = 0; good && i < count; i++) {
    path = text_format(scratch, "%s/%s.csv", directory, tables[i].name);
    good = write_csv(&tables[i], path, scratch, error);
  }
  arena_release(scratch, mark);
  return good;
}

static void show_problem(const FviPlan* plan, Text* out) {
  const FviOptions* options = plan->options;
  const BoundProblem* problem = &plan->settings[0].problem;
  text_add(out, "%s: %d cells, %d actions, gamma = %g, V_max = %g, p = %g, delta = %g\n",
           options->mdp, plan->mdp.cells, plan->mdp.actions, plan->mdp.gamma, plan->mdp.v_max,
           options->p, options->delta);
  text_add(out, "C = %.6g, K_V = %.6g, d = %.4g V_max, the worst policy loses %.4g V_max\n",
           plan->concentrability, problem->lipschitz, problem->bellman_error / plan->mdp.v_max,
           plan->worst_loss / plan->mdp.v_max);
  text_add(out, "errors below are in units of V_max\n");
}

void fvi_settings_show(const FviPlan* plan, const FviTable* table, Text* out) {
  double unit = 1.0 / plan->mdp.v_max;
  show_problem(plan, out);
  text_add(out, "%5s %8s %9s %8s %9s | %9s %9s %9s %9s | %9s %8s\n", "K", "sigma", "N_real", "beta",
           "N", "loss", "+-", "largest", "step", "bound", "coverage");
  for (int64_t i = 0; i < table->rows; i++) {
    text_add(out, "%5g %8.3g %9.4g %8.3g %9.4g | %9.3g %9.2g %9.3g %9.3g | %9.4g %8.3f\n",
             fvi_column(table, "iterations")[i], fvi_column(table, "sigma")[i],
             fvi_column(table, "n_real")[i], fvi_column(table, "real_ratio")[i],
             fvi_column(table, "samples")[i], fvi_column(table, "loss_mean")[i] * unit,
             fvi_column(table, "loss_error")[i] * unit, fvi_column(table, "loss_max")[i] * unit,
             fvi_column(table, "step_error_max")[i] * unit, fvi_column(table, "bound")[i] * unit,
             fvi_column(table, "coverage")[i]);
  }
}

void fvi_ratio_show(const FviPlan* plan, const FviTable* table, Text* out) {
  show_problem(plan, out);
  text_add(out, "%5s %8s %9s | %11s %9s | %9s %19s %9s\n", "K", "sigma", "N_real", "by bound",
           "or 1", "measured", "within one error", "loss");
  for (int64_t i = 0; i < table->rows; i++) {
    text_add(out, "%5g %8.3g %9.4g | %11.4g %9.4g | %9.3g %9.3g ... %5.3g %9.3g\n",
             fvi_column(table, "iterations")[i], fvi_column(table, "sigma")[i],
             fvi_column(table, "n_real")[i], fvi_column(table, "bound_interior")[i],
             fvi_column(table, "bound_ratio")[i], fvi_column(table, "measured_ratio")[i],
             fvi_column(table, "measured_low")[i], fvi_column(table, "measured_high")[i],
             fvi_column(table, "measured_loss")[i] / plan->mdp.v_max);
  }
}

static void show_conditions(const FviPlan* plan, const FviSetting* at, Text* out) {
  const BoundConditions* conditions = &at->conditions;
  double unit = 1.0 / plan->mdp.v_max;
  text_add(out, "K = %d, sigma = %g, N_real = %.6g, beta = %g, N = %lld\n", at->iterations,
           at->sigma, at->n_real, at->real_ratio, (long long)at->samples);
  text_add(out, "  (6) %s: eps0 = %g V_max takes N > %.4g; this N allows eps0 >= %.4g V_max\n",
           conditions->samples_hold ? "holds" : "fails", plan->options->epsilon,
           exp(conditions->log_samples_needed), at->bound.epsilon_n * unit);
  text_add(out, "  (7) %s: it takes sigma < %.4g; this sigma allows eps0 > %.4g V_max\n",
           conditions->sigma_holds ? "holds" : "fails", conditions->sigma_allowed,
           at->bound.epsilon_sigma * unit);
  text_add(out,
           "  bound / V_max = %.4g = %.4g approximation + %.4g estimation + %.4g model + %.4g "
           "iteration%s\n",
           at->bound.total * unit, at->bound.approximation * unit,
           at->bound.estimation * unit, at->bound.model * unit, at->bound.iteration * unit,
           at->bound.total * unit < 1.0 ? "" : "  (vacuous)");
  if (conditions->samples_hold && conditions->sigma_holds) {
    text_add(out, "  for eps0 = %g V_max the bound / V_max is %.4g\n", plan->options->epsilon,
             conditions->total * unit);
  }
}

void fvi_conditions_show(const FviPlan* plan, Text* out) {
  show_problem(plan, out);
  for (int i = 0; i < plan->setting_count; i++) {
    show_conditions(plan, &plan->settings[i], out);
  }
}
