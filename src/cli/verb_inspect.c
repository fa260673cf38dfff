// verb_inspect.c - autombpo inspect: checksum and verification of sealed files.
//
// Every sealed file is hashed as bytes and opened, and its content is compared with what it was
// sealed with. The checksum of a run is over the names and hashes of its files in the order of
// their names: two runs with equal lines have the same bits, which the tests of ranks, kills and
// resumes rely on.
//
// What is missing is told from run.yaml, by the scheduler's plan; a run directory that can be read
// in no other way is still hashed. A run that is COMPLETE is also compared with its manifest.
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/archive.h"
#include "base/text.h"
#include "run/run_files.h"
#include "cli/verbs.h"
#include "hyper/manifest.h"
#include "hyper/run_directory.h"
#include "hyper/scheduler.h"
#include "store/h5.h"
#include "store/pack.h"

static const char usage[] =
    "usage: autombpo inspect [--checksum] RUN|FILE.h5\n\n"
    "Shows what a run directory or sealed file holds. Every sealed file is read and\n"
    "compared with the checksums that it was sealed with; the exit code is 1 if one\n"
    "does not match.\n\n"
    "  --checksum   one line: 64-bit checksum over names and bytes of all sealed\n"
    "               files";

// Missing files that are named; the others are counted.
#define MISSING_NAMED 8

typedef struct {
  Arena arena;
  uint64_t checksum;
  int files;
  int bad;
  bool list;
} Inspection;

static bool verify_file(const char* path, Error* error) {
  H5File file;
  if (!h5_open_any(&file, path, error)) {
    return false;
  }
  h5_verify(&file, NULL);
  return h5_close(&file, error);
}

static bool inspect_file(Inspection* in, const char* path, const char* name, Error* error) {
  uint64_t hash;
  if (!pack_hash(&hash, path, error)) {
    return false;
  }
  in->checksum = hash_bytes(in->checksum, name, strlen(name));
  in->checksum = hash_bytes(in->checksum, &hash, sizeof hash);
  in->files++;
  Error problem = {0};
  bool good = verify_file(path, &problem);
  in->bad += !good;
  if (in->list) {
    printf("%016" PRIx64 "  %s%s\n", hash, name, good ? "" : "  BAD");
  }
  if (!good) {
    fprintf(stderr, "%s\n", problem.text);
  }
  return true;
}

// Sealed files are NNNNNN.h5 and vNNNNNN.h5; other names in their directories are not.
static bool inspect_part(Inspection* in, const RunDirectory* directory, RunPath* path_of,
                         Error* error) {
  char path[RUN_PATH_SIZE];
  RunIndices there;
  bool good = run_list(&there, path_of, directory, &in->arena, error);
  for (int64_t i = 0; good && i < there.count; i++) {
    path_of(path, directory, there.index[i]);
    good = inspect_file(in, path, path + strlen(directory->path) + 1, error);
  }
  return good;
}

// Of files 0 ... total - 1 adds the names of the first few that are not there; returns how many.
static int64_t name_missing(Text* names, RunPath* path_of, const RunDirectory* directory,
                            int64_t total) {
  RunIndices there = {0};
  Error ignored;  // of a disk that does not tell inspect_part says so
  int64_t missing = 0, at = 0;
  run_list(&there, path_of, directory, names->arena, &ignored);
  for (int64_t i = 0; i < total; i++) {
    if (at < there.count && there.index[at] == i) {
      at++;
    } else if (missing++ < MISSING_NAMED) {
      char path[RUN_PATH_SIZE];
      path_of(path, directory, i);
      text_add(names, " %s", path + strlen(directory->path) + 1);
    }
  }
  if (missing > MISSING_NAMED) {
    text_add(names, " and %lld more of them", (long long)missing - MISSING_NAMED);
  }
  return missing;
}

// Task, method, seed, state, and what is missing, from run.yaml.
static void describe(const RunDirectory* directory) {
  RunConfig c;
  Error error = {0};
  char path[RUN_PATH_SIZE];
  run_config_init(&c);
  if (run_files_read(&c, directory->path, 0, NULL, &error)) {
    SchedulerPlan plan = scheduler_plan(&c.spec);
    Text names;
    text_init(&names, &c.arena);
    int64_t missing = name_missing(&names, run_episode_path, directory, plan.hyper_episodes);
    name_missing(&names, run_policy_path, directory, plan.versions);
    run_file(path, directory, "COMPLETE");
    bool complete = names.size == 0 && files_exists(path);
    printf("%s: %s on %s, seed %lld, %s: ", directory->path, c.run.method, c.env.id,
           (long long)c.run.seed, complete ? "complete" : "not complete");
    printf("%lld of %lld hyper-episodes of %d epochs", (long long)(plan.hyper_episodes - missing),
           (long long)plan.hyper_episodes, plan.epochs);
    printf(plan.versions > 0  ? ", stages of %d, %d updates of the controller\n"
           : plan.updates > 0 ? ", rounds of %d, %d of them\n"
                              : "\n",
           plan.stage_size, plan.updates);
    printf(names.size > 0 ? "missing:%s\n" : "", names.bytes);
  } else {
    printf("%s: no run.yaml that can be read alone: %s\n", directory->path, error.text);
  }
  run_config_free(&c);
}

static bool inspect(Inspection* in, const char* path, Error* error) {
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
    char target[FILES_PATH_SIZE];
    return inspect_file(in, files_target(target, path), path, error);
  }
  RunDirectory directory;
  if (strlen(path) >= sizeof directory.path - 64) {
    return error_set(error, "%s: name too long", path);
  }
  strcpy(directory.path, path);
  if (in->list) {
    describe(&directory);
  }
  return manifest_check(&directory, error) &&
         inspect_part(in, &directory, run_episode_path, error) &&
         inspect_part(in, &directory, run_policy_path, error);
}

int verb_inspect(int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"checksum", no_argument, NULL, 'c'},
                                          {"verify", no_argument, NULL, 'v'},  // as always
                                          {0}};
  Inspection in = {.checksum = HASH_START, .list = true};
  int option;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    if (option == '?') {
      return EXIT_USAGE;
    }
    in.list = in.list && option != 'c';
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  int code = verb_check_run("inspect", argv[optind]);
  if (code >= 0) {
    return code;
  }
  Error error;
  arena_init(&in.arena);
  bool ok = inspect(&in, argv[optind], &error);
  arena_free(&in.arena);
  if (!ok || in.files == 0) {
    fprintf(stderr, "autombpo inspect: %s\n", ok ? "no sealed files there" : error.text);
    return EXIT_FAILED;
  }
  printf("%016" PRIx64 "  %d sealed files\n", in.checksum, in.files);
  return in.bad ? EXIT_FAILED : 0;
}
