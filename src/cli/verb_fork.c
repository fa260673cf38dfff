// verb_fork.c - autombpo fork: the effect of one decision of a sealed hyper-episode.
//
// A fork is a run like any other, of scheduler.kind=fork. What follows here reads the run that is
// forked, finds out what was chosen and what else was allowed, writes the operands of the new run,
// hands them to start_run, and compares its hyper-episodes in the end. So a fork is saved, resumed
// and run on any number of ranks with no code of its own.
//
// The first unit repeats the hyper-episode as it was, and must have its bits: only then is the
// difference of the others the effect of the decision. Where it has not, the program or the machine
// is another one, and no effect is printed.
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/run_files.h"
#include "cli/start.h"
#include "cli/verbs.h"
#include "hyper/fork.h"
#include "hyper/scheduler.h"
#include "hyper/trajectory.h"

static const char usage[] =
    "usage: autombpo fork RUN EPISODE --at DECISION --set HEAD=CHOICE|--all [-nq]\n"
    "                     [-o DIR] [key=value ...]\n\n"
    "Runs hyper-episode EPISODE of RUN again with the same random numbers, once as it\n"
    "was, and once for each alternative at one decision: what differs is the effect\n"
    "of that decision. Prints the effects. DIR (runs/fork/...) is a run directory:\n"
    "the same command continues it.\n\n"
    "  --at D          index of the decision, from 0\n"
    "  --set H=C       train_model=skip or train; real_ratio, policy_updates or\n"
    "                  rollout_length=down, keep or up\n"
    "  --all           every choice that was possible but not made\n"
    "  -o, --output    run directory\n"
    "  -n, --dry-run   print the resolved configuration, write nothing\n"
    "  -q, --quiet     no progress lines";

typedef struct {
  const char* run;
  int64_t episode;
  int decision;
  const char* set;  // NULL: all
  const char* output;
  bool dry_run, quiet;
  int extra;        // index of the first key=value
} Arguments;

static int refuse(const char* text) {
  fprintf(stderr, "autombpo fork: %s\n", text);
  return EXIT_USAGE;
}

static bool read_index(int64_t* value, const char* text, int64_t most) {
  char* end;
  *value = strtoll(text, &end, 10);
  return end > text && *end == '\0' && *value >= 0 && *value <= most;
}

// -1: go on. Otherwise the exit code.
static int parse(Arguments* a, int argc, char** argv) {
  static const struct option options[] = {
      {"help", no_argument, NULL, 'h'},     {"at", required_argument, NULL, 'a'},
      {"set", required_argument, NULL, 's'}, {"all", no_argument, NULL, 'e'},
      {"output", required_argument, NULL, 'o'}, {"dry-run", no_argument, NULL, 'n'},
      {"quiet", no_argument, NULL, 'q'},    {0}};
  int64_t decision = -1;
  bool all = false;
  int option;
  while ((option = getopt_long(argc, argv, "ho:nq", options, NULL)) >= 0) {
    switch (option) {
      case 'h':
        puts(usage);
        return 0;
      case 'a':
        if (!read_index(&decision, optarg, 1000000000)) {
          return refuse("--at: expected the index of a decision, from 0");
        }
        break;
      case 's':
        a->set = optarg;
        break;
      case 'e':
        all = true;
        break;
      case 'o':
        a->output = optarg;
        break;
      case 'n':
        a->dry_run = true;
        break;
      case 'q':
        a->quiet = true;
        break;
      default:
        return EXIT_USAGE;
    }
  }
  if (optind + 2 > argc || decision < 0 || all == (a->set != NULL)) {
    fprintf(stderr, "autombpo fork: expected RUN, EPISODE, --at, and either --set or --all\n%s\n",
            usage);
    return EXIT_USAGE;
  }
  a->run = argv[optind];
  a->decision = (int)decision;
  a->extra = optind + 2;
  return read_index(&a->episode, argv[optind + 1], 0xffffffff)
             ? -1
             : refuse("EPISODE: expected the index of a hyper-episode, from 0");
}

// What could have been chosen ---------------------------------------------------------------------

