// start.h - what train, resume, apply and baseline share: arguments, MPI, the run directory, the
// campaign.
#ifndef CLI_START_H
#define CLI_START_H

#include "cli/run_config.h"
#include "cluster/comm.h"

typedef struct {
  int argc;            // the verb and its arguments
  char** argv;
  Comm comm;
  RunConfig config;
  const char* output;  // of -o, or NULL
  int64_t diverged;    // hyper-episodes, after the campaign
  bool dry_run;
  bool quiet;
} Start;

typedef struct {
  const char* usage;           // printed by --help
  bool quickstart;             // load the embedded configuration if no file is named
  bool resumes;                // the first operand is a run directory
  bool takes_output;           // -o FILE
  bool train_length;           // fixed runs last hyper.train_epochs instead of apply_epochs
  const char* const* presets;  // options that the verb sets after the files, before key=value

  // Called on rank 0 before and after the campaign, or NULL.
  void (*opened)(const Start* start);
  bool (*finish)(const Start* start, Error* error);
} StartVerb;

// For `finish`: one line about a complete run.
bool start_print_result(const Start* start, Error* error);

// Parses, starts MPI, opens the run directory, runs the campaign. Returns the exit code.
int start_run(int argc, char** argv, const StartVerb* verb);

#endif  // CLI_START_H
