// external_options.h - how a controller outside of the program is reached.
#ifndef HYPER_EXTERNAL_OPTIONS_H
#define HYPER_EXTERNAL_OPTIONS_H

#include "base/options.h"

#define EXTERNAL_OPTIONS(OPT) \
  OPT(TEXT, command, "", 0, 0, "", \
      "of external: shell command of a controller, asked by its stdin, answering by its stdout") \
  OPT(TEXT, socket, "", 0, 0, "", \
      "of external: Unix socket at which the controller listens, instead of a command") \
  OPT(TIME, timeout, 600, 0.1, 31536000, "s", \
      "time for an answer; after it the run saves, and ends with exit code 1")

typedef struct {
  EXTERNAL_OPTIONS(OPTION_FIELD)
} ExternalOptions;

#endif  // HYPER_EXTERNAL_OPTIONS_H
