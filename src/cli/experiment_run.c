// experiment_run.c - a pool of processes that work off the runs of an experiment.
//
// Each run is an `autombpo train` of its own: what that promises (the same bits, no work lost)
// needs no second proof here, and a crash costs one run. The pool only decides what is next. Who
// works on what is said by leases in the experiment's directory, as among starts on one run; a run
// has as many as it has hyper-episodes at a time, and all runs' first ones are taken before any
// second.
//
// A process is given an environment without the traces of mpirun, since it is no rank: so `mpirun
// -n 64 autombpo experiment run` is 64 workers that never speak to each other.
#define _GNU_SOURCE
#include "cli/experiment_run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/child.h"
#include "base/stopwatch.h"
#include "cli/experiment_costs.h"
#include "cli/verbs.h"
#include "cluster/lease.h"
#include "cluster/stop.h"

#define RENEW_INTERVAL 5.0   // seconds
#define LEASE_TIMEOUT 120.0  // of a worker on another machine
#define IDLE_SLEEP 0.5       // seconds
#define BUSY_SLEEP 0.05
#define MOST_FAILURES 2      // of a run, in this process
#define MOST_SLOTS 256       // processes at one run
#define GRACE 60.0           // seconds, after SIGTERM

extern char** environ;

typedef enum { RUN_OPEN, RUN_DONE, RUN_FAILED } RunState;

typedef struct {
  pid_t process;  // 0 = the place is free
  int run;
  char lease[LEASE_NAME_SIZE];
  double begun;
} Job;

typedef struct {
  const Experiment* x;
  const ExperimentRunOptions* options;
  Arena* arena;
  Leases leases;
  Job* jobs;           // (options->jobs)
  RunState* states;    // (run_count)
  int* failures;       // (run_count)
  int* slots;          // (run_count) 0 = not known yet
  LeaseWatch** watches; // (run_count) (slots)
  char** environment;
  double begun, renewed;
  bool looked;  // at what was finished before
  bool stopping;
} Pool;

// -------------------------------------------------------------------------------------------------

static void say(const Pool* p, int run, const char* what) {
  if (p->options->quiet) {
    return;
  }
  int done = 0;
  for (int i = 0; i < p->x->run_count; i++) {
    done += p->states[i] == RUN_DONE;
  }
  printf("[%d/%d] %s: %s\n", done, p->x->run_count,
         p->x->runs[run].directory + strlen(p->x->directory) + 1, what);
  fflush(stdout);
}

static bool is_of_mpi(const char* variable) {
  static const char* const prefixes[] = {"OMPI_", "PMIX_", "PMI_", "ORTE_", "PRTE_"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    // what a user sets for Open MPI stays
    if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0 &&
        strncmp(variable, "OMPI_MCA_btl", 12) != 0) {
      return true;
    }
  }
  return false;
}

static char** plain_environment(Arena* arena) {
  int count = 0, kept = 0;
  while (environ[count]) {
    count++;
  }
  char** plain = ARENA_NEW(arena, count + 1, char*);
  for (int i = 0; i < count; i++) {
    if (!is_of_mpi(environ[i])) {
      plain[kept++] = environ[i];
    }
  }
  return plain;
}

// Hyper-episodes of a run that may be worked on at the same time, and where to watch their leases.
static int count_slots(Pool* p, int run) {
  if (p->slots[run] > 0) {
    return p->slots[run];
  }
  SchedulerPlan plan;
  int64_t count = experiment_shape(&plan, &p->x->runs[run]) ? scheduler_at_once(&plan) : 1;
  p->slots[run] = count > MOST_SLOTS ? MOST_SLOTS : (int)count;
  p->watches[run] = ARENA_NEW(p->arena, p->slots[run], LeaseWatch);
  return p->slots[run];
}

// Processes ---------------------------------------------------------------------------------------

static const char* log_path(const Pool* p, int run) {
  return text_format(p->arena, "%s.log", p->x->runs[run].directory);
}

static bool spawn(pid_t* process, const Pool* p, char* const* arguments, const char* path,
                  Error* error) {
  int log = files_open(path, O_WRONLY | O_CREAT | O_APPEND, error);
  if (log < 0) {
    return false;
  }
  bool started = child_start(process,
                             &(Child){.program = p->options->program,
                                      .arguments = arguments,
                                      .environment = p->environment,
                                      .input = -1,
                                      .output = log,
                                      .errors = log},
                             error);
  close(log);
  return started;
}

static double seconds_left(const Pool* p) {
  return p->options->max_seconds - (clock_wall() - p->begun);
}

