// options_names.h - parts that the files of base/options share: unknown names, YAML values.
#ifndef BASE_OPTIONS_NAMES_H
#define BASE_OPTIONS_NAMES_H

#include "base/options.h"
#include "base/yaml.h"

// Appends "origin: unknown key 'x' (did you mean 'y'?)". Returns false.
bool options_unknown(const Options* options, const char* key, const char* origin, Error* error);

// Assigns the existing option "section.name" from a node of the file that is being loaded.
bool options_set_node(Options* options, const char* key, const YamlNode* node, const char* file,
                      Error* error);

// Whether `name` is a section, or the start of one ("a" of "a.b").
bool options_is_section(const Options* options, const char* name);

#endif  // BASE_OPTIONS_NAMES_H
