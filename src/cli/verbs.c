#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "run/program.h"

static const Verb verbs[] = {
    {"train", verb_train,
     "run hyper-episodes under a scheduler; no operands: the quick start"},
    {"resume", verb_resume, "continue a run directory, on any number of ranks"},
    {"apply", verb_apply, "run MBPO for M epochs under a trained controller, without learning"},
    {"baseline", verb_baseline, "measure R', the return of plain MBPO on a task"},
    {"status", verb_status, "how a run is: alive or since when not, how far, and how to go on"},
    {"top", verb_top, "the same of running runs on a terminal, as they go"},
    {"inspect", verb_inspect, "show what a run directory or file holds; --checksum, --verify"},
    {"audit", verb_audit, "recompute the decisions, advantages and controllers of a run"},
    {"verify", verb_verify, "run a share of a run again, and compare all its numbers"},
    {"config", verb_config, "show, explain, check and compare configurations"},
    {"env", verb_env, "list, describe, check and replay tasks"},
    {"fvi", verb_fvi, "beta-mixture fitted value iteration and the bound of Theorem 4.1"},
    {"plan", verb_plan, "measure for seconds what a run will take: hours, memory, disk"},
    {"launch", verb_launch, "print a Slurm script for a configuration; submits nothing"},
    {"experiment", verb_experiment,
     "tasks x methods x repetitions from one file; plan, run, report"},
    {"schedule", verb_schedule, "export the schedule that a run used, for scheduler.kind=replay"},
    {"fork", verb_fork, "rerun a hyper-episode with one decision changed: its exact effect"},
    {"play", verb_play, "roll out a trained policy; returns, states, pictures"},
    {"bench", verb_bench, "the speed of the parts of a run on this machine, and its limits"},
    {"doctor", verb_doctor, "is this machine, its MPI and this directory fit for runs?"},
    {"version", verb_version, "print the version, the revision and the id of this program"},
};

const Verb* verb_at(int i) {
  return i < (int)(sizeof verbs / sizeof *verbs) ? &verbs[i] : NULL;
}

const Verb* verb_find(const char* name) {
  for (int i = 0; verb_at(i); i++) {
    if (strcmp(name, verbs[i].name) == 0) {
      return &verbs[i];
    }
  }
  return NULL;
}

int verb_version(int argc, char** argv) {
  if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    puts("usage: autombpo version\n\n"
         "Prints the version, the revision of the sources, and the id of the program: a\n"
         "hash of its sources. Runs are continued by the program that began them.");
    return 0;
  }
  printf("autombpo %s, revision %s, program %s\n", AUTOMBPO_VERSION, program_revision, program_id);
  return 0;
}
