// simulate.c - campaigns of the whole cluster in one process, with everything that can befall them.
//
// usage: simulate [--seed N] [--count N | --seconds S] [--kind NAME] [--plant NAME] [--trace]
//
// A campaign is one run of one kind of scheduler from its first start to its end. Its seed draws
// the weather: how many starts of how many ranks share the directory, how often processes die or
// pause, hosts lose power, messages are late, clocks jump, disks fail. After some minutes the
// weather is calm, and one start has to end the run. Laws:
//   - the sealed files are those of a run that nothing disturbed, byte for byte;
//   - it ends, in bounded time; no start fails unless its disk or all its workers have failed;
//   - a sealed file is never removed, and one that was acknowledged survives a loss of power;
//   - where no process died, paused or was stopped, no hyper-episode is run twice, and none
//     leaves a rank 0 that works;
//   - where none died or was stopped, no checkpoint or snapshot is left;
//   - a process runs what it was assigned, and nothing that its start knows to be sealed;
//   - a start ends with work left only if it was asked to.
// A campaign that breaks one is printed with its seed, which repeats it: `--seed N --trace`.
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../fuzz/small_experiment.h"
#include "hyper/manifest.h"
#include "store/pack.h"
#include "world.h"

#define LONGEST 3600.0  // simulated seconds that a campaign may take

static const char* const kinds[] = {"ppo", "fixed", "random", "static", "ror", "pbt", "replay",
                                    "fork", "external", "apply"};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static double knots[3] = {0, 0.4, 0.8};
static double values[12] = {1, 0.2, 1, 1, 0, 0.5, 2, 2, 1, 0.9, 3, 1};
static const Schedule schedule = {.knots = 3, .by_progress = true, .key = knots,
                                  .has = {true, true, true, true}, .value = values};

// Of the options that a kind alone has, those that are not the defaults.
static const char* const own_options[] = {
    "pbt.members=3", "pbt.interval=1", "pbt.score_epochs=1", "pbt.truncation=0.34",
    "ror.explore_decisions=4", "ror.updates=1", "ror.batch_size=2",
    "fork.of=random", "fork.episode=3", "fork.decision=2",
    "fork.choices=real_ratio=up,policy_updates=down,rollout_length=up,train_model=train",
    "external.command=controller",
};

static void set_own_options(RunSpec* x) {
  static Arena arena;
  static const void* own[SCHEDULER_KINDS];
  if (!own[SCHEDULER_KINDS - 1]) {
    Options set;
    Error error = {0};
    options_init(&set, &arena, NULL, NULL);
    for (int i = 0; scheduler_kind_at(i); i++) {
      const SchedulerKind* kind = scheduler_kind_at(i);
      OptionTable table = kind->section.table ? kind->section.table() : (OptionTable){0};
      own[i] = arena_alloc(&arena, table.size);
      if (kind->section.table) {
        options_section(&set, kind->name, table, (void*)own[i]);
      }
    }
    for (size_t i = 0; i < sizeof own_options / sizeof *own_options; i++) {
      CHECK(options_override(&set, own_options[i], &error), "%s", error.text);
    }
  }
  memcpy(x->kind_options, own, sizeof own);
}

// Where the controller of apply is.
static void controller_path(char out[OPTION_TEXT_SIZE]) {
  snprintf(out, OPTION_TEXT_SIZE, "%.200s.controller.h5", world.directory->path);
}

static RunSpec spec_of(const char* kind) {
  RunSpec x = small_experiment();
  strcpy(x.env, "hash");
  x.log_transitions = false;
  x.config = "simulation: true\n";
  x.hyper.decision_interval = 5;
  x.search.train_every_max = 3;
  snprintf(x.scheduler.kind, sizeof x.scheduler.kind, "%s", kind);
  x.scheduler.hyper_episodes = 5;
  x.ppo = (PpoOptions){.episodes_per_update = 2, .look_ahead = 1, .stages = {1, {3}},
                       .minibatches = 3, .minibatch_size = 4, .clip = 0.2,
                       .learning_rate = 3e-2, .hidden_size = 4};
  strcpy(x.ppo.ratio, "joint");
  strcpy(x.ppo.advantage, "return");
  strcpy(x.ppo.at_bounds, "credit");
  set_own_options(&x);
  if (strcmp(kind, "apply") == 0) {
    controller_path(x.scheduler.controller);
  }
  strcpy(x.scheduler.controller_version, "last");
  x.schedule = &schedule;
  return x;
}

