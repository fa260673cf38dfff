// config_text.h - what is generated from the option tables for people and shells.
#ifndef CLI_CONFIG_TEXT_H
#define CLI_CONFIG_TEXT_H

#include "base/options.h"

// One paragraph an option whose "section.name" or meaning contains `pattern` (NULL = all): name,
// range, default, meaning. Returns how many.
int config_keys(const Options* options, const char* pattern, Text* out);

// The same as a JSON array of objects, for tools.
int config_keys_json(const Options* options, const char* pattern, Text* out);

// The man page autombpo.yaml(5), roff, with the list of verbs.
void config_man(const Options* options, Text* out);

// A completion script for bash, of verbs and options.
void config_completion(const Options* options, Text* out);

#endif  // CLI_CONFIG_TEXT_H
