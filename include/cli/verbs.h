// verbs.h - the commands of the program. Each takes its own arguments (argv[0] is the verb) and
// returns the exit code: 0 finished, 1 failed, 2 usage or configuration, 75 stopped early.
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <stdbool.h>

#include "base/error.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_STOPPED 75

int verb_train(int argc, char** argv);
int verb_resume(int argc, char** argv);
int verb_apply(int argc, char** argv);
int verb_baseline(int argc, char** argv);
int verb_status(int argc, char** argv);
int verb_top(int argc, char** argv);
int verb_inspect(int argc, char** argv);
int verb_config(int argc, char** argv);
int verb_env(int argc, char** argv);
int verb_fvi(int argc, char** argv);
int verb_plan(int argc, char** argv);
int verb_play(int argc, char** argv);
int verb_launch(int argc, char** argv);
int verb_bench(int argc, char** argv);
int verb_schedule(int argc, char** argv);
int verb_fork(int argc, char** argv);
int verb_audit(int argc, char** argv);
int verb_verify(int argc, char** argv);
int verb_experiment(int argc, char** argv);
int verb_doctor(int argc, char** argv);
int verb_version(int argc, char** argv);

typedef struct {
  const char* name;
  int (*run)(int argc, char** argv);
  bool stops;  // installs handlers of signals (cluster/stop.h), which wait until then
  const char* meaning;
} Verb;

// The i-th verb, and the one of a name; NULL if there is none.
const Verb* verb_at(int i);
const Verb* verb_find(const char* name);

// The exit code of a request that was refused before anything was written: EXIT_FAILED where the
// machine failed, so that the same may succeed later, else EXIT_USAGE.
int verb_refusal(const Error* error);

// -1: PATH is a run directory, or a file. Otherwise it is said, and the exit code.
int verb_check_run(const char* verb, const char* path);

#endif  // CLI_VERBS_H
