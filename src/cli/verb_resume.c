// verb_resume.c - autombpo resume: goes on with a run directory.
#include <stdio.h>

#include "cli/start.h"
#include "cli/verbs.h"
#include "hyper/scheduler.h"
#include "hyper/checkpoint.h"

// Lines about hyper-episodes that go on; the rest is counted.
#define LINES 20

static int64_t count_sealed(const RunDirectory* directory, int64_t total) {
  int64_t sealed = 0;
  for (int64_t e = 0; e < total; e++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, directory, e);
    sealed += files_exists(path);
  }
  return sealed;
}

// Versions of the controller that are there: v000000.h5 up to the first missing one.
static int count_versions(const RunDirectory* directory, int updates) {
  char path[RUN_PATH_SIZE];
  int version = -1;
  do {
    version++;
    run_policy_path(path, directory, version);
  } while (version <= updates && files_exists(path));
  return version;
}

// One line for a hyper-episode that had begun: what is restored, and so what is repeated.
static bool print_begun(const RunDirectory* directory, int64_t e) {
  char path[RUN_PATH_SIZE];
  long generation;
  int64_t env_step;
  run_episode_path(path, directory, e);
  if (files_exists(path)) {
    return false;
  }
  if (checkpoint_peek(&generation, &env_step, directory, e)) {
    printf(
        "hyper-episode %lld: restored at %lld real samples (checkpoint %ld); what came after is "
        "repeated\n",
        (long long)e, (long long)env_step, generation);
    return true;
  }
  run_checkpoint_path(path, directory, e);
  if (files_exists(path)) {
    printf(
        "hyper-episode %lld: had begun, but has no checkpoint that can be read; repeated from "
        "its start\n",
        (long long)e);
    return true;
  }
  return false;
}

static void print_restored(const Start* start) {
  const RunDirectory* directory = &start->config.directory;
  SchedulerPlan plan = scheduler_plan(&start->config.spec);
  int64_t total = plan.hyper_episodes;
  int64_t sealed = count_sealed(directory, total);
  int versions = count_versions(directory, plan.updates), begun = 0;
  printf("%s: %lld of %lld hyper-episodes sealed", directory->path, (long long)sealed,
         (long long)total);
  if (versions > 0) {
    printf(", controller version %d of %d", versions - 1, plan.updates);
  }
  printf(sealed == total ? ": nothing is missing\n" : "\n");
  for (int64_t e = 0; e < total && begun < LINES; e++) {
    begun += print_begun(directory, e);
  }
  if (begun == LINES) {
    printf("...\n");
  }
  fflush(stdout);
}

int verb_resume(int argc, char** argv) {
  static const StartVerb verb = {
      .usage =
          "usage: autombpo resume [-nq] DIR [key=value ...]\n\n"
          "Continues the run in DIR, alone or under mpirun with any number of ranks; its\n"
          "results are the same bits as if it had never stopped. Nothing outside DIR is\n"
          "needed. Options that do not affect results may follow (run.max_wall,\n"
          "checkpoint.*, log.*, ...). A run of `autombpo baseline` is finished, too; repeat\n"
          "that command to write its file.\n\n"
          "  -n, --dry-run   print the configuration, write nothing\n"
          "  -q, --quiet     no progress lines",
      .resumes = true,
      .opened = print_restored,
      .finish = start_print_result,
  };
  return start_run(argc, argv, &verb);
}