// The manifest of a run that nothing disturbed, by kind.
static char* expected[KINDS];

static char* read_manifest(Arena* arena) {
  char path[RUN_PATH_SIZE];
  char* text;
  size_t size;
  Error error;
  run_file(path, world.directory, "COMPLETE");
  return files_read(&text, &size, path, arena, &error) ? text : NULL;
}

static bool is_complete(void) {
  char path[RUN_PATH_SIZE];
  run_file(path, world.directory, "COMPLETE");
  return access(path, R_OK) == 0;
}

static void draw_weather(Weather* w, bool calm) {
  *w = (Weather){.starts = 1, .ranks = 1, .quiet = true, .tidy = true, .delay = 1e-3, .toil = 1};
  if (calm) {
    return;
  }
  w->toil = world.seed / KINDS % 4 == 3 ? 4 : 1;  // some wait longer than anybody is patient
  w->starts = 1 + (int)(world_random() % 3);
  w->ranks = 1 + (int)(world_random() % 4);
  w->delay = world_chance(0.5) ? 4 * world_uniform() : 1e-3;
  w->slow = world_chance(0.5) ? 0.1 * world_uniform() : 0;
  if (world_chance(0.25)) {
    return;  // nobody dies
  }
  w->kills = world_chance(0.6) ? 6 * world_uniform() : 0;
  w->pauses = world_chance(0.4) ? 4 * world_uniform() : 0;
  w->jumps = world_chance(0.3) ? 4 * world_uniform() : 0;
  w->stops = world_chance(0.4) ? 4 * world_uniform() : 0;
  w->power = world_chance(0.3) ? 3 * world_uniform() : 0;
  w->point_kill = world_chance(0.5) ? 2e-3 * world_uniform() : 0;
  w->fail = world_chance(0.3) ? 1e-2 * world_uniform() : 0;
  w->quiet = w->tidy = w->fail == 0;  // a lease that cannot be written does not stop work
}

static Actor* anybody(void) {
  Actor* found = NULL;
  int seen = 0;
  for (int i = 0; i < world.actors; i++) {
    if (world.actor[i].alive && world_random() % (uint64_t)++seen == 0) {
      found = &world.actor[i];
    }
  }
  return found;
}

static void pause_actor(Actor* a, double seconds) {
  world_log("start %d rank %d pauses for %.1f s", a->start, a->rank, seconds);
  world.weather.quiet = false;
  a->wake = fmax(a->wake, world.now) + seconds;
  a->naps = false;
}

// A host that is suspended: all of its processes pause, and its clocks go on.
static void pause_host(int host, double seconds) {
  for (int i = 0; i < world.actors; i++) {
    if (world.actor[i].alive && world.actor[i].host == host) {
      pause_actor(&world.actor[i], seconds);
    }
  }
}

static void kill_host(int host) {
  for (int i = 0; i < world.actors; i++) {
    if (world.actor[i].host == host) {
      world_kill(&world.actor[i], "its host is gone");
    }
  }
}

static void ask_to_stop(Actor* a) {
  bool hurry = world_chance(0.5);
  world_log("start %d rank %d is asked to stop%s", a->start, a->rank, hurry ? " soon" : "");
  world.weather.quiet = world.weather.tidy = false;
  a->stop = world.start[a->start].asked = true;
  a->ends = hurry ? world.now + 10 * world_uniform() : 0;
}

static void check_acknowledged(void) {
  char path[RUN_PATH_SIZE];
  for (int e = 0; e < MOST_EPISODES; e++) {
    run_episode_path(path, world.directory, e);
    if (world.acknowledged[e] && !pack_stands(path)) {
      world_fail("hyper-episode %d was sealed, and is lost with the power", e);
    }
  }
}

static void lose_power(void) {
  for (int s = 0; s < world.starts; s++) {
    world_kill_start(s, "the power is gone");
  }
  world.lost_power = true;
  disk_lose_power();
  check_acknowledged();
}

