// verb_baseline.c - autombpo baseline: R' of a task, from runs of MBPO in its own configuration.
//
// It is `train` with presets (scheduler fixed, length of a controller's training) and a `finish`
// that reads the sealed files of all seeds and averages them, row by row. The real samples at the
// end of an epoch differ a little between runs, because exploration ends with an episode; the row
// gets their mean.
//
// A run that diverged makes no baseline, instead of one over fewer seeds: R' enters every reward,
// and must not depend on which runs happened to fail.
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/start.h"
#include "cli/verbs.h"
#include "hyper/trajectory.h"
#include "nn/gemm.h"

// The hyper-episodes of one run directory after those of the other.
static bool read_runs(Trajectory* runs, int count, const Start* s, Arena* arena, Error* error) {
  int each = count / s->runs;
  for (int i = 0; i < count; i++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, &s->directories[i / each], i % each);
    if (!trajectory_read(&runs[i], path, arena, error)) {
      return false;
    }
    if (runs[i].outcome.diverged || runs[i].epochs != runs[0].epochs) {
      return error_set(error, "%s: the run diverged; a baseline needs complete runs", path);
    }
  }
  return true;
}

static void average(Baseline* b, const Trajectory* runs, Arena* arena) {
  b->count = runs[0].epochs;
  b->env_step = ARENA_NEW(arena, b->count, int64_t);
  b->return_mean = ARENA_NEW(arena, b->count, double);
  b->return_std = ARENA_NEW(arena, b->count, double);
  for (int e = 0; e < b->count; e++) {
    double steps = 0;
    for (int i = 0; i < b->seeds; i++) {
      steps += (double)runs[i].env_step[e] / b->seeds;
      b->return_mean[e] += runs[i].eval_return_mean[e] / b->seeds;
    }
    for (int i = 0; i < b->seeds; i++) {
      double difference = runs[i].eval_return_mean[e] - b->return_mean[e];
      b->return_std[e] += difference * difference / b->seeds;
    }
    b->return_std[e] = sqrt(b->return_std[e]);
    b->env_step[e] = llround(steps);
  }
}

// The command line; files are named as the user named them.
static const char* command_line(const Start* s, Arena* arena) {
  Text text;
  text_init(&text, arena);
  text_add(&text, "autombpo");
  for (int i = 0; i < s->argc; i++) {
    text_add(&text, " %s", s->argv[i]);
  }
  return text.bytes;
}

// run.seed of each run, "0,1,2".
static const char* run_seeds(const Start* s, Arena* arena) {
  Text text;
  text_init(&text, arena);
  for (int i = 0; i < s->runs; i++) {
    int64_t seed = s->seeds.count > 0 ? s->seeds.seed[i] : s->config.run.seed;
    text_add(&text, i > 0 ? ",%lld" : "%lld", (long long)seed);
  }
  return text.bytes;
}

static bool save(const Start* s, const Baseline* b, const char* engine, Arena* arena,
                 Error* error) {
  struct utsname machine;
  uname(&machine);
  int64_t* seeds = ARENA_NEW(arena, b->seeds, int64_t);
  for (int i = 0; i < b->seeds; i++) {
    seeds[i] = s->seeds.count > 0 ? s->seeds.seed[i / (b->seeds / s->runs)] : i;
  }
  BaselineSource source = {
      .env_engine = engine,
      .command = command_line(s, arena),
      .config_hash = s->config.spec.config_hash,
      .provenance = text_format(arena, "autombpo %s, %s, %s", AUTOMBPO_VERSION, machine.machine,
                                gemm_description()),
      .seeds = seeds,
      .eval_episodes = s->config.spec.mbpo.evaluation_episodes,
  };
  return baseline_save(b, &source, s->output, error);
}

// When all runs are done.
static bool make_baseline(const Start* s, Error* error) {
  if (s->run + 1 < s->runs) {
    return start_print_result(s, error);
  }
  Arena arena;
  arena_init(&arena);
  Baseline b = {.seeds = s->runs * s->config.spec.scheduler.hyper_episodes};
  strcpy(b.env, s->config.spec.env);
  b.run_seeds = run_seeds(s, &arena);
  Trajectory* runs = ARENA_NEW(&arena, b.seeds, Trajectory);
  bool ok = read_runs(runs, b.seeds, s, &arena, error);
  if (ok) {
    average(&b, runs, &arena);
    ok = save(s, &b, runs[0].engine, &arena, error);
  }
  if (ok) {
    printf("%s: R' of %s over %d runs, %d rows, last %.1f +- %.1f at %lld real samples\n",
           s->output, b.env, b.seeds, b.count, b.return_mean[b.count - 1],
           b.return_std[b.count - 1], (long long)b.env_step[b.count - 1]);
  }
  arena_free(&arena);
  return ok;
}

int verb_baseline(int argc, char** argv) {
  static const char* const presets[] = {"scheduler.kind=fixed", "scheduler.hyper_episodes=5",
                                        "scheduler.baseline=", "run.method=mbpo",
                                        "run.dir=runs/{env}/baseline/s{seed}", NULL};
  static const StartVerb verb = {
      .usage =
          "usage: autombpo baseline -o FILE.yaml [CONFIG.yaml ...] [key=value ...]\n"
          "                         [seeds=0..4]\n\n"
          "Runs MBPO scheduler.hyper_episodes times with the configuration's own schedule,\n"
          "for hyper.train_epochs epochs, and writes the mean evaluation return at each\n"
          "number of real samples to FILE.yaml: the R' that is needed to train a\n"
          "controller.\n\n"
          "  seeds=A..B, seeds=A,B,C\n"
          "                  the mean over a run of each seed, one after the other, each in\n"
          "                  a run.dir of its own; without it, over five hyper-episodes\n"
          "                  (scheduler.hyper_episodes) of one seed, which the ranks share\n"
          "  -o, --output    file to write\n"
          "  -n, --dry-run   print the resolved configuration, write nothing\n"
          "  -q, --quiet     no progress lines",
      .quickstart = true,
      .finish = make_baseline,
      .takes_output = true,
      .train_length = true,
      .presets = presets,
      .with_seeds = "scheduler.hyper_episodes=1",
  };
  return start_run(argc, argv, &verb);
}
