// start.h - what train, resume, apply and baseline share: arguments, MPI, the run directory, all
// ranks.
#ifndef CLI_START_H
#define CLI_START_H

#include "run/seeds.h"
#include "cluster/comm.h"

typedef struct {
  int argc;            // the verb and its arguments
  char** argv;
  int operand_count;   // of them, without seeds=, and with the seed of the present run
  char** operands;
  double begun;        // clock_wall
  Seeds seeds;         // one run each, one after the other; none = the only run's is run.seed
  int run;             // index of the present one
  int runs;
  Comm comm;
  RunConfig config;    // of the present run
  RunDirectory* directories;  // (runs) up to the present run
  const char* output;  // of -o, or NULL
  int64_t diverged;    // hyper-episodes, after the run
  bool dry_run;
  bool quiet;
  Arena arena;
} Start;

typedef struct {
  const char* usage;           // printed by --help
  bool quickstart;             // load the embedded configuration if no file is named
  bool resumes;                // the first operand is a run directory
  bool takes_output;           // -o FILE
  bool train_length;           // fixed runs last hyper.train_epochs instead of apply_epochs
  const char* const* presets;  // options that the verb sets after the files, before key=value
  char* with_seeds;            // and another one where there are seeds=, or NULL

  // Called on rank 0 before and after each run, or NULL.
  void (*opened)(const Start* start);
  bool (*finish)(const Start* start, Error* error);
} StartVerb;

// Adds this start to the run's starts.jsonl.
bool start_record(const Start* start, Error* error);

// For `finish`: one line about a complete run.
bool start_print_result(const Start* start, Error* error);

// Parses, starts MPI; opens the directory and runs each run, up to the first that
// does not come to its end. Returns the exit code.
int start_run(int argc, char** argv, const StartVerb* verb);

#endif  // CLI_START_H
