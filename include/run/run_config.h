// run_config.h - the configuration of a run: every option table, and what to make of them.
//
// A RunConfig is filled from YAML files and key=value operands, and checked as a whole. What
// results depend on is its RunSpec, which the options fill in place, and which everybody else has
// as const. It must stay where it is: its option set points into it.
#ifndef RUN_RUN_CONFIG_H
#define RUN_RUN_CONFIG_H

#include "base/options.h"
#include "hyper/run_spec.h"
#include "hyper/run_directory.h"
#include "hyper/schedule.h"

#define ENV_OPTIONS(OPT) \
  OPT(TEXT, id, "hopper-v4", 0, 0, "", "task, or plugin:FILE.so; autombpo env list names them") \
  OPT(TEXT, assets, "", 0, 0, "", "directory of the MJCF files; empty = it is looked for")

#define COMPUTE_OPTIONS(OPT) \
  OPT(CHOICE, precision, "float32", "float32|bfloat16", 0, "", \
      "operands of the products between hidden layers; bfloat16 needs a CPU with AVX512_BF16")

#define RUN_OPTIONS(OPT) \
  OPT(LONG, seed, 0, 0, 0x1p53, "", "seed of every random stream") \
  OPT(CHOICE, seed_set, "none", "none|tune|validate|test", 0, "", \
      "what its seed is for, where seeds are held apart; in all sealed files") \
  OPT(TEXT, method, "autombpo", 0, 0, "", "name of the method, for files and figures") \
  OPT(TEXT, dir, "runs/{env}/{method}/s{seed}", 0, 0, "", "run directory") \
  OPT(INT, threads, 1, 1, TEAM_MOST, "threads", \
      "cores that each rank uses; results do not depend on it") \
  OPT(TIME, max_wall, 0, 0, 31536000, "s", \
      "save and stop before this time, 90 = 90 seconds; 0 = never") \
  OPT(TIME, term_grace, 30, 1, 86400, "s", \
      "time to save and stop after SIGTERM or SIGINT; then it ends, saved or not") \
  OPT(TIME, lost_after, 600, 1, 31536000, "s", "give up a rank that is silent for this time") \
  OPT(TIME, lease_timeout, 300, 1, 31536000, "s", \
      "take over what another start on the same directory has not renewed for this time") \
  OPT(FLAG, pack, false, 0, 0, "", \
      "keep the hyper-episodes of a finished stage in one file, episodes/packed/FIRST-LAST.tar") \
  OPT(FLAG, allow_mixed_cpu, false, 0, 0, "", \
      "with bfloat16, go on with another type of CPU: results may differ in the last bits") \
  OPT(FLAG, allow_other_program, false, 0, 0, "", \
      "go on with a program of other code, or other physics: results may be of two kinds")

#define LOG_OPTIONS(OPT) \
  OPT(TIME, progress, 60, 1, 86400, "s", "time between progress lines in a log") \
  OPT(FLAG, quiet, false, 0, 0, "", "no progress lines") \
  OPT(FLAG, transitions, false, 0, 0, "", "store every real transition in the sealed files")

#define CHECKPOINT_OPTIONS(OPT) \
  OPT(TIME, every, 900, 0, 31536000, "s", \
      "time between two checkpoints of a hyper-episode; 0 = one after each step of its work") \
  OPT(TIME, give_up, 3600, 1, 31536000, "s", \
      "end with exit code 1 when the disk has taken no checkpoint for this time") \
  OPT(REAL, max_gb, 0, 0, 1e6, "GB", \
      "limit of all checkpoints together, beyond which a periodic one is left out; 0 = none")

#define RUN_UNHASHED 64

typedef struct {
  CHECKPOINT_OPTIONS(OPTION_FIELD)
} CheckpointOptions;

typedef struct {
  ENV_OPTIONS(OPTION_FIELD)
} EnvOptions;

typedef struct {
  COMPUTE_OPTIONS(OPTION_FIELD)
} ComputeOptions;

typedef struct {
  RUN_OPTIONS(OPTION_FIELD)
} RunOptions;

typedef struct {
  LOG_OPTIONS(OPTION_FIELD)
} LogOptions;

typedef struct {
  Arena arena;               // of all texts
  Options options;           // the sections below, and those of spec
  RunSpec spec;
  const char* unhashed[RUN_UNHASHED];  // what results do not depend on, for options_canonical
  int unhashed_count;
  EnvOptions env;
  ComputeOptions compute;
  RunOptions run;
  LogOptions log;
  CheckpointOptions checkpoint;
  // set by run_config_resolve
  Text warnings;             // a line each, for rank 0 to print
  EnvSpec env_spec;              // of the task, without texts and functions
  Schedule schedule;         // those of spec, if it has them
  Baseline baseline;
  RunDirectory directory;    // run.dir with {env}, {method} and {seed} filled in
  const char* baseline_path;    // the file that R' was read from, or NULL
  const char* controller_path;  // that of the controller to apply, or NULL
  const char* schedule_path;    // that of the schedule to follow, or NULL
  const char* trained_env;      // the task that it was trained on
} RunConfig;

// The text of configs/quickstart.yaml, part of the program.
extern const char run_config_quickstart[];

// Fills in the defaults. Files are searched in AUTOMBPO_PATH and among the shipped ones.
void run_config_init(RunConfig* config);
void run_config_free(RunConfig* config);

// Reads operands: key=value are overrides, all others are YAML files. Files count first, in order,
// then the verb's own `presets` ("key=value", NULL-terminated, or NULL), then overrides, in order.
// quickstart: without a file, the embedded one. False = every problem, one line each.
bool run_config_read(RunConfig* config, int count, char* const* operands, bool quickstart,
                     const char* const* presets, Error* error);

// The rules between options; appends a line for each that is broken.
bool run_config_check(const RunConfig* config, Error* error);

// The same for what a run needs and a configuration may leave open.
bool run_config_check_inputs(const RunConfig* config, Error* error);

// Takes the settings of the controller to apply, if one is named, from its policy file: what the
// command line does not say, or all with scheduler.settings=given compared alone. Differences are
// named in warnings. scheduler.settings is `given` from then on: the configuration is whole.
bool run_config_take_trained(RunConfig* config, Error* error);

// Whether the controller to apply, if there is one, may act in this task: the one that it was
// trained on, or any with scheduler.transfer.
bool run_config_check_transfer(const RunConfig* config, const char* env, Error* error);

// Fills in what spec has of env.*, compute.*, run.* and log.*.
void run_config_fill(RunConfig* config);

// The rules between options and the task, once it was opened; appends a line for each that is
// broken.
bool run_config_check_task(RunConfig* config, Error* error);

// All of run_config_resolve but R', which may have to be made yet.
bool run_config_open(RunConfig* config, Error* error);

// R': needed to train a controller; otherwise read only when scheduler.baseline names it. It is
// missing where this fails and baseline_path is still NULL.
bool run_config_take_baseline(RunConfig* config, Error* error);

// Checks, and fills in all that follows from the options: a run can begin.
bool run_config_resolve(RunConfig* config, Error* error);

#endif  // RUN_RUN_CONFIG_H
