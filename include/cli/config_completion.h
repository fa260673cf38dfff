// config_completion.h - scripts that let a shell complete verbs, options and their values.
#ifndef CLI_CONFIG_COMPLETION_H
#define CLI_CONFIG_COMPLETION_H

#include "base/options.h"

// Appends the script for "bash", "zsh" or "fish". False: there is none for this shell.
bool config_completion(const Options* options, const char* shell, Text* out);

#endif  // CLI_CONFIG_COMPLETION_H
