// fvi_tables.h - the results of a plan as tables: CSV files, and one HDF5 file (docs/formats.md).
//
// settings: one row a setting, with the bound's terms and what its seeds measured.
// runs:     one row a job.
// ratio:    one row for each (K, sigma, N_real): the best beta by the bound, and as measured.
// curve:    the bound over a fine grid of beta, for each (K, sigma, N_real).
// rise:     the bound's best beta over a wide range of N_real, for each (K, sigma).
#ifndef THEORY_FVI_TABLES_H
#define THEORY_FVI_TABLES_H

#include "base/text.h"
#include "theory/fvi.h"

typedef struct {
  const char* name;
  const char* unit;
  const char* meaning;
} FviColumn;

typedef struct {
  const char* name;          // of the CSV file and of the HDF5 group
  const FviColumn* columns;  // (column_count)
  int column_count;
  int64_t rows;
  double* x;  // (column_count, rows)
} FviTable;

// `results` (jobs) in the order of jobs.
FviTable fvi_settings_table(const FviPlan* plan, const FviResult* results, Arena* arena);
FviTable fvi_runs_table(const FviPlan* plan, const FviResult* results, Arena* arena);
FviTable fvi_ratio_table(const FviPlan* plan, const FviResult* results, Arena* arena);
FviTable fvi_curve_table(const FviPlan* plan, Arena* arena);
FviTable fvi_rise_table(const FviPlan* plan, Arena* arena);

// The column of a table; it must exist.
const double* fvi_column(const FviTable* table, const char* name);

// Writes DIR/fvi.h5 with all tables and `config` (YAML), then DIR/NAME.csv for each. A directory
// that holds other results is left as it is, and an error.
bool fvi_tables_write(const FviTable* tables, int count, const char* directory, const char* config,
                      Arena* scratch, Error* error);

// Appends the settings or ratio table for a terminal, errors in units of V_max.
void fvi_settings_show(const FviPlan* plan, const FviTable* table, Text* out);
void fvi_ratio_show(const FviPlan* plan, const FviTable* table, Text* out);

// Appends what conditions (6) and (7) say of each setting, and which N and sigma would meet them.
void fvi_conditions_show(const FviPlan* plan, Text* out);

#endif  // THEORY_FVI_TABLES_H
