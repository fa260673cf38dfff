// config_text.h - what is generated from the option tables for people and shells.
#ifndef CLI_CONFIG_TEXT_H
#define CLI_CONFIG_TEXT_H

#include "base/options.h"

typedef struct {
  const OptionSection* section;
  const OptionRow* row;
  const char* key;       // "section.name"
  const char* range;
  const char* initial;   // default
} ConfigItem;

typedef void (*ConfigVisitor)(void* context, const ConfigItem* item);

// Visits the options whose "section.name" or meaning contains `pattern` (NULL = all), in the order
// of their tables; returns how many.
int config_each(const Options* options, const char* pattern, ConfigVisitor visitor, void* context);

// One paragraph an option whose "section.name" or meaning contains `pattern` (NULL = all): name,
// range, default, meaning. Returns how many.
int config_keys(const Options* options, const char* pattern, Text* out);

// The same as a JSON array of objects, for tools.
int config_keys_json(const Options* options, const char* pattern, Text* out);

// The man page autombpo.yaml(5), roff, with the list of verbs.
void config_man(const Options* options, Text* out);

#endif  // CLI_CONFIG_TEXT_H