// The schedule that it follows is exported first, by the program itself.
static bool make_schedule(const Pool* p, const ExperimentRun* r, Error* error) {
  char* arguments[] = {"autombpo", "schedule", "-o", (char*)r->schedule, (char*)r->scheduled, NULL};
  pid_t process;
  int status = 0;
  if (!r->schedule || files_stands(r->schedule)) {
    return true;
  }
  return spawn(&process, p, arguments, text_format(p->arena, "%s.log", r->directory), error) &&
         ((waitpid(process, &status, 0) == process && status == 0) ||
          error_set(error, "%s: `autombpo schedule` failed", r->scheduled));
}

static bool make_parent(const Pool* p, const ExperimentRun* r, Error* error) {
  const char* slash = strrchr(r->directory, '/');
  return files_make_directory(
      text_format(p->arena, "%.*s", (int)(slash - r->directory), r->directory), error);
}

static bool begin(Pool* p, Job* job, int run, Error* error) {
  const ExperimentRun* r = &p->x->runs[run];
  char** arguments = ARENA_NEW(p->arena, r->operand_count + 7, char*);
  int count = 0;
  arguments[count++] = "autombpo";
  arguments[count++] = r->output ? "baseline" : "train";
  arguments[count++] = "-q";
  if (r->output) {
    arguments[count++] = "-o";
    arguments[count++] = (char*)r->output;
  }
  for (int i = 0; i < r->operand_count; i++) {
    arguments[count++] = r->operands[i];
  }
  double seconds = seconds_left(p);
  if (isfinite(seconds)) {
    arguments[count++] = text_format(p->arena, "run.max_wall=%.1f", fmax(0.1, seconds));
  }
  job->run = run;
  job->begun = clock_wall();
  return make_parent(p, r, error) && make_schedule(p, r, error) &&
         spawn(&job->process, p, arguments, log_path(p, run), error);
}

// Of a failed run, the last line that it wrote.
static const char* last_line(const Pool* p, int run) {
  char* text;
  size_t size;
  Error error;
  if (!files_read(&text, &size, log_path(p, run), p->arena, &error)) {
    return "";
  }
  while (size > 0 && text[size - 1] == '\n') {
    text[--size] = '\0';
  }
  const char* start = strrchr(text, '\n');
  return start ? start + 1 : text;
}

static void judge(Pool* p, const Job* job, int code) {
  int run = job->run;
  if (code == 0 && experiment_is_done(&p->x->runs[run])) {
    return;
  }
  if (code == EXIT_STOPPED || p->stopping) {
    return;
  }
  p->failures[run] += code == EXIT_USAGE ? MOST_FAILURES : 1;
  say(p, run, text_format(p->arena, "failed with exit code %d: %.300s (%s)", code,
                          last_line(p, run), log_path(p, run)));
  if (p->failures[run] >= MOST_FAILURES) {
    p->states[run] = RUN_FAILED;
  }
}