// What may happen within `dt` seconds.
static void befall(double dt) {
  const Weather* w = &world.weather;
  Actor* a = anybody();
  if (!a || world.now > world.calm) {
    return;
  }
  double minutes = dt / 60;
  if (world_chance(w->kills * minutes)) {
    if (world_chance(0.3)) {
      kill_host(a->host);
    } else {
      world_kill(a, "chance");
    }
  } else if (world_chance(w->pauses * minutes)) {
    double seconds = (world_chance(0.5) ? 2 : 60) * world_uniform();
    if (world_chance(0.3)) {
      pause_host(a->host, seconds);
    } else {
      pause_actor(a, seconds);
    }
  } else if (world_chance(w->jumps * minutes)) {
    world.weather.quiet = false;
    a->clock += 100 * world_uniform();
    a->date += 1e6 * (world_uniform() - 0.5);
    world_log("start %d rank %d: its clock is %.0f s ahead, its date %.0f s more", a->start,
              a->rank, a->clock, a->date);
  } else if (world_chance(w->stops * minutes)) {
    if (world_chance(0.3)) {
      a->save = true;
    } else {
      ask_to_stop(a);
    }
  } else if (world_chance(w->power * minutes)) {
    lose_power();
  }
}

static int starts_alive(void) {
  int count = 0;
  for (int s = 0; s < world.starts; s++) {
    bool alive = false;
    for (int r = 0; r < world.start[s].ranks; r++) {
      alive = alive || world.start[s].rank[r]->alive;
    }
    count += alive;
  }
  return count;
}

// A supervisor repeats the command as long as the run is not complete.
static void keep_starting(double* next) {
  bool storm = world.now < world.calm;
  if (world.actors > MOST_PROCESSES / 2) {
    world.calm = fmin(world.calm, world.now);
  }
  int wanted = storm ? world.weather.starts : 1;
  if (is_complete() || starts_alive() >= wanted || world.now < *next) {
    return;
  }
  int ranks = storm || world.starts == 0 ? world.weather.ranks : 1 + (int)(world_random() % 3);
  world_start(ranks, (int)(world_random() % 3), world_chance(0.5));
  *next = world.now + (world_chance(0.5) ? 0.1 : 5) * world_uniform();
}

// Of what is sealed there is no checkpoint, and nobody goes on from a snapshot.
static void check_tidy(Arena* arena) {
  static RunPath* const paths[] = {run_checkpoint_path, run_snapshot_path};
  for (int i = 0; i < 2; i++) {
    RunIndices left;
    Error error;
    if (!run_list(&left, paths[i], world.directory, arena, &error)) {
      world_fail("%s", error.text);
    } else if (left.count > 0) {
      world_fail("a %s of hyper-episode %lld is left", i == 0 ? "checkpoint" : "snapshot",
                 (long long)left.index[0]);
    }
  }
}

static void check_end(int kind) {
  Arena arena;
  Error error;
  arena_init(&arena);
  const char* found = read_manifest(&arena);
  if (!found) {
    world_fail("the run did not come to its end in %.0f simulated seconds", world.now);
  } else if (!manifest_check(world.directory, &error)) {
    world_fail("%s", error.text);
  } else if (expected[kind] && strcmp(found, expected[kind]) != 0) {
    world_fail("sealed files differ:\n%s--- undisturbed:\n%s", found, expected[kind]);
  } else if (!expected[kind]) {
    expected[kind] = strdup(found);
  }
  if (world.weather.tidy) {
    check_tidy(&arena);
  }
  arena_free(&arena);
}

// What was learnt undisturbed is the controller of apply.
static void keep_controller(void) {
  char path[RUN_PATH_SIZE], kept[OPTION_TEXT_SIZE];
  run_policy_path(path, world.directory, 3);
  controller_path(kept);
  unlink(kept);
  CHECK(link(path, kept) == 0, "%s is not there", path);
}

static bool note_complete(void* of, int64_t diverged, Error* error) {
  (void)of, (void)diverged, (void)error;
  world.start[world.running->start].complete = true;
  return true;
}

static void campaign(uint64_t seed, int kind, bool calm, bool trace) {
  ClusterOptions options = {
      .save = {.interval = 1.5, .give_up = 600}, .progress_interval = 1e9, .lost_after = 6,
      .lease_timeout = 4, .quiet = true, .complete = note_complete};
  const RunDirectory* directory = world.directory;
  RunSpec spec = spec_of(kinds[kind]);
  world = (World){.seed = seed, .state = seed, .directory = directory, .options = &options,
                  .spec = &spec, .trace = trace};
  draw_weather(&world.weather, calm);
  options.pack = !calm && world_chance(0.5);
  world.calm = calm ? 0 : 20 + 100 * world_uniform();
  disk_begin();
  double next = 0, before = 0;
  do {
    keep_starting(&next);
    if (!world_turn()) {
      world.now = fmax(next, world.now + 0.01);
    }
    befall(world.now - before);
    before = world.now;
  } while (!*world.failure && world.now < LONGEST && (!is_complete() || starts_alive() > 0));
  if (!*world.failure) {
    check_end(kind);
  }
  world_forget();
  if (calm && !*world.failure && strcmp(kinds[kind], "ppo") == 0) {
    keep_controller();
  }
  disk_end();
}

