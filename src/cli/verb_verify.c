// verb_verify.c - autombpo verify: runs a share of a run again and compares the bits.
//
// The share counts epochs. Hyper-episodes are drawn one after the other and run again as a whole,
// until the share is used up; of the last one only the epochs that are left of it. Who draws is a
// stream of random numbers with a seed that whoever verifies chooses, so that nobody knows
// beforehand what will be looked at, and a verification can be repeated.
#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/machine.h"
#include "run/run_files.h"
#include "cli/verbs.h"
#include "hyper/manifest.h"
#include "hyper/scratch_directory.h"
#include "hyper/verify.h"
#include "nn/gemm.h"

static const char usage[] =
    "usage: autombpo verify [--share PERCENT] [--seed N] RUN|FILE [key=value ...]\n\n"
    "Runs sealed hyper-episodes again, with their decisions, and compares all numbers\n"
    "in their files, bit by bit: of a run directory as many as make up a share of its\n"
    "epochs, drawn by chance; of a FILE (RUN/episodes/NNNNNN.h5) this one. The last\n"
    "may be run in part, from its start. Needs the program and the physics that made\n"
    "the run (RUN/machine), not its type of CPU. Writes nothing into the run. Exit\n"
    "code 1: something differs, or is damaged.\n\n"
    "      --share P   of the epochs, in percent; default 5, of a FILE 100\n"
    "      --seed N    of what is drawn; default 0\n\n"
    "A task that is code, or other MJCF files, must be named again: env.id=...,\n"
    "env.assets=...";

typedef struct {
  double share;  // NaN: not given
  int64_t seed;
  char run[RUN_PATH_SIZE];
  int64_t episode;  // -1: any
  int extra;        // index of the first key=value
} Arguments;

static bool read_share(double* share, const char* text) {
  char* end;
  *share = strtod(text, &end);
  end += *end == '%';
  return end > text && *end == '\0' && *share > 0 && *share <= 100;
}

static bool read_seed(int64_t* seed, const char* text) {
  char* end;
  *seed = strtoll(text, &end, 10);
  return end > text && *end == '\0' && *seed >= 0;
}

// Of RUN/episodes/NNNNNN.h5 the run and the index; a directory is a run.
static bool find_run(Arguments* a, const char* path) {
  char* end;
  snprintf(a->run, sizeof a->run, "%s", path);
  a->episode = -1;
  char* slash = strrchr(a->run, '/');
  char* name = slash ? slash + 1 : a->run;
  size_t length = strlen(name);
  if (length <= 3 || strcmp(name + length - 3, ".h5") != 0) {
    return true;
  }
  a->episode = strtoll(name, &end, 10);
  bool good = a->episode >= 0 && isdigit((unsigned char)*name) && strcmp(end, ".h5") == 0;
  snprintf(name, 3, "..");
  return good;
}

// -1: go on. Otherwise the exit code.
static int parse(Arguments* a, int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"share", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {0}};
  int option;
  *a = (Arguments){.share = NAN};
  while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    bool good = option == 's'   ? read_share(&a->share, optarg)
                : option == 'r' ? read_seed(&a->seed, optarg)
                                : false;
    if (!good) {
      if (optarg) {
        fprintf(stderr, "autombpo verify: '%s': expected %s\n", optarg,
                option == 's' ? "--share above 0 and up to 100 percent" : "--seed N, N >= 0");
      }
      return EXIT_USAGE;
    }
  }
  if (optind >= argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  if (!find_run(a, argv[optind])) {
    fprintf(stderr, "autombpo verify: '%s': expected RUN or RUN/episodes/NNNNNN.h5\n",
            argv[optind]);
    return EXIT_USAGE;
  }
  a->extra = optind + 1;
  return -1;
}

// The sealed hyper-episodes, in the order of their draw, and the epochs of each.
typedef struct {
  int count;
  int32_t* index;
  int* epochs;
  int64_t all;
} Drawn;

