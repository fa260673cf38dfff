// verb_resume.c - autombpo resume: goes on with a run directory.
#include <stdio.h>

#include "cli/start.h"
#include "cli/verbs.h"
#include "hyper/scheduler.h"
#include "hyper/checkpoint.h"

// Lines about hyper-episodes that go on; the rest is counted.
#define LINES 20

// One line for a hyper-episode that had begun: what is restored, and so what is repeated.
static bool print_begun(const RunDirectory* directory, int64_t e) {
  long generation;
  int64_t env_step;
  if (run_may_be_sealed(directory, e)) {
    return false;
  }
  if (checkpoint_peek(&generation, &env_step, directory, e)) {
    printf(
        "hyper-episode %lld: restored at %lld real samples (checkpoint %ld); what came after is "
        "repeated\n",
        (long long)e, (long long)env_step, generation);
    return true;
  }
  printf(
      "hyper-episode %lld: had begun, but has no checkpoint that can be read; repeated from its "
      "start\n",
      (long long)e);
  return true;
}

static void print_restored(const Start* start) {
  const RunDirectory* directory = &start->config.directory;
  SchedulerPlan plan = scheduler_plan(&start->config.spec);
  long long total = plan.hyper_episodes;
  RunIndices sealed = {0}, versions = {0}, begun = {0};
  Arena arena;
  Error ignored;  // of a disk that does not tell the start says so itself
  arena_init(&arena);
  run_list(&sealed, run_episode_path, directory, &arena, &ignored);
  run_list(&versions, run_policy_path, directory, &arena, &ignored);
  run_list(&begun, run_checkpoint_path, directory, &arena, &ignored);
  printf("%s: %lld of %lld hyper-episodes sealed", directory->path, (long long)sealed.count, total);
  if (versions.count > 0) {
    printf(", controller version %lld of %d", (long long)versions.count - 1, plan.updates);
  }
  printf(sealed.count == total ? ": nothing is missing\n" : "\n");
  int lines = 0;
  for (int64_t i = 0; i < begun.count && lines < LINES; i++) {
    lines += print_begun(directory, begun.index[i]);
  }
  if (lines == LINES) {
    printf("...\n");
  }
  fflush(stdout);
  arena_free(&arena);
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
