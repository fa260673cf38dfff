// Writes a set of options: with origins for people, without them to compare.

#include <string.h>

#include "base/options_value.h"

static const char* value_text(const OptionSection* section, const OptionRow* row, Arena* arena) {
  Text text;
  text_init(&text, arena);
  option_format(row, (const char*)section->values + row->offset, &text);
  return text.bytes;
}

const char* options_text(const Options* options, const char* key) {
  OptionSection* section;
  const OptionRow* row = options_find(options, key, &section);
  CHECK(row, "there is no option '%s'", key);
  return value_text(section, row, options->arena);
}

// The name of a file may hold a line break, or bytes that are no text.
static void add_comment(Text* out, const char* text) {
  if (text_is_printable(text)) {
    text_add(out, "%s\n", text);
  } else {
    text_add_quoted(out, text);
    text_add(out, "\n");
  }
}

void options_show(const Options* options, Text* out) {
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    text_add(out, "%s:\n", section->name);
    for (int i = 0; i < section->table.count; i++) {
      const OptionRow* row = &section->table.rows[i];
      text_add(out, "  %s: %s  # ", row->name, value_text(section, row, options->arena));
      add_comment(out, section->origins[i]);
    }
  }
}

// What stands behind `start` in a text that starts so, else NULL.
static const char* after(const char* text, const char* start) {
  size_t size = strlen(start);
  return text && strncmp(text, start, size) == 0 ? text + size : NULL;
}

static bool is_excluded(const char* const* excluded, const char* section, const char* name,
                        const char* value) {
  for (; excluded && *excluded; excluded++) {
    const char* rest = after(*excluded, section);
    const char* of_option = after(after(rest, "."), name);
    const char* of_value = after(of_option, "=");
    if ((rest && !*rest) || (of_option && !*of_option) ||
        (of_value && strcmp(of_value, value) == 0)) {
      return true;
    }
  }
  return false;
}

void options_canonical(const Options* options, const char* const* excluded, Text* out) {
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    bool begun = false;
    for (int i = 0; i < section->table.count; i++) {
      const OptionRow* row = &section->table.rows[i];
      const char* value = value_text(section, row, options->arena);
      if (is_excluded(excluded, section->name, row->name, value)) {
        continue;
      }
      text_add(out, "%s%s", begun ? "" : section->name, begun ? "" : ":\n");
      text_add(out, "  %s: %s\n", row->name, value);
      begun = true;
    }
  }
}

int options_diff(const Options* a, const Options* b, const char* const* excluded, Text* out) {
  CHECK(a->count == b->count, "options_diff: %d and %d sections", a->count, b->count);
  int differences = 0;
  for (int s = 0; s < a->count; s++) {
    for (int i = 0; i < a->sections[s].table.count; i++) {
      const OptionRow* row = &a->sections[s].table.rows[i];
      const char* left = value_text(&a->sections[s], row, a->arena);
      const char* right = value_text(&b->sections[s], row, b->arena);
      const char* section = a->sections[s].name;
      if (strcmp(left, right) != 0 && !(is_excluded(excluded, section, row->name, left) &&
                                        is_excluded(excluded, section, row->name, right))) {
        text_add(out, "%s.%s: %s -> %s\n", section, row->name, left, right);
        differences++;
      }
    }
  }
  return differences;
}