// Those that are sealed, in their order. Of a run with none nothing is opened, as that would begin
// it.
static bool list_sealed(Drawn* d, const RunConfig* c, const Arguments* a, Arena* arena,
                        Error* error) {
  RunIndices sealed;
  int64_t all = scheduler_plan(&c->spec).hyper_episodes;
  if (!run_list(&sealed, run_episode_path, &c->directory, arena, error)) {
    return false;
  }
  *d = (Drawn){.index = ARENA_NEW(arena, sealed.count, int32_t)};
  for (int64_t i = 0; i < sealed.count; i++) {
    int64_t e = sealed.index[i];
    if (e < all && (a->episode < 0 || a->episode == e)) {
      d->index[d->count++] = (int32_t)e;
    }
  }
  if (d->count == 0 && a->episode >= 0) {
    return error_set(error, "%s: hyper-episode %lld is none of the %lld of this run",
                     c->directory.path, (long long)a->episode, (long long)all);
  }
  return d->count > 0 || error_set(error, "%s: nothing to verify: no hyper-episode is sealed yet",
                                   c->directory.path);
}

static bool draw(Drawn* d, const Scheduler* s, const Arguments* a, Arena* arena, Error* error) {
  Rng rng = rng_stream((uint64_t)a->seed, 0, RNG_VERIFY, 0);
  rng_shuffle(d->index, d->count, &rng);
  d->epochs = ARENA_NEW(arena, d->count, int);
  for (int i = 0; i < d->count; i++) {
    if (!verify_epochs(&d->epochs[i], s, d->index[i], error)) {
      return false;
    }
    d->all += d->epochs[i];
  }
  return true;
}

static bool verify_share(Verify* v, Drawn* d, Scheduler* s, const Arguments* a, Arena* arena,
                         Error* error) {
  if (!draw(d, s, a, arena, error)) {
    return false;
  }
  double share = !isnan(a->share) ? a->share : a->episode >= 0 ? 100 : 5;
  int64_t left = (int64_t)ceil(share / 100 * (double)d->all);
  for (int i = 0; i < d->count && left > 0; i++) {
    int epochs = left < d->epochs[i] ? (int)left : d->epochs[i];
    if (!verify_episode(v, s, d->index[i], epochs, error)) {
      return false;
    }
    printf("hyper-episode %d: epochs 1 to %d of %d run again\n", d->index[i], epochs, d->epochs[i]);
    left -= epochs;
  }
  return true;
}

static bool verify_run(Verify* v, RunConfig* c, const Arguments* a, Error* error) {
  Drawn drawn;
  Scheduler scheduler;
  char machine[MACHINE_SIZE];
  // another program or physics may give the same bits: a warning says who made the run
  c->run.allow_other_program = c->run.allow_mixed_cpu = true;
  return manifest_check(&c->directory, error) &&
         list_sealed(&drawn, c, a, &c->arena, error) && machine_describe(machine, c, error) &&
         machine_check(c, machine, error) &&
         scheduler_open(&scheduler, &c->spec, &c->directory, &c->arena, error) &&
         scratch_directory_make(&v->place, error) &&
         verify_share(v, &drawn, &scheduler, a, &c->arena, error);
}

int verb_verify(int argc, char** argv) {
  Arguments a;
  RunConfig c;
  Error error = {0};
  Verify verify = {0};
  Text report;
  int code = parse(&a, argc, argv);
  if (code >= 0) {
    return code;
  }
  code = verb_check_run("verify", argv[optind]);
  if (code >= 0) {
    return code;
  }
  run_config_init(&c);
  text_init(&report, &c.arena);
  verify.report = &report;
  gemm_init();
  bool good = run_files_read(&c, a.run, argc - a.extra, argv + a.extra, &error) &&
              run_config_resolve(&c, &error);
  code = good ? EXIT_FAILED : verb_refusal(&error);
  good = good && verify_run(&verify, &c, &a, &error);
  if (*verify.place.path) {
    scratch_directory_remove(&verify.place);
  }
  if (good) {
    fputs(report.bytes, stdout);
    printf("%s: %lld numbers compared: ", c.directory.path, (long long)verify.numbers);
    printf(verify.differences > 0 ? "%lld differences\n" : "the same bits\n",
           (long long)verify.differences);
  } else {
    fprintf(stderr, "autombpo verify: %s\n", error.text);
  }
  run_config_free(&c);
  return good && verify.differences == 0 ? 0 : code;
}