typedef struct {
  uint64_t seed;
  int64_t count;
  double seconds;
  int kind;  // -1 = all in turn
  bool trace;
} Arguments;

static int index_of(const char* name, const char* const* names, int count) {
  for (int i = 0; i < count; i++) {
    if (strcmp(name, names[i]) == 0) {
      return i;
    }
  }
  fprintf(stdout, "unknown: %s\n", name);
  exit(2);
}

static Arguments parse(int argc, char** argv) {
  Arguments a = {.seed = 1, .count = 1, .kind = -1};
  for (int i = 1; i < argc; i++) {
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--trace") == 0) {
      a.trace = true;
      continue;
    }
    i++;
    if (strcmp(argv[i - 1], "--seed") == 0) {
      a.seed = strtoull(value, NULL, 10);
    } else if (strcmp(argv[i - 1], "--count") == 0) {
      a.count = atoll(value);
    } else if (strcmp(argv[i - 1], "--seconds") == 0) {
      a.seconds = atof(value);
      a.count = INT64_MAX;
    } else if (strcmp(argv[i - 1], "--kind") == 0) {
      a.kind = index_of(value, kinds, KINDS);
    } else if (strcmp(argv[i - 1], "--plant") == 0) {
      plant = (Plant)index_of(value, plant_names, PLANTS);
    } else {
      index_of(argv[i - 1], NULL, 0);
    }
  }
  return a;
}

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void print_seed(void) {
  printf("seed %llu: the program ended; at %.3f simulated seconds\n",
         (unsigned long long)world.seed, world.now);
  fflush(stdout);
}

static int kind_of(const Arguments* a, uint64_t seed) {
  return a->kind >= 0 ? a->kind : (int)(seed % KINDS);
}

// What each kind seals undisturbed. The first one makes the controller of apply.
static bool learn_expected(const Arguments* a) {
  Plant planted = plant;
  plant = PLANT_NONE;
  for (int k = 0; k < KINDS; k++) {
    if (a->kind < 0 || a->kind == k || k == 0) {
      campaign(0, k, true, false);
    }
    if (*world.failure) {
      printf("%s, undisturbed: %s\n", kinds[k], world.failure);
      return false;
    }
  }
  plant = planted;
  return true;
}

static void print_failure(const Arguments* a, int kind) {
  unsigned long long seed = world.seed;
  printf("seed %llu, %s: %s\nrepeat it: simulate --seed %llu%s%s%s%s --trace\n", seed,
         kinds[kind], world.failure, seed, a->kind >= 0 ? " --kind " : "",
         a->kind >= 0 ? kinds[a->kind] : "", plant ? " --plant " : "",
         plant ? plant_names[plant] : "");
}

// All campaigns up to the first that breaks a law: whether none did.
static bool simulate(const Arguments* a) {
  double begun = seconds_of(CLOCK_MONOTONIC), used = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  double simulated = 0;
  int64_t done = 0, starts = 0, steps = 0;
  for (uint64_t seed = a->seed; done < a->count; seed++) {
    if (a->seconds > 0 && seconds_of(CLOCK_MONOTONIC) - begun > a->seconds) {
      break;
    }
    int kind = kind_of(a, seed);
    campaign(seed, kind, false, a->trace);
    done++;
    simulated += world.now;
    starts += world.starts;
    steps += world.steps;
    if (*world.failure) {
      print_failure(a, kind);
      return false;
    }
  }
  double taken = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - used;
  printf("%lld campaigns, %lld starts, %.1f simulated hours, %lld turns in %.1f s of a core: %.0f "
         "campaigns an hour\n",
         (long long)done, (long long)starts, simulated / 3600, (long long)steps, taken,
         3600 * (double)done / taken);
  return true;
}

int main(int argc, char** argv) {
  Arguments a = parse(argc, argv);
  RunDirectory directory;
  char kept[OPTION_TEXT_SIZE];
  snprintf(directory.path, sizeof directory.path, "%s/autombpo-simulation-%d",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)syscall(SYS_getpid));
  world.directory = &directory;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!a.trace && !freopen("/dev/null", "w", stderr)) {
    return 2;
  }
  error_set_fatal_hook(print_seed);
  bool good = learn_expected(&a) && simulate(&a);
  controller_path(kept);
  unlink(kept);
  return good ? 0 : 1;
}
