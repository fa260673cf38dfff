#include "cli/bench_row.h"

#include <math.h>
#include <string.h>

#include "nn/gemm.h"
#include "run/program.h"
#include "store/files.h"

// As the kernel of Linux has it, "AMD EPYC"; "?" where it says nothing.
static void add_processor(Text* row) {
  static const char name[] = "\nmodel name\t: ";
  char text[FILES_START_SIZE];
  files_read_start(text, "/proc/cpuinfo");
  const char* found = strstr(text, name);
  found = found ? found + strlen(name) : "?";
  text_add_bytes(row, found, strcspn(found, "\n|"));
}

void bench_row_begin(Text* row, const RunConfig* config) {
  text_add(row, "| ");
  add_processor(row);
  text_add(row, " | %s", gemm_description());
  if (config->spec.threads > 1) {
    text_add(row, ", %d threads", config->spec.threads);
  }
  text_add(row, " | %s, %s", config->spec.task, config->compute.precision);
}

void bench_row_add(Text* row, const BenchResult* result) {
  text_add(row, " |");
  if (result) {
    text_add(row, " %.4g", result->value);
  }
  if (result && isfinite(result->floor)) {
    text_add(row, " (%.2f)", result->value / result->floor);
  }
}

void bench_row_end(Text* row) {
  text_add(row, " | %s %s |", AUTOMBPO_VERSION, program_revision);
}
