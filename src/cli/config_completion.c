// config_completion.c - what shells complete, from the option tables and the list of verbs.
//
// The scripts need nothing of this program when they run. Values are completed for options that
// have few, file names for the others. zsh and fish also show what a verb or option means, in
// quotes of theirs: a meaning may hold any character.
#include "cli/config_completion.h"

#include <string.h>

#include "cli/config_text.h"
#include "cli/verbs.h"

// "a|b|c", or NULL where there are not few.
static const char* words_of(const ConfigItem* item) {
  return item->row->kind == OPTION_FLAG ? "true|false" : item->row->words;
}

// Between single quotes; what would end them, and `special` characters, are escaped.
static void add_inside_quotes(Text* out, const char* text, const char* quote, char special) {
  for (const char* at = text; *at; at++) {
    if (*at == '\'') {
      text_add(out, "%s", quote);
    } else {
      text_add(out, *at == special ? "\\%c" : "%c", *at);
    }
  }
}

// One case of the script: the values of options that have few.
static void add_bash_values(void* context, const ConfigItem* item) {
  Text* out = context;
  const char* words = words_of(item);
  if (!words) {
    return;
  }
  text_add(out, "      %s) words=\"", item->key);
  for (const char* at = words; *at; at++) {
    text_add_bytes(out, *at == '|' ? " " : at, 1);
  }
  text_add(out, "\" ;;\n");
}

static void add_word(void* context, const ConfigItem* item) {
  text_add(context, " %s=", item->key);
}

static void add_bash(const Options* options, Text* out) {
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
  config_each(options, NULL, add_bash_values, out);
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
  config_each(options, NULL, add_word, out);
  text_add(out,
           "\"\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\") $(compgen -f -- \"$current\"))\n"
           "  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
           "}\n"
           "complete -o filenames -F _autombpo autombpo\n");
}

static void add_zsh_key(void* context, const ConfigItem* item) {
  Text* out = context;
  text_add(out, "    '%s:", item->key);
  add_inside_quotes(out, item->row->meaning, "'\\''", ':');
  text_add(out, "'\n");
}

static void add_zsh_values(void* context, const ConfigItem* item) {
  Text* out = context;
  const char* words = words_of(item);
  if (!words) {
    return;
  }
  text_add(out, "      %s) compadd --", item->key);
  for (const char* at = words; *at; at += strspn(at, "|")) {
    size_t length = strcspn(at, "|");
    text_add(out, " '%.*s'", (int)length, at);
    at += length;
  }
  text_add(out, "; return ;;\n");
}

static void add_zsh(const Options* options, Text* out) {
  text_add(out,
           "#compdef autombpo\n"
           "# made by `autombpo config completion zsh`\n"
           "_autombpo() {\n"
           "  local -a verbs keys\n"
           "  verbs=(\n");
  for (int i = 0; verb_at(i); i++) {
    text_add(out, "    '%s:", verb_at(i)->name);
    add_inside_quotes(out, verb_at(i)->meaning, "'\\''", ':');
    text_add(out, "'\n");
  }
  text_add(out,
           "  )\n"
           "  if ((CURRENT == 2)); then\n"
           "    _describe verb verbs\n"
           "    return\n"
           "  fi\n"
           "  local key=${words[CURRENT]%%%%=*}\n"
           "  if compset -P '*='; then\n"
           "    case $key in\n");
  config_each(options, NULL, add_zsh_values, out);
  text_add(out,
           "    esac\n"
           "    _files\n"
           "    return\n"
           "  fi\n"
           "  keys=(\n");
  config_each(options, NULL, add_zsh_key, out);
  text_add(out,
           "  )\n"
           "  _describe option keys -S =\n"
           "  _files\n"
           "}\n"
           "_autombpo \"$@\"\n");
}

static void add_fish_line(Text* out, const char* when, const char* word, const char* meaning) {
  text_add(out, "complete -c autombpo -n '%s' -a '%s' -d '", when, word);
  add_inside_quotes(out, meaning, "\\'", '\\');
  text_add(out, "'\n");
}

static void add_fish_item(void* context, const ConfigItem* item) {
  Text* out = context;
  Text word;
  const char* words = words_of(item);
  text_init(&word, out->arena);
  text_add(&word, words ? "" : "%s=", item->key);
  for (const char* at = words ? words : ""; *at; at += strspn(at, "|")) {
    size_t length = strcspn(at, "|");
    text_add(&word, "%s%s=%.*s", word.size ? " " : "", item->key, (int)length, at);
    at += length;
  }
  add_fish_line(out, "not __fish_use_subcommand", word.bytes, item->row->meaning);
}

static void add_fish(const Options* options, Text* out) {
  text_add(out, "# fish completion of autombpo; made by `autombpo config completion fish`\n");
  for (int i = 0; verb_at(i); i++) {
    add_fish_line(out, "__fish_use_subcommand", verb_at(i)->name, verb_at(i)->meaning);
  }
  config_each(options, NULL, add_fish_item, out);
}

bool config_completion(const Options* options, const char* shell, Text* out) {
  static const struct {
    const char* shell;
    void (*add)(const Options* options, Text* out);
  } scripts[] = {{"bash", add_bash}, {"zsh", add_zsh}, {"fish", add_fish}};
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    if (strcmp(scripts[i].shell, shell) == 0) {
      scripts[i].add(options, out);
      return true;
    }
  }
  return false;
}
