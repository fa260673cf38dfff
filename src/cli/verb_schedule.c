// verb_schedule.c - autombpo schedule: the schedule that a run used, as a file that
// scheduler.kind=replay follows.
//
// Of one hyper-episode it is what stood after each decision, with all digits: replayed with the
// same seed it gives the same bits. Of a run it is the mean over those that finished. A mean of
// "train or not" is a share, which no decision can take: trainings are placed so that their sum
// follows the sum of the shares.
//
// Only heads that were asked in the run have a column; what no scheduler set stays with MBPO's own
// schedule when the file is followed, too.
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/verbs.h"
#include "hyper/run_directory.h"
#include "hyper/schedule.h"
#include "hyper/trajectory.h"

static const char usage[] =
    "usage: autombpo schedule [-o FILE.csv] RUN|EPISODE.h5\n\n"
    "Writes the hyperparameters after each decision: those of one hyper-episode,\n"
    "exactly, or their mean over the finished ones of a run, with as many model\n"
    "trainings as they had. `autombpo train scheduler.kind=replay\n"
    "scheduler.schedule=FILE.csv` follows it.\n\n"
    "  -o, --output    file to write; else standard output";

typedef struct {
  int64_t runs;       // that were added
  Schedule schedule;  // sums, then means
} Mean;

static bool add_episode(Mean* mean, const char* path, Arena* arena, Error* error) {
  Trajectory t;
  Schedule* s = &mean->schedule;
  if (!trajectory_read(&t, path, arena, error)) {
    return false;
  }
  if (t.outcome.diverged) {
    return true;
  }
  if (mean->runs == 0) {
    s->knots = t.decisions;
    s->key = ARENA_NEW(arena, t.decisions, double);
    s->value = ARENA_NEW(arena, t.decisions * HEAD_COUNT, double);
  } else if (s->knots != t.decisions) {
    return error_set(error, "%s: %d decisions, expected %d as in those before", path, t.decisions,
                     s->knots);
  }
  for (int i = 0; i < t.decisions * HEAD_COUNT; i++) {
    s->value[i] += t.hyperparameters[i];
    s->has[i % HEAD_COUNT] |= t.action[i] >= 0 || t.allowed[i] != 0;
  }
  mean->runs++;
  return true;
}

static bool add_run(Mean* mean, const char* path, Arena* arena, Error* error) {
  RunDirectory directory;
  RunIndices sealed;
  snprintf(directory.path, sizeof directory.path, "%s", path);
  bool good = run_list(&sealed, run_episode_path, &directory, arena, error);
  for (int64_t i = 0; good && i < sealed.count; i++) {
    char episode[RUN_PATH_SIZE];
    run_episode_path(episode, &directory, sealed.index[i]);
    good = add_episode(mean, episode, arena, error);
  }
  return good;
}

// The n-th decision trains where the sum of the shares passes a whole number and a half.
static void take_mean(Mean* mean) {
  Schedule* s = &mean->schedule;
  double trainings = 0.5;
  for (int n = 0; n < s->knots; n++) {
    double* value = s->value + n * HEAD_COUNT;
    s->key[n] = n;
    for (int h = 0; h < HEAD_COUNT; h++) {
      value[h] /= (double)mean->runs;
    }
    double before = floor(trainings);
    trainings += value[HEAD_TRAIN_MODEL];
    value[HEAD_TRAIN_MODEL] = floor(trainings) > before;
  }
}

static bool export(const char* from, const char* to, Arena* arena, Error* error) {
  Mean mean = {0};
  struct stat info;
  Text text;
  bool is_run = stat(from, &info) == 0 && S_ISDIR(info.st_mode);
  if (!(is_run ? add_run : add_episode)(&mean, from, arena, error)) {
    return false;
  }
  if (mean.runs == 0) {
    return error_set(error, "%s: no finished hyper-episode", from);
  }
  const bool* has = mean.schedule.has;
  if (!has[0] && !has[1] && !has[2] && !has[3]) {
    return error_set(error, "%s: no scheduler set anything there: MBPO followed its own schedule",
                     from);
  }
  take_mean(&mean);
  text_init(&text, arena);
  schedule_format(&mean.schedule, &text);
  if (to) {
    return files_write(to, text.bytes, text.size, error);
  }
  return fputs(text.bytes, stdout) >= 0;
}

int verb_schedule(int argc, char** argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                          {"output", required_argument, NULL, 'o'},
                                          {0}};
  const char* output = NULL;
  int option;
  while ((option = getopt_long(argc, argv, "ho:", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    if (option != 'o') {
      return EXIT_USAGE;
    }
    output = optarg;
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  int code = verb_check_run("schedule", argv[optind]);
  if (code >= 0) {
    return code;
  }
  Arena arena;
  Error error = {0};
  arena_init(&arena);
  bool good = export(argv[optind], output, &arena, &error);
  arena_free(&arena);
  if (!good) {
    fprintf(stderr, "autombpo schedule: %s\n", error.text);
  }
  return good ? 0 : EXIT_FAILED;
}
