// config_text.c - the option tables as help, JSON, man page and completion.
//
// One walk over the tables (each_item) gives every option as an Item with its texts for range and
// default, and each form is a visitor. So a new option is everywhere at once, and no list of
// options is written by hand.
//
// The texts that go to other programs are escaped for them where an option's words could be taken
// for theirs: roff's requests and hyphens. The completion script needs nothing of this program when
// it runs; values are completed for options that have few, file names for the others.
#include "cli/config_text.h"

#include <string.h>

#include "base/options_value.h"
#include "cli/verbs.h"
#include "store/json.h"

typedef struct {
  const OptionSection* section;
  const OptionRow* row;
  const char* key;       // "section.name"
  const char* range;
  const char* initial;   // default
} Item;

typedef void (*ItemVisitor)(void* context, const Item* item);

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

// Visits the options that match; returns how many.
static int each_item(const Options* options, const char* pattern, ItemVisitor visitor,
                     void* context) {
  int count = 0;
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    for (int i = 0; i < section->table.count; i++) {
      const OptionRow* row = &section->table.rows[i];
      Item item = {.section = section, .row = row};
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

static void add_key(void* context, const Item* item) {
  text_add(context, "%s: %s\n    %s; default %s\n", item->key, item->row->meaning, item->range,
           item->initial);
}

int config_keys(const Options* options, const char* pattern, Text* out) {
  return each_item(options, pattern, add_key, out);
}

static void add_json(void* context, const Item* item) {
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
  int count = each_item(options, pattern, add_json, &json);
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

static void add_man_item(void* context, const Item* item) {
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
  each_item(options, NULL, add_man_item, out);
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

// One case of the completion script: the values of options that have few.
static void add_values(void* context, const Item* item) {
  Text* out = context;
  const char* words = item->row->kind == OPTION_FLAG ? "true|false" : item->row->words;
  if (!words) {
    return;
  }
  text_add(out, "      %s) words=\"", item->key);
  for (const char* at = words; *at; at++) {
    text_add_bytes(out, *at == '|' ? " " : at, 1);
  }
  text_add(out, "\" ;;\n");
}

static void add_word(void* context, const Item* item) { text_add(context, " %s=", item->key); }

void config_completion(const Options* options, Text* out) {
  text_add(out,
           "# bash completion of autombpo; made by `autombpo config completion bash`\n"
           "_autombpo() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "  local key= words=\n"
           "  COMPREPLY=()\n"
           "  if [[ $current == \"=\" ]]; then\n"
           "    key=$previous current=\n"
           "  elif [[ $previous == \"=\" ]]; then\n"
           "    key=${COMP_WORDS[COMP_CWORD-2]}\n"
           "  fi\n"
           "  if [[ -n $key ]]; then\n"
           "    case $key in\n");
  each_item(options, NULL, add_values, out);
  text_add(out,
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "    [[ -n $words ]] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
           "    return\n"
           "  fi\n"
           "  if ((COMP_CWORD == 1)); then\n"
           "    COMPREPLY=($(compgen -W \"");
  for (int i = 0; verb_at(i); i++) {
    text_add(out, "%s%s", i > 0 ? " " : "", verb_at(i)->name);
  }
  text_add(out,
           "\" -- \"$current\"))\n"
           "    return\n"
           "  fi\n"
           "  words=\"");
  each_item(options, NULL, add_word, out);
  text_add(out,
           "\"\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\") $(compgen -f -- \"$current\"))\n"
           "  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
           "}\n"
           "complete -o filenames -F _autombpo autombpo\n");
}
