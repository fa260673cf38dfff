// run_spec.h - everything that a hyper-episode is a function of, besides its index.
#ifndef HYPER_RUN_SPEC_H
#define HYPER_RUN_SPEC_H

#include "hyper/baseline.h"
#include "hyper/hyper_mdp.h"
#include "hyper/ppo_options.h"
#include "hyper/schedule.h"
#include "hyper/scheduler_table.h"
#include "hyper/search_space.h"

#define SCHEDULER_OPTIONS(OPT) \
  OPT(CHOICE, kind, SCHEDULER_DEFAULT, SCHEDULER_WORDS, 0, "", \
      "who sets the hyperparameters" SCHEDULER_MEANINGS) \
  OPT(INT, hyper_episodes, 1, 1, 1000000, "runs", "number of runs, where no controller learns") \
  OPT(TEXT, controller, "", 0, 0, "", "of apply: run directory, policy file or shipped:NAME") \
  OPT(CHOICE, controller_version, "best", "best|last", 0, "", "of apply: which policy to use") \
  OPT(CHOICE, settings, "trained", "trained|given", 0, "", \
      "of apply: the hyper-MDP that the controller was trained in, or the one configured here") \
  OPT(FLAG, transfer, false, 0, 0, "", "of apply: the controller may be one of another task") \
  OPT(FLAG, trained_seeds, false, 0, 0, "", \
      "what is applied may be tried on seeds that it was trained on") \
  OPT(TEXT, schedule, "", 0, 0, "", "of replay: file of the schedule (autombpo schedule)") \
  OPT(TEXT, baseline, "", 0, 0, "", "file of R', or shipped:NAME; empty = baselines/<task>.yaml")

typedef struct {
  SCHEDULER_OPTIONS(OPTION_FIELD)
} SchedulerOptions;

typedef struct {
  char task[ENV_ID_SIZE];   // as env_open wants it: of a plugin, the place of its file
  char env[ENV_ID_SIZE];    // what files call it: of a plugin, its own name
  char method[64];          // name for files and figures
  const char* assets;       // directory of the MJCF files
  EnvFile task_files[ENV_MAX_FILES];  // as they were at the start
  uint64_t seed;
  char seed_set[16];        // none, tune, validate or test
  SacOptions sac;
  EnsembleOptions model;
  MbpoOptions mbpo;
  HyperOptions hyper;
  SchedulerOptions scheduler;
  PpoOptions ppo;
  SearchOptions search;
  const void* kind_options[SCHEDULER_KINDS];  // of each kind alone, as its file knows them; or NULL
  bool log_transitions;
  const Baseline* baseline;   // NULL: none
  const Schedule* schedule;   // to follow; NULL: none
  int threads;                // of a rank; results do not depend on them
  const char* config;         // canonical text of all that results depend on
  char config_hash[17];
} RunSpec;

// MBPO's options in a hyper-episode. While hyperparameters are scheduled, rollouts have an interval
// and a number of their own: by default that with which the run imagines, at equal k, as much an
// epoch as the unscheduled one whose returns are R'.
MbpoOptions run_spec_mbpo(const RunSpec* spec);

// The largest k that can come, by MBPO's own schedule or by a scheduler's bounds.
int run_spec_longest_rollout(const RunSpec* spec, MbpoScheduled scheduled);

#endif  // HYPER_RUN_SPEC_H
