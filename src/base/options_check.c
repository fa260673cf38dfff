#include "base/options_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/options_value.h"

OptionsCheck options_check(const Options* options, Error* error) {
  return (OptionsCheck){.options = options, .error = error, .good = true};
}

void options_broken(OptionsCheck* check, const char* key, const char* format, ...) {
  OptionSection* section;
  const OptionRow* row = options_find(check->options, key, &section);
  CHECK(row, "a rule about an option that there is not: %s", key);
  char what[512];
  Text value;
  Arena arena;
  arena_init(&arena);
  text_init(&value, &arena);
  option_format(row, (const char*)section->values + row->offset, &value);
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  error_line(check->error, "%s: '%s=%.80s': %s", options_origin(check->options, key), key,
             value.bytes, what);
  arena_free(&arena);
  check->good = false;
}

void options_check_integers(OptionsCheck* check, const char* key, const OptionList* list) {
  for (int i = 0; i < list->count; i++) {
    if (list->value[i] != floor(list->value[i])) {
      options_broken(check, key, "item %d must be an integer", i + 1);
    }
  }
}