static double processor_seconds(const struct rusage* usage) {
  return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
         1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static bool collect(Pool* p, Error* error) {
  bool good = true;
  for (int i = 0; i < p->options->jobs; i++) {
    Job* job = &p->jobs[i];
    struct rusage usage;
    int status;
    if (job->process == 0 || wait4(job->process, &status, WNOHANG, &usage) != job->process) {
      continue;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ExperimentCost cost = {
        .directory = p->x->runs[job->run].directory + strlen(p->x->directory) + 1,
        .cpu_seconds = processor_seconds(&usage),
        .wall_seconds = clock_wall() - job->begun,
        .code = code};
    good &= experiment_cost_add(p->x, &cost, error);
    lease_release(&p->leases, job->lease);
    judge(p, job, code);
    job->process = 0;
  }
  return good;
}

// What is next ------------------------------------------------------------------------------------

static bool take(Pool* p, Job* job, int run, int slot) {
  if (slot >= count_slots(p, run)) {
    return false;
  }
  const char* name = p->x->runs[run].directory + strlen(p->x->directory);
  snprintf(job->lease, sizeof job->lease, "%016" PRIx64 ".%d",
           hash_bytes(HASH_START, name, strlen(name)), slot);
  for (int i = 0; i < p->options->jobs; i++) {
    if (p->jobs[i].process && strcmp(p->jobs[i].lease, job->lease) == 0) {
      return false;  // a lease of our own, which we could take again
    }
  }
  return lease_take(&p->leases, job->lease, &p->watches[run][slot], LEASE_TIMEOUT);
}

// Takes up what is finished, by whomever.
static void look(Pool* p) {
  for (int i = 0; i < p->x->run_count; i++) {
    if (p->states[i] == RUN_OPEN && experiment_is_done(&p->x->runs[i])) {
      p->states[i] = RUN_DONE;
      if (p->looked) {
        say(p, i, "finished");
      }
    }
  }
  p->looked = true;
}

// All of its needs are finished.
static bool is_ready(const Pool* p, const ExperimentRun* r) {
  for (int i = 0; i < r->need_count; i++) {
    if (p->states[r->needs[i]] != RUN_DONE) {
      return false;
    }
  }
  return true;
}

// The next run for a free place; -1: none.
static int choose(Pool* p, Job* job) {
  for (int slot = 0; slot < MOST_SLOTS; slot++) {
    bool any = false;
    for (int i = 0; i < p->x->run_count; i++) {
      if (p->states[i] == RUN_OPEN && is_ready(p, &p->x->runs[i])) {
        any |= slot < count_slots(p, i);
        if (take(p, job, i, slot)) {
          return i;
        }
      }
    }
    if (!any) {
      return -1;
    }
  }
  return -1;
}

static void fill(Pool* p) {
  for (int i = 0; i < p->options->jobs; i++) {
    Job* job = &p->jobs[i];
    int run = job->process == 0 && !p->stopping ? choose(p, job) : -1;
    if (run < 0) {
      continue;
    }
    Error error = {0};
    if (!begin(p, job, run, &error)) {
      say(p, run, error.text);
      p->states[run] = RUN_FAILED;
      job->process = 0;
      lease_release(&p->leases, job->lease);
    }
  }
}

// -------------------------------------------------------------------------------------------------

static int count_jobs(const Pool* p) {
  int count = 0;
  for (int i = 0; i < p->options->jobs; i++) {
    count += p->jobs[i].process != 0;
  }
  return count;
}

static void renew(Pool* p) {
  if (clock_wall() - p->renewed < RENEW_INTERVAL) {
    return;
  }
  p->renewed = clock_wall();
  leases_renew(&p->leases);
}

// Once: the processes save and end.
static void stop_all(Pool* p) {
  if (p->stopping || !(stop_requested() || seconds_left(p) <= 0)) {
    return;
  }
  p->stopping = true;
  for (int i = 0; i < p->options->jobs; i++) {
    if (p->jobs[i].process) {
      kill(p->jobs[i].process, SIGUSR1);
    }
  }
}

// Whether something is left that may be done, here or by others.
static bool is_open(const Pool* p) {
  for (int i = 0; i < p->x->run_count; i++) {
    bool blocked = p->states[i] != RUN_OPEN;
    for (int n = 0; n < p->x->runs[i].need_count; n++) {
      blocked |= p->states[p->x->runs[i].needs[n]] == RUN_FAILED;
    }
    if (!blocked) {
      return true;
    }
  }
  return false;
}

static void sleep_for(double seconds) {
  struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
  nanosleep(&time, NULL);
}

static bool work(Pool* p, Error* error) {
  bool good = true;
  while (good) {
    good = collect(p, error);
    stop_all(p);
    if (p->stopping && count_jobs(p) == 0) {
      return good;
    }
    if (count_jobs(p) < p->options->jobs) {
      look(p);  // while all are busy, nothing is to be chosen
    }
    if (!p->stopping && !is_open(p) && count_jobs(p) == 0) {
      return good;
    }
    renew(p);
    fill(p);
    sleep_for(count_jobs(p) < p->options->jobs ? IDLE_SLEEP : BUSY_SLEEP);
  }
  return false;
}

static int exit_code(const Pool* p) {
  int open = 0;
  for (int i = 0; i < p->x->run_count; i++) {
    open += p->states[i] != RUN_DONE;
  }
  return open == 0 ? 0 : p->stopping ? EXIT_STOPPED : EXIT_FAILED;
}

int experiment_run(const Experiment* x, const ExperimentRunOptions* options, Arena* arena,
                   Error* error) {
  RunDirectory directory;
  Pool pool = {.x = x,
               .options = options,
               .arena = arena,
               .jobs = ARENA_NEW(arena, options->jobs, Job),
               .states = ARENA_NEW(arena, x->run_count, RunState),
               .failures = ARENA_NEW(arena, x->run_count, int),
               .slots = ARENA_NEW(arena, x->run_count, int),
               .watches = ARENA_NEW(arena, x->run_count, LeaseWatch*),
               .environment = plain_environment(arena),
               .begun = clock_wall()};
  snprintf(directory.path, sizeof directory.path, "%s", x->directory);
  leases_init(&pool.leases, &directory);
  stop_install();
  stop_set_grace(GRACE);
  bool good = files_make_directory(text_format(arena, "%s/lease", x->directory), error) &&
              work(&pool, error);
  leases_end(&pool.leases);
  return good ? exit_code(&pool) : EXIT_FAILED;
}
