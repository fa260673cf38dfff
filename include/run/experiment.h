// experiment.h - tasks x methods x repetitions as a list of runs, of which some need others.
//
// A method has up to three steps, named by the set of seeds that each may use: `train` whatever
// learns on seeds of `tune`, choose on those of `validate`, and report on those of `test`. A step
// is the operands of `autombpo train`; {train} in it is the directory of that step's run of the
// same task and repetition, {METHOD/train} that of another method. Each run is an ordinary run
// directory, and nothing but its own files says whether it is finished.
#ifndef RUN_EXPERIMENT_H
#define RUN_EXPERIMENT_H

#include "hyper/scheduler.h"
#include "run/run_config.h"

typedef enum { STEP_TRAIN, STEP_VALIDATE, STEP_TEST, STEP_COUNT } ExperimentStep;

// Names of the steps, and of the sets of seeds that belong to them.
extern const char* const experiment_step_names[STEP_COUNT];
extern const char* const experiment_set_names[STEP_COUNT];

typedef struct {
  const char* name;
  const char* operands;  // configuration files and key=value
  double threshold;      // of the return, for the time that a run takes to it; NaN = none
  const char* baseline;  // operands of `autombpo baseline`: its R' is for all; NULL = there is one
  int repetitions;       // at most, of any method
} ExperimentTask;

// The method that makes R' of a task.
#define EXPERIMENT_BASELINE "baseline"

typedef struct {
  const char* name;
  int repetitions;               // of all steps
  const char* steps[STEP_COUNT];  // operands, NULL = no such step
  bool makes_baseline;            // the method EXPERIMENT_BASELINE, of tasks that ask for it
} ExperimentMethod;

#define EXPERIMENT_MOST_NEEDS 8

typedef struct {
  int task, method, repetition;
  ExperimentStep step;
  int64_t seed;
  const char* directory;  // DIR/TASK/METHOD/REPETITION/STEP
  const char* output;     // the R' that it makes: then it is an `autombpo baseline`; or NULL
  int operand_count;
  char** operands;        // of `autombpo train`
  bool differs;           // between repetitions by what it uses; else by its seed
  int need_count;
  int needs[EXPERIMENT_MOST_NEEDS];        // runs that must be finished before
  const char* schedule;   // a file that `autombpo schedule` must make of a finished run, or NULL
  const char* scheduled;  // the directory of that run
} ExperimentRun;

typedef struct {
  const char* name;
  const char* path;       // of the file
  const char* directory;  // of all runs
  int64_t first_seed[STEP_COUNT];  // of each set; a set ends where the next one begins
  int task_count, method_count, run_count;
  ExperimentTask* tasks;
  ExperimentMethod* methods;
  ExperimentRun* runs;    // what a run needs comes before it
} Experiment;

// What of an experiment is asked for; NULL = all.
typedef struct {
  const char* directory;  // instead of the file's
  const char* task;
  const char* method;     // and what it needs
} ExperimentChoice;

// Reads the file, and those that it includes, and expands it. False = every problem, a line each.
bool experiment_read(Experiment* experiment, const char* path, const ExperimentChoice* choice,
                     Arena* arena, Error* error);

// Whether the configuration of each run is one, as far as that can be told before what it needs is
// there.
bool experiment_check(const Experiment* experiment, Error* error);

// The shape of a run. False: its configuration is none, which experiment_check says.
bool experiment_shape(SchedulerPlan* plan, const ExperimentRun* run);

// The largest run.threads of its runs.
int experiment_most_threads(const Experiment* experiment);

// Whether a run is finished.
bool experiment_is_done(const ExperimentRun* run);

// Whether each finished run has the configuration that the experiment has for it now.
bool experiment_check_done(const Experiment* experiment, Error* error);

// Writes DIR/NAME.json (docs/formats.md); experiments may share DIR, and the runs that they have in
// common.
bool experiment_write(const Experiment* experiment, Error* error);

#endif  // RUN_EXPERIMENT_H
