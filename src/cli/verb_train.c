// verb_train.c - autombpo train and apply.
#include "cli/start.h"
#include "cli/verbs.h"

int verb_train(int argc, char** argv) {
  static const StartVerb verb = {
      .usage =
          "usage: autombpo train [-nq] [CONFIG.yaml ...] [key=value ...] [seeds=0..9]\n\n"
          "Runs the hyper-episodes of a configuration, alone or under mpirun, and writes\n"
          "them to run.dir. Repeating the command continues with what is missing there.\n"
          "Without a file, the embedded quick start is run.\n\n"
          "  seeds=A..B, seeds=A,B,C\n"
          "                  a run for each seed, each in a run.dir of its own, one after\n"
          "                  the other; the first that does not finish is the last, and its\n"
          "                  exit code is returned\n"
          "  -n, --dry-run   print the resolved configuration, write nothing\n"
          "  -q, --quiet     no progress lines",
      .quickstart = true,
      .finish = start_print_result,
  };
  return start_run(argc, argv, &verb);
}

int verb_apply(int argc, char** argv) {
  static const char* const presets[] = {"scheduler.kind=apply",
                                        "run.dir=runs/{env}/{method}-apply/s{seed}",
                                        "run.seed=1000", NULL};
  static const StartVerb verb = {
      .usage =
          "usage: autombpo apply [-nq] [CONFIG.yaml ...] scheduler.controller=RUN\n"
          "                      [key=value ...] [seeds=0..9]\n\n"
          "Runs MBPO for hyper.apply_epochs epochs under a trained controller, without\n"
          "learning: scheduler.hyper_episodes runs, each with its own random streams. The\n"
          "controller brings the hyper-MDP that it was trained in (hyper.*, ppo.groups and\n"
          "more); key=value overrides it. run.seed is 1000 unless it is given, so that no\n"
          "controller was trained with it.\n\n"
          "  -n, --dry-run   print the resolved configuration, write nothing\n"
          "  -q, --quiet     no progress lines",
      .quickstart = true,
      .finish = start_print_result,
      .presets = presets,
  };
  return start_run(argc, argv, &verb);
}
