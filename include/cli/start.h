// start.h - what train, apply and baseline share: arguments, MPI, the run directory, the campaign.
#ifndef CLI_START_H
#define CLI_START_H

#include "cli/run_config.h"
#include "cluster/comm.h"

typedef struct {
  const char* usage;        // printed by --help
  bool quickstart;          // load the embedded configuration if no file is named
  bool takes_output;           // -o FILE
  bool train_length;           // fixed runs last hyper.train_epochs instead of apply_epochs
  const char* const* presets;  // options that the verb sets after the files, before key=value
} StartVerb;

typedef struct {
  Comm comm;
  RunConfig config;
  const char* output;       // of -o, or NULL
} Start;

// Parses, starts MPI, opens the run directory, runs the campaign and calls `finish` on rank 0 (or
// NULL). Returns the exit code.
int start_run(int argc, char** argv, const StartVerb* verb,
              bool (*finish)(const Start* start, Error* error));

#endif  // CLI_START_H