static bool check_choice(const Trajectory* t, const Arguments* a, const ForkChoice* c,
                         const char* path, Error* error) {
  int at = a->decision * HEAD_COUNT + (int)c->head;
  if (!(t->allowed[at] >> c->choice & 1)) {
    return error_set(error, "%s: decision %d: %s=%s was not possible%s", path, a->decision,
                     head_name(c->head), fork_choice_name(c->head, c->choice),
                     t->allowed[at] ? "" : ": this head was not asked");
  }
  return t->action[at] != c->choice ||
         error_set(error, "%s: decision %d: %s=%s is what was chosen", path, a->decision,
                   head_name(c->head), fork_choice_name(c->head, c->choice));
}

static void add_all(Text* choices, const Trajectory* t, int decision) {
  for (int h = 0; h < HEAD_COUNT; h++) {
    int at = decision * HEAD_COUNT + h;
    for (int c = 0; c < head_choices((HyperHead)h); c++) {
      if (t->allowed[at] >> c & 1 && t->action[at] != c) {
        text_add(choices, "%s%s=%s", choices->size ? "," : "", head_name((HyperHead)h),
                 fork_choice_name((HyperHead)h, c));
      }
    }
  }
}

// The alternatives, as fork.choices has them.
static bool find_choices(Text* choices, const Trajectory* t, const Arguments* a, const char* path,
                         Error* error) {
  ForkChoice given[FORK_MOST_CHOICES];
  int count = 0;
  if (a->decision >= t->decisions) {
    return error_set(error, "%s: --at %d: there are %d decisions", path, a->decision,
                     t->decisions);
  }
  if (!a->set) {
    add_all(choices, t, a->decision);
    return choices->size > 0 ||
           error_set(error, "%s: decision %d: no head was asked", path, a->decision);
  }
  if (!fork_read_choices(given, &count, a->set, error)) {
    return error_add(error, "--set");
  }
  for (int i = 0; i < count; i++) {
    if (!check_choice(t, a, &given[i], path, error)) {
      return false;
    }
  }
  text_add(choices, "%s", a->set);
  return true;
}

// The run -----------------------------------------------------------------------------------------

typedef struct {
  const char* word[32];
  int count;
} Words;

__attribute__((format(printf, 3, 4))) static void add(Words* words, Arena* arena,
                                                      const char* format, ...) {
  char text[2 * RUN_PATH_SIZE];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  CHECK(words->count < 32, "too many operands");
  words->word[words->count++] = arena_string(arena, text);
}

static bool check_kind(const RunConfig* c, const Arguments* a, Error* error) {
  char known[256] = "";
  for (int i = 0; scheduler_kind_at(i); i++) {
    const SchedulerKind* kind = scheduler_kind_at(i);
    if (kind->can_fork) {
      snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "",
               kind->name);
    }
  }
  return scheduler_kind(&c->spec)->can_fork ||
         error_set(error, "%s: a run of scheduler.kind=%s cannot be forked, only one of %s", a->run,
                   c->spec.scheduler.kind, known);
}

// The file of the controller that acted: of one that learns, its version; else the run's input.
static void find_controller(char path[RUN_PATH_SIZE], const RunConfig* c, int version) {
  if (scheduler_plan(&c->spec).versions > 0) {
    run_policy_path(path, &c->directory, version);
  } else {
    snprintf(path, RUN_PATH_SIZE, "%s", c->spec.scheduler.controller);
  }
}

// The configuration of the run that is forked, and what makes it a fork.
static bool make_operands(Words* words, const Arguments* a, Arena* arena, Error* error) {
  RunConfig c;
  char source[RUN_PATH_SIZE], controller[RUN_PATH_SIZE], baseline[RUN_PATH_SIZE];
  Trajectory t;
  Text choices;
  text_init(&choices, arena);
  run_config_init(&c);
  bool good = run_files_read(&c, a->run, 0, NULL, error);
  run_episode_path(source, &c.directory, a->episode);
  good = good && check_kind(&c, a, error) && trajectory_read(&t, source, arena, error) &&
         find_choices(&choices, &t, a, source, error);
  if (good) {
    find_controller(controller, &c, t.policy_version);
    run_file(baseline, &c.directory, "baseline.yaml");
    add(words, arena, "%s/run.yaml", a->run);
    add(words, arena, "scheduler.kind=fork");
    add(words, arena, "fork.of=%s", c.spec.scheduler.kind);
    add(words, arena, "fork.source=%s", source);
    add(words, arena, "fork.episode=%lld", (long long)a->episode);
    add(words, arena, "fork.version=%d", t.policy_version);
    add(words, arena, "fork.decision=%d", a->decision);
    add(words, arena, "fork.choices=%s", choices.bytes);
    add(words, arena, "run.method=fork");
    add(words, arena, "scheduler.transfer=true");
    add(words, arena, "scheduler.controller=%s", controller);
    add(words, arena, "scheduler.baseline=%s", files_exists(baseline) ? baseline : "");
    add(words, arena, "run.dir=runs/fork/{env}/s{seed}-e%lld-d%d", (long long)a->episode,
        a->decision);
  }
  run_config_free(&c);
  return good;
}

