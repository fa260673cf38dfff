// options.c - the set of options: who may assign what, and where each value came from.
//
// A section binds a table of rows to the struct that it fills; a key is "section.name". Values come
// in three ways, all through the parser of options_value.c: as text, as a node of a YAML file
// (options_load.c), and as an operand key=value. Beside each field stand its origin, which every
// error and the dump can name, and the number of the file that set it: one key twice in one file is
// a mistake, while a later file may override an earlier one.
//
// Keys are looked up by going through the tables. There are a hundred or two, and it happens at the
// start only; a hash table would be more to read than it saves.
#include "base/options.h"

#include <stdio.h>
#include <string.h>

#include "base/options_names.h"
#include "base/options_value.h"
#include "base/yaml.h"

void options_init(Options* options, Arena* arena, const char* search_path, const char* share_dir) {
  *options = (Options){.arena = arena};
  options->search_path = search_path ? arena_string(arena, search_path) : NULL;
  options->share_dir = share_dir ? arena_string(arena, share_dir) : NULL;
}

static void* field_of(const OptionSection* section, const OptionRow* row) {
  return (char*)section->values + row->offset;
}

void options_set_defaults(OptionTable table, void* values) {
  for (int i = 0; i < table.count; i++) {
    option_set_default(&table.rows[i], (char*)values + table.rows[i].offset);
  }
}

void options_section(Options* options, const char* name, OptionTable table, void* values) {
  CHECK(options->count < OPTIONS_MAX_SECTIONS, "more than %d option sections",
        OPTIONS_MAX_SECTIONS);
  OptionSection* section = &options->sections[options->count++];
  *section = (OptionSection){.name = name, .table = table, .values = values};
  section->origins = ARENA_NEW(options->arena, table.count, const char*);
  section->loads = ARENA_NEW(options->arena, table.count, int);
  options_set_defaults(table, values);
  for (int i = 0; i < table.count; i++) {
    section->origins[i] = "default";
  }
}

static OptionSection* find_section(const Options* options, const char* name, size_t size) {
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    if (strlen(section->name) == size && memcmp(section->name, name, size) == 0) {
      return (OptionSection*)section;
    }
  }
  return NULL;
}

const OptionRow* options_find(const Options* options, const char* key, OptionSection** section) {
  const char* dot = strrchr(key, '.');
  *section = dot ? find_section(options, key, (size_t)(dot - key)) : NULL;
  for (int i = 0; *section && i < (*section)->table.count; i++) {
    const OptionRow* row = &(*section)->table.rows[i];
    if (strcmp(row->name, dot + 1) == 0) {
      return row;
    }
  }
  return NULL;
}

const char* options_origin(const Options* options, const char* key) {
  OptionSection* section;
  const OptionRow* row = options_find(options, key, &section);
  CHECK(row, "there is no option '%s'", key);
  return section->origins[row - section->table.rows];
}

static void remember(OptionSection* section, const OptionRow* row, const char* origin, int load) {
  section->origins[row - section->table.rows] = origin;
  section->loads[row - section->table.rows] = load;
}

void options_take(Options* to, const Options* from, const char* key) {
  OptionSection *source, *target;
  const OptionRow* row = options_find(from, key, &source);
  CHECK(row && row == options_find(to, key, &target), "'%s' is no option of both sets", key);
  memcpy(field_of(target, row), field_of(source, row), option_size(row));
  remember(target, row, arena_string(to->arena, options_origin(from, key)), 0);
}

bool options_set(Options* options, const char* key, const char* text, const char* origin,
                 Error* error) {
  OptionSection* section;
  Error cause = {0};
  const OptionRow* row = options_find(options, key, &section);
  if (!row) {
    return options_unknown(options, key, origin, error);
  }
  if (!option_parse(row, field_of(section, row), text, &cause)) {
    return error_line(error, "%s: '%.80s=%.80s': %s", origin, key, text, cause.text);
  }
  remember(section, row, arena_string(options->arena, origin), 0);
  return true;
}

bool options_set_node(Options* options, const char* key, const YamlNode* node, const char* file,
                      Error* error) {
  OptionSection* section;
  const OptionRow* row = options_find(options, key, &section);
  Error cause = {0};
  const char* place = text_format(options->arena, "%s:%d:%d", file, node->line, node->column);
  if (section->loads[row - section->table.rows] == options->loads) {
    return error_line(error, "%s: '%s' is given twice in this file (first at %s)", place, key,
                      section->origins[row - section->table.rows]);
  }
  if (yaml_is_null(node)) {
    return error_line(error, "%s: '%s' has no value", place, key);
  }
  if (node->kind == YAML_MAP || (node->kind == YAML_SEQUENCE && row->kind != OPTION_LIST)) {
    return error_line(error, "%s: '%s' must be a single value", place, key);
  }
  bool good;
  if (node->kind == YAML_SEQUENCE) {
    const char** items = ARENA_NEW(options->arena, node->count, const char*);
    int count = 0;
    for (const YamlNode* item = node->first; item; item = item->next) {
      items[count++] = item->text;
    }
    good = option_parse_list(row, field_of(section, row), items, count, &cause);
  } else {
    good = option_parse(row, field_of(section, row), node->text, &cause);
  }
  if (!good) {
    const char* text = node->kind == YAML_SCALAR ? node->text : "[...]";
    return error_line(error, "%s: '%s=%.80s': %s", place, key, text, cause.text);
  }
  remember(section, row, place, options->loads);
  return true;
}

// The text of a command-line value: quotes, if any, are YAML's.
static const char* unquote(Options* options, const char* text, Error* error) {
  if (*text != '"' && *text != '\'') {
    return text;
  }
  YamlNode* node;
  if (!yaml_read(&node, "command line", text, strlen(text), options->arena, error)) {
    return NULL;
  }
  return node->kind == YAML_SCALAR ? node->text : text;
}

bool options_override(Options* options, const char* assignment, Error* error) {
  OptionSection* section;
  Error cause = {0};
  const char* equals = strchr(assignment, '=');
  if (!equals || equals == assignment) {
    return error_line(error, "command line: '%.80s' is not of the form key=value", assignment);
  }
  const char* key =
      text_format(options->arena, "%.*s", (int)(equals - assignment), assignment);
  const OptionRow* row = options_find(options, key, &section);
  if (!row) {
    return options_unknown(options, key, "command line", error);
  }
  const char* text = unquote(options, equals + 1, error);
  if (!text) {
    return false;
  }
  if (!option_parse(row, field_of(section, row), text, &cause)) {
    return error_line(error, "command line: '%.160s': %s", assignment, cause.text);
  }
  remember(section, row, "command line", 0);
  return true;
}
