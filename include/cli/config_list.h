// config_list.h - what `autombpo config list` prints.
#ifndef CLI_CONFIG_LIST_H
#define CLI_CONFIG_LIST_H

#include "base/error.h"
#include "base/text.h"

// Appends what is found of a kind ("methods"), with the commands that made it, or, if `word` is
// NULL, a line for each file of every kind. False: no such kind, or a file that cannot be read.
bool config_list(const char* word, Text* out, Error* error);

#endif  // CLI_CONFIG_LIST_H
