// verbs.h - the commands of the program. Each takes its own arguments (argv[0] is the verb) and
// returns the exit code: 0 finished, 1 failed, 2 usage or configuration, 75 stopped early.
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <stdbool.h>

#include "base/error.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_STOPPED 75

// Name; whether it installs handlers of signals (cluster/stop.h), which wait until then; meaning.
#define VERBS(VERB) \
  VERB(train, true, "run hyper-episodes under a scheduler; no operands: the quick start") \
  VERB(resume, true, "continue a run directory, on any number of ranks") \
  VERB(apply, true, "run MBPO for M epochs under a trained controller, without learning") \
  VERB(baseline, true, "measure R', the return of plain MBPO on a task") \
  VERB(status, false, "how a run is: alive or since when not, how far, and how to go on") \
  VERB(top, false, "the same of running runs on a terminal, as they go") \
  VERB(inspect, false, "show what a run directory or file holds; --checksum, --verify") \
  VERB(audit, false, "recompute the decisions, advantages and controllers of a run") \
  VERB(verify, false, "run a share of a run again, and compare all its numbers") \
  VERB(config, false, "show, explain, check and compare configurations") \
  VERB(env, false, "list, describe, check and replay tasks") \
  VERB(fvi, false, "beta-mixture fitted value iteration and the bound of Theorem 4.1") \
  VERB(plan, false, "measure for seconds what a run will take: hours, memory, disk") \
  VERB(launch, false, "print a Slurm script for a configuration; submits nothing") \
  VERB(experiment, true, "tasks x methods x repetitions from one file; plan, run, report") \
  VERB(schedule, false, "export the schedule that a run used, for methods/replay.yaml") \
  VERB(fork, true, "rerun a hyper-episode with one decision changed: its exact effect") \
  VERB(play, false, "roll out a trained policy; returns, states, pictures") \
  VERB(bench, false, "the speed of the parts of a run on this machine, and its limits") \
  VERB(doctor, false, "is this machine, its MPI and this directory fit for runs?") \
  VERB(version, false, "print the version, the revision and the id of this program")

// int verb_NAME(int argc, char** argv), each in its file.
#define VERB_DECLARATION(name, stops, meaning) int verb_##name(int argc, char** argv);
VERBS(VERB_DECLARATION)

typedef struct {
  const char* name;
  bool stops;
  const char* meaning;
} Verb;

// The i-th verb, NULL if there is none; and which one has a name, -1: none.
const Verb* verb_at(int i);
int verb_find(const char* name);

// The exit code of a request that was refused before anything was written: EXIT_FAILED where the
// machine failed, so that the same may succeed later, else EXIT_USAGE.
int verb_refusal(const Error* error);

// -1: PATH is a run directory, or a file. Otherwise it is said, and the exit code.
int verb_check_run(const char* verb, const char* path);

#endif  // CLI_VERBS_H
