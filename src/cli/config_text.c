// config_text.c - the option tables as help, JSON and man page.
//
// One walk over the tables (config_each) gives every option as a ConfigItem with its texts for
// range and default, and each form is a visitor. So a new option is everywhere at once, and no list
// of options is written by hand.
//
// The texts that go to other programs are escaped for them where an option's words could be taken
// for theirs: roff's requests and hyphens.
#include "cli/config_text.h"

#include <string.h>

#include "base/options_value.h"
#include "cli/verbs.h"
#include "store/json.h"

static const char* range_text(const OptionRow* row, Arena* arena) {
  Text text;
  text_init(&text, arena);
  option_format_range(row, &text);
  if (*row->unit) {
    text_add(&text, ", %s", row->unit);
  }
  return text.bytes;
}

static const char* default_text(const OptionRow* row, Arena* arena) {
  Text text;
  text_init(&text, arena);
  option_format_default(row, &text);
  return text.bytes;
}

int config_each(const Options* options, const char* pattern, ConfigVisitor visitor, void* context) {
  int count = 0;
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    for (int i = 0; i < section->table.count; i++) {
      const OptionRow* row = &section->table.rows[i];
      ConfigItem item = {.section = section, .row = row};
      item.key = text_format(options->arena, "%s.%s", section->name, row->name);
      if (pattern && !strstr(item.key, pattern) && !strstr(row->meaning, pattern)) {
        continue;
      }
      item.range = range_text(row, options->arena);
      item.initial = default_text(row, options->arena);
      visitor(context, &item);
      count++;
    }
  }
  return count;
}

static void add_key(void* context, const ConfigItem* item) {
  text_add(context, "%s: %s\n    %s; default %s\n", item->key, item->row->meaning, item->range,
           item->initial);
}

int config_keys(const Options* options, const char* pattern, Text* out) {
  return config_each(options, pattern, add_key, out);
}

static void add_json(void* context, const ConfigItem* item) {
  Json* json = context;
  const OptionRow* row = item->row;
  bool bounded = row->kind != OPTION_TEXT && row->kind != OPTION_CHOICE && row->kind != OPTION_FLAG;
  json_begin_object(json, NULL);
  json_text(json, "key", item->key);
  json_text(json, "range", item->range);
  if (bounded) {
    json_number(json, "min", row->smallest);
    json_number(json, "max", row->largest);
  }
  if (row->words) {
    json_text(json, "words", row->words);
  }
  json_text(json, "default", item->initial);
  json_text(json, "unit", row->unit);
  json_text(json, "meaning", row->meaning);
  json_end(json);
}

int config_keys_json(const Options* options, const char* pattern, Text* out) {
  Json json;
  json_init(&json, out);
  json_begin_array(&json, NULL);
  int count = config_each(options, pattern, add_json, &json);
  json_end(&json);
  text_add(out, "\n");
  return count;
}

// Text as roff shows it literally.
static void add_roff(Text* out, const char* text) {
  if (*text == '.' || *text == '\'') {
    text_add(out, "\\&");
  }
  for (const char* at = text; *at; at++) {
    if (*at == '\\') {
      text_add(out, "\\e");
    } else if (*at == '-') {
      text_add(out, "\\-");
    } else {
      text_add_bytes(out, at, 1);
    }
  }
}

static void add_man_item(void* context, const ConfigItem* item) {
  Text* out = context;
  if (item->row == item->section->table.rows) {
    text_add(out, ".SS %s\n", item->section->name);
  }
  text_add(out, ".TP\n.B ");
  add_roff(out, item->key);
  text_add(out, "\n");
  add_roff(out, item->row->meaning);
  text_add(out, ".\n.br\n");
  add_roff(out, item->range);
  text_add(out, "; default ");
  add_roff(out, item->initial);
  text_add(out, "\n");
}

void config_man(const Options* options, Text* out) {
  text_add(out,
           ".TH AUTOMBPO.YAML 5\n"
           ".SH NAME\n"
           "autombpo.yaml \\- configuration of autombpo\n"
           ".SH SYNOPSIS\n"
           ".B autombpo\n.I verb\n.RI [ FILE.yaml \" ...] [\" section.name=value \" ...]\"\n"
           ".SH DESCRIPTION\n"
           "A configuration is a YAML map of sections, each a map of options. Anchors, tags,\n"
           "merge keys and yes/no booleans are not used. A file may start with\n"
           ".BR \"include: [a.yaml, b.yaml]\" :\n"
           "these files are read first, and are searched as given, beside the including file, in\n"
           "the directories of AUTOMBPO_PATH and among the installed configurations. Later files\n"
           "overrule earlier ones, and section.name=value on the command line overrules files.\n"
           ".PP\n"
           "Integers may be written as 50e3, times as 90 (seconds), 2s, 15m, 23h50m, 2d or as\n"
           "Slurm does (30:00, 02:30:00, 1-12, 1-00:00:00), sizes as 500M or\n"
           "20G (powers of 1024), lists as [1, 2]. An unknown key, a wrong type and a value out\n"
           "of range are errors: all are listed, nothing is written, and the exit code is 2.\n"
           ".SH OPTIONS\n");
  config_each(options, NULL, add_man_item, out);
  text_add(out, ".SH VERBS\n");
  for (int i = 0; verb_at(i); i++) {
    text_add(out, ".TP\n.B ");
    add_roff(out, verb_at(i)->name);
    text_add(out, "\n");
    add_roff(out, verb_at(i)->meaning);
    text_add(out, ".\n");
  }
  text_add(out, ".SH SEE ALSO\n.BR autombpo (1)\n");
}
