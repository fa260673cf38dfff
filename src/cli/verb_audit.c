// verb_audit.c - autombpo audit: whether what a run sealed follows from what it was made of.
#include <getopt.h>
#include <stdio.h>

#include "run/run_files.h"
#include "cli/verbs.h"
#include "hyper/audit.h"
#include "hyper/manifest.h"
#include "hyper/sealed_check.h"
#include "nn/gemm.h"

static const char usage[] =
    "usage: autombpo audit RUN\n\n"
    "Recomputes each version of the controller, and each decision, reward, advantage\n"
    "and score, from nothing but the sealed hyper-episodes and the inputs of a run,\n"
    "and compares the bits. Needs the program that made the run (RUN/machine). Writes\n"
    "nothing. Exit code 1: something differs, or is damaged.";

// What is sealed so far. Versions that should be there by now are made again by a start. Of a run
// with nothing sealed nothing is opened, as that would begin it.
static bool audit_run(Audit* audit, RunConfig* c, Error* error) {
  const RunSpec* x = &c->spec;
  Scheduler scheduler;
  RunIndices sealed;
  bool good = manifest_check(&c->directory, error) &&
              run_list(&sealed, run_episode_path, &c->directory, &c->arena, error);
  if (good && sealed.count == 0) {
    return error_set(error, "%s: nothing to audit: no hyper-episode is sealed yet",
                     c->directory.path);
  }
  good = good && scheduler_open(&scheduler, x, &c->directory, &c->arena, error) &&
         audit_policies(audit, &scheduler, error);
  for (int64_t i = 0; good && i < sealed.count; i++) {
    int64_t e = sealed.index[i];
    good = e >= scheduler.plan.hyper_episodes ||
           (sealed_check_episode(&c->directory, x, e, error) &&
            audit_episode(audit, &scheduler, e, error));
  }
  return good;
}

static void print_result(const Audit* a, const RunConfig* c) {
  fputs(a->report->bytes, stdout);
  printf("%s: %lld policies, %lld hyper-episodes, %lld decisions, %lld advantages made again: ",
         c->directory.path, (long long)a->policies, (long long)a->episodes,
         (long long)a->decisions, (long long)a->advantages);
  printf(a->differences > 0 ? "%lld differences\n" : "the same bits\n", (long long)a->differences);
}

int verb_audit(int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
  RunConfig c;
  Error error = {0};
  Audit audit = {0};
  Text report;
  int option;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    return EXIT_USAGE;
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  run_config_init(&c);
  text_init(&report, &c.arena);
  audit.report = &report;
  gemm_init();
  bool good = run_files_read(&c, argv[optind], 0, NULL, &error) &&
              run_config_resolve(&c, &error);
  int code = good ? EXIT_FAILED : verb_refusal(&error);
  good = good && audit_run(&audit, &c, &error);
  if (good) {
    print_result(&audit, &c);
  } else {
    fprintf(stderr, "autombpo audit: %s\n", error.text);
  }
  run_config_free(&c);
  return good && audit.differences == 0 ? 0 : code;
}
