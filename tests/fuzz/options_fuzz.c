// libFuzzer entry: any bytes as a configuration file are refused or accepted, and what was accepted
// is shown as text that is accepted again with the same meaning.
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/options_fuzz.c
//     src/base/{arena,error,text,yaml,options,options_*}.c -lyaml -lm -o options_fuzz

#include "base/options.h"
#include "base/yaml.h"
#include "scratch.h"

#define FUZZ_OPTIONS(OPT) \
  OPT(INT, i, 256, -100, 65536, "", "") \
  OPT(LONG, l, 0, -1e300, 1e300, "", "") \
  OPT(REAL, r, 0.05, -1e300, 1e300, "", "") \
  OPT(FLAG, f, true, 0, 0, "", "") \
  OPT(TIME, t, 0, -1e300, 1e300, "", "") \
  OPT(SIZE, s, 0, -1e300, 1e300, "", "") \
  OPT(TEXT, x, "", 0, 0, "", "") \
  OPT(CHOICE, c, "a", "a|bc", 0, "", "") \
  OPT(LIST, m, "[]", -1e300, 1e300, "", "")

typedef struct {
  FUZZ_OPTIONS(OPTION_FIELD)
} FuzzOptions;

OPTION_TABLE(fuzz_table, FuzzOptions, FUZZ_OPTIONS)

static bool load(Options* options, FuzzOptions* values, Arena* arena, const char* text) {
  Error error = {0};
  options_init(options, arena, NULL, NULL);
  options_section(options, "o", fuzz_table(), values);
  return options_load_text(options, "fuzz", text, &error);
}

static const char* canonical(const Options* options, Arena* arena) {
  Text text;
  text_init(&text, arena);
  options_canonical(options, NULL, &text);
  return text.bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena* arena = scratch_arena();
  Options first, second;
  FuzzOptions first_values, second_values;
  Text shown;
  Error error = {0};
  char* text = scratch_text(data, size);
  // a file must not reach for other files here
  char* include = strstr(text, "include");
  if (include) {
    *include = 'I';
  }
  if (load(&first, &first_values, arena, text)) {
    text_init(&shown, arena);
    options_show(&first, &shown);
    CHECK(load(&second, &second_values, arena, shown.bytes), "not read back: %s", shown.bytes);
    CHECK(strcmp(canonical(&first, arena), canonical(&second, arena)) == 0, "changed: %s",
          shown.bytes);
  }
  options_override(&first, text, &error);
  free(text);
  return 0;
}
