// main.c - the table of commands.
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

typedef struct {
  const char* name;
  int (*run)(int argc, char** argv);
  const char* meaning;
} Verb;

static const Verb verbs[] = {
    {"train", verb_train,
     "run hyper-episodes under a scheduler; without operands, the quick start"},
    {"resume", verb_resume, "continue a run directory, on any number of ranks"},
    {"apply", verb_apply, "run MBPO for M epochs under a trained controller, without learning"},
    {"baseline", verb_baseline, "make R', the return of original MBPO, for a task"},
    {"inspect", verb_inspect, "what is in a run directory or file; --checksum, --verify"},
    {"config", verb_config, "show, explain, check and compare configurations"},
    {"env", verb_env, "list, describe, check and replay tasks"},
    {"fvi", verb_fvi, "beta-mixture fitted value iteration and the bound of Theorem 4.1"},
    {"launch", verb_launch, "print a Slurm script for a configuration; submits nothing"},
    {"play", verb_play, "roll out a trained policy; returns, states, pictures"},
};

static void print_help(FILE* out) {
  fprintf(out,
          "autombpo %s - trains populations of model-based RL runs, and the controller that\n"
          "schedules their hyperparameters.\n\n"
          "usage: autombpo <verb> [options] [CONFIG.yaml ...] [key=value ...]\n\n",
          AUTOMBPO_VERSION);
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].meaning);
  }
  fprintf(out, "  %-10s %s\n\n`autombpo <verb> --help` says more.\n", "version",
          "print the version");
}

int main(int argc, char** argv) {
  if (argc < 2) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    print_help(stdout);
    return 0;
  }
  if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
    printf("autombpo %s\n", AUTOMBPO_VERSION);
    return 0;
  }
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    if (!strcmp(argv[1], verbs[i].name)) {
      return verbs[i].run(argc - 1, argv + 1);
    }
  }
  fprintf(stderr, "autombpo: unknown verb '%s'; `autombpo --help` lists them\n", argv[1]);
  return EXIT_USAGE;
}