// Effects -----------------------------------------------------------------------------------------

static bool same_columns(const double* a, const double* b, int count) {
  return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_hyper_episode(const Trajectory* a, const Trajectory* b) {
  return a->decisions == b->decisions && a->epochs == b->epochs &&
         same_columns(a->features, b->features, a->decisions * FEATURE_COUNT) &&
         same_columns(a->hyperparameters, b->hyperparameters, a->decisions * HEAD_COUNT) &&
         same_columns(a->eval_return_mean, b->eval_return_mean, a->epochs);
}

static double last_return(const Trajectory* t) {
  return t->epochs > 0 ? t->eval_return_mean[t->epochs - 1] : NAN;
}

static void print_effects(const Trajectory* units, int count, const ForkOptions* o) {
  ForkChoice choices[FORK_MOST_CHOICES];
  Error ignored;
  int known;
  const Trajectory* base = &units[0];
  int d = o->decision;
  fork_read_choices(choices, &known, o->choices, &ignored);
  printf("%-26s %14s %14s %16s\n", "changed decision", "score", "last return",
         "reward to come");
  printf("%-26s %14.6g %14.6g %16.6g\n", "as it was", base->outcome.score, last_return(base),
         base->advantage[d]);
  for (int i = 1; i < count; i++) {
    char name[64];
    const Trajectory* t = &units[i];
    snprintf(name, sizeof name, "%s=%s", head_name(choices[i - 1].head),
             fork_choice_name(choices[i - 1].head, choices[i - 1].choice));
    printf("%-26s %+14.6g %+14.6g %+16.6g%s\n", name, t->outcome.score - base->outcome.score,
           last_return(t) - last_return(base), t->advantage[d] - base->advantage[d],
           t->outcome.diverged ? "  diverged" : "");
  }
}

static bool print_result(const Start* s, Error* error) {
  const RunSpec* x = &s->config.spec;
  const ForkOptions* o = fork_options(x);
  int count = (int)scheduler_plan(x).hyper_episodes;
  Arena arena;
  arena_init(&arena);
  Trajectory* units = ARENA_NEW(&arena, count, Trajectory);
  Trajectory source;
  bool good = trajectory_read(&source, o->source, &arena, error);
  for (int i = 0; good && i < count; i++) {
    char path[RUN_PATH_SIZE];
    run_episode_path(path, &s->config.directory, i);
    good = trajectory_read(&units[i], path, &arena, error);
  }
  if (good && !same_hyper_episode(&source, &units[0])) {
    good = error_set(error, "%s: the rerun differs from it: the program, the machine or the "
                     "configuration is not the same (see %s)", o->source,
                     s->config.directory.path);
  }
  if (good) {
    print_effects(units, count, o);
    printf("the same bits as %s up to decision %d; in %s\n", o->source, o->decision,
           s->config.directory.path);
  }
  arena_free(&arena);
  return good;
}

int verb_fork(int argc, char** argv) {
  static const StartVerb verb = {.usage = usage, .finish = print_result};
  Arguments a = {0};
  Arena arena;
  Error error = {0};
  Words words = {{argv[0]}, 1};
  int code = parse(&a, argc, argv);
  if (code >= 0) {
    return code;
  }
  arena_init(&arena);
  if (make_operands(&words, &a, &arena, &error)) {
    if (a.output) {
      add(&words, &arena, "run.dir=%s", a.output);
    }
    for (int i = a.extra; i < argc; i++) {
      add(&words, &arena, "%s", argv[i]);
    }
    if (a.dry_run || a.quiet) {
      add(&words, &arena, a.dry_run ? "-n" : "-q");
    }
    optind = 1;
    code = start_run(words.count, (char**)words.word, &verb);
  } else {
    fprintf(stderr, "autombpo fork: %s\n", error.text);
    code = verb_refusal(&error);
  }
  arena_free(&arena);
  return code;
}
