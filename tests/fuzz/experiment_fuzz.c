// libFuzzer entry: any bytes as the file of an experiment are refused with a reason, or expanded to
// runs that need only runs before them.
#include "run/experiment.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

static void look(const Experiment* x) {
  for (int i = 0; i < x->run_count; i++) {
    const ExperimentRun* run = &x->runs[i];
    CHECK(run->task < x->task_count && run->method < x->method_count, "run %d of nothing", i);
    for (int n = 0; n < run->need_count; n++) {
      CHECK(run->needs[n] >= 0 && run->needs[n] < i, "run %d needs %d", i, run->needs[n]);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ExperimentChoice all = {.directory = "/nonexistent"};
  Arena* arena = scratch_arena();
  Experiment experiment;
  Error error = {0};
  char* text = scratch_text(data, size);
  // a file must not reach for other files here
  char* include = strstr(text, "include");
  if (include) {
    *include = 'I';
  }
  const char* path = scratch_file(text, size);
  free(text);
  if (experiment_read(&experiment, path, &all, arena, &error)) {
    look(&experiment);
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  return 0;
}
