// libFuzzer entry: any bytes as the file of an experiment are refused with a reason, or expanded to
// runs that need only runs before them.
//
// Nothing is on disk, and no other loader is reached: the linker puts what stands here in the place of
// those that read files (--wrap). An include has one text for all; whether there is a file, and whether
// a configuration is one, its name decides. options_fuzz reads configurations.
#include "base/archive.h"
#include "base/yaml.h"
#include "run/assets.h"
#include "run/experiment.h"
#include "scratch.h"

#define PATH "input"

static struct {
  const char* text;
  size_t size;
} input;

static bool by_chance(const char* name) { return hash_bytes(HASH_START, name, strlen(name)) & 1; }

bool __wrap_yaml_read_file(YamlNode** root, const char* path, Arena* arena, Error* error);
bool __wrap_yaml_read_file(YamlNode** root, const char* path, Arena* arena, Error* error) {
  static const char included[] = "methods: {a: {train: b.yaml, test: '{train}'}}\ntasks: {t: {config: c}}\n";
  return strcmp(path, PATH) == 0
             ? yaml_read(root, path, input.text, input.size, arena, error)
             : yaml_read(root, path, included, sizeof included - 1, arena, error);
}

const char* __wrap_assets_find_shipped(const char* name, Arena* arena);
const char* __wrap_assets_find_shipped(const char* name, Arena* arena) {
  (void)arena;
  return name;
}

bool __wrap_files_exists(const char* path);
bool __wrap_files_exists(const char* path) { return by_chance(path); }

bool __wrap_run_config_read(RunConfig* config, int count, char* const* operands, bool again,
                            const char* const* presets, Error* error);
bool __wrap_run_config_read(RunConfig* config, int count, char* const* operands, bool again,
                            const char* const* presets, Error* error) {
  return config && !again && !presets && error && (count == 0 || by_chance(operands[0]));
}

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
  input.text = text;
  input.size = size;
  if (experiment_read(&experiment, PATH, &all, arena, &error)) {
    look(&experiment);
  } else {
    CHECK(*error.text, "refused without a reason");
  }
  free(text);
  return 0;
}
