#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hyper/run_directory.h"
#include "run/program.h"
#include "store/pack.h"

static const Verb verbs[] = {
    {"train", verb_train, true,
     "run hyper-episodes under a scheduler; no operands: the quick start"},
    {"resume", verb_resume, true, "continue a run directory, on any number of ranks"},
    {"apply", verb_apply, true,
     "run MBPO for M epochs under a trained controller, without learning"},
    {"baseline", verb_baseline, true, "measure R', the return of plain MBPO on a task"},
    {"status", verb_status, false,
     "how a run is: alive or since when not, how far, and how to go on"},
    {"top", verb_top, false, "the same of running runs on a terminal, as they go"},
    {"inspect", verb_inspect, false,
     "show what a run directory or file holds; --checksum, --verify"},
    {"audit", verb_audit, false, "recompute the decisions, advantages and controllers of a run"},
    {"verify", verb_verify, false, "run a share of a run again, and compare all its numbers"},
    {"config", verb_config, false, "show, explain, check and compare configurations"},
    {"env", verb_env, false, "list, describe, check and replay tasks"},
    {"fvi", verb_fvi, false, "beta-mixture fitted value iteration and the bound of Theorem 4.1"},
    {"plan", verb_plan, false, "measure for seconds what a run will take: hours, memory, disk"},
    {"launch", verb_launch, false, "print a Slurm script for a configuration; submits nothing"},
    {"experiment", verb_experiment, true,
     "tasks x methods x repetitions from one file; plan, run, report"},
    {"schedule", verb_schedule, false,
     "export the schedule that a run used, for scheduler.kind=replay"},
    {"fork", verb_fork, true, "rerun a hyper-episode with one decision changed: its exact effect"},
    {"play", verb_play, false, "roll out a trained policy; returns, states, pictures"},
    {"bench", verb_bench, false, "the speed of the parts of a run on this machine, and its limits"},
    {"doctor", verb_doctor, false, "is this machine, its MPI and this directory fit for runs?"},
    {"version", verb_version, false, "print the version, the revision and the id of this program"},
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

int verb_refusal(const Error* error) { return error->transient ? EXIT_FAILED : EXIT_USAGE; }

int verb_check_run(const char* verb, const char* path) {
  RunDirectory directory;
  struct stat info;
  Error error = {0};
  bool is_file = stat(path, &info) == 0 ? !S_ISDIR(info.st_mode) : pack_holds(path);
  if (is_file || run_directory_find(&directory, path, &error)) {
    return -1;
  }
  fprintf(stderr, "autombpo %s: %s\n", verb, error.text);
  return verb_refusal(&error);
}

int verb_version(int argc, char** argv) {
  if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    puts("usage: autombpo version\n\n"
         "Prints the version, the revision of the sources, and the id of the program: a\n"
         "hash of its sources. Runs are continued by the program that began them.");
    return 0;
  }
  if (argc > 1) {
    fprintf(stderr, "autombpo version: '%s': takes no operands\n", argv[1]);
    return EXIT_USAGE;
  }
  printf("autombpo %s, revision %s, program %s\n", AUTOMBPO_VERSION, program_revision, program_id);
  return 0;
}
