#include "cli/config_list.h"

#include <string.h>

#include "run/shipped.h"

static bool list_kind(ShippedKind kind, bool commands, Text* out, Error* error) {
  Shipped* items;
  int count, width = 0;
  if (!shipped_list(&items, &count, kind, out->arena, error)) {
    return false;
  }
  for (int i = 0; i < count; i++) {
    int length = (int)strlen(items[i].name);
    width = length > width ? length : width;
  }
  text_add(out, "%s\n", shipped_word(kind));
  for (int i = 0; i < count; i++) {
    text_add(out, "  %-*s  %s\n", width, items[i].name, items[i].meaning);
    if (commands && *items[i].command) {
      text_add(out, "  %*s  made by: %s\n", width, "", items[i].command);
    }
  }
  return true;
}

bool config_list(const char* word, Text* out, Error* error) {
  bool found = false, good = true;
  for (int kind = 0; kind < SHIPPED_KINDS; kind++) {
    if (!word || strcmp(word, shipped_word(kind)) == 0) {
      good &= list_kind(kind, word, out, error);
      found = true;
    }
  }
  return found ? good
               : error_line(error, "%s: expected tasks, methods, baselines or controllers", word);
}
