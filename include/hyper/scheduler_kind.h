// scheduler_kind.h - what a kind of scheduler is: what it is asked, and by what.
//
// A kind is one file in src/hyper/schedulers/ and one row in scheduler_table.h. It says how many
// hyper-episodes of which length a run has, which version of what it learns each one acts with,
// which heads it sets, what it decides, and what a complete stage makes of it. All of that is a
// function of the configuration, of its inputs and of sealed files, so that any number of ranks,
// order and restart gives the same bits.
#ifndef HYPER_SCHEDULER_KIND_H
#define HYPER_SCHEDULER_KIND_H

#include "base/options_check.h"
#include "hyper/controller.h"
#include "hyper/hyper_episode.h"
#include "hyper/run_directory.h"

#define SCHEDULER_MOST_NOTES 1024

// The shape of a run: a function of the configuration alone.
typedef struct {
  int epochs;              // of one hyper-episode, at most
  int run_epochs;          // of the run that it is a part of; 0 = it is all of it
  int64_t hyper_episodes;  // in all
  int updates;             // stages that are folded; 0 = nothing learns
  int stage_size;          // K, hyper-episodes of a stage
  int versions;            // of a controller that a finished run holds, one file each
  int notes;               // numbers that it keeps in a hyper-episode, SCHEDULER_MOST_NOTES at most
  int look_ahead;          // L, hyper-episodes that may begin before the update is there
} SchedulerPlan;

typedef struct SchedulerKind SchedulerKind;

typedef struct {
  const SchedulerKind* kind;
  const RunSpec* spec;
  const RunDirectory* directory;
  SchedulerPlan plan;
  Arena* arena;
  int version;                // newest version of what is learnt; 0 where nothing is
  const Controller* trained;  // acts without learning, perhaps where it has never been; or NULL
  void* self;                 // of the kind
} Scheduler;

// What is asked at a decision.
typedef struct {
  int64_t hyper_episode;
  int decision;  // index within the hyper-episode
  int version;   // that the hyper-episode acts with
  const HyperState* state;
  double* notes;  // (plan.notes) of the hyper-episode, to be read and changed; zeros at the begin
  double reward;  // of the decision before
} SchedulerRequest;

// How a hyper-episode ended that was sealed here.
typedef struct {
  int64_t hyper_episode;
  bool diverged;
  double score;
  int decisions;
  double reward;  // of the last of them
} SchedulerOutcome;

// What scheduler.controller names.
typedef struct {
  char path[RUN_PATH_SIZE];  // the file that `open` reads
  const char* env;           // the task that it was trained on
  const char* config;        // the options that it brings along, as YAML; NULL = none
  int64_t seed;              // run.seed of its training; -1 = it may be tried on any
  const char* baseline_seeds;  // run.seed of the R' in its training, "0,1,2"
} SchedulerTrained;

// The options that a kind alone has: a section of its name. Lists of keys end with NULL.
typedef struct {
  OptionTable (*table)(void);   // NULL: none
  const char* const* unhashed;  // those that results do not depend on, or NULL
  const char* const* outside;   // those that name a program, to be said again at a resume, or NULL
} SchedulerSection;

// Answers that come from outside, instead of decide, which then says again what was answered, for
// an audit. All NULL: all answers are there at once.
typedef struct {
  // later: it is not there yet.
  bool (*ask)(HyperAction* action, bool* later, Scheduler* s, const SchedulerRequest* request,
              Error* error);

  // Takes what has come, the ends of hyper-episodes, and the end of all.
  bool (*listen)(int64_t* answered, Scheduler* s, double patience, Error* error);
  void (*sealed)(Scheduler* s, const SchedulerOutcome* outcome);
  void (*close)(Scheduler* s);
} SchedulerOutside;

struct SchedulerKind {
  const char* name;     // scheduler.kind
  bool own_rollouts;    // MBPO's own number and interval of rollouts, not those of hyper.*
  bool needs_baseline;  // R' is part of what it learns from
  bool needs_schedule;  // the file scheduler.schedule is what it follows
  bool steps;           // moves hyperparameters up and down from what they start with
  bool has_versions;    // a version of a controller acts, and files say which
  bool can_fork;        // another choice at one decision leaves all others as they were made

  SchedulerSection section;
  // The rules between options, and what a run needs that a configuration may leave open. NULL:
  // there are none.
  void (*check)(OptionsCheck* check, const RunSpec* x);
  void (*check_inputs)(OptionsCheck* check, const RunSpec* x);

  SchedulerPlan (*plan)(const RunSpec* x);

  // Finds what scheduler.controller names. NULL: nothing is looked for.
  bool (*find_trained)(SchedulerTrained* trained, const char* named, Arena* arena, Error* error);

  // Most bytes that rank 0 has of it. NULL: next to nothing.
  double (*bytes)(const RunSpec* x);

  // Which part of a run a hyper-episode is that may begin. NULL: all of it.
  void (*segment)(HyperSegment* segment, const Scheduler* s, int64_t hyper_episode);

  // Loads what the directory and the inputs hold, and writes nothing. NULL: nothing.
  bool (*open)(Scheduler* s, Error* error);

  // Writes what a run begins with, where it is not there yet. NULL: nothing.
  bool (*begin)(Scheduler* s, Error* error);

  // Instead: loads one version alone, the file scheduler.controller, to decide. NULL: open does.
  bool (*open_version)(Scheduler* s, int version, Error* error);

  // Loads a version that is asked for next. NULL: it has all of them.
  bool (*load_version)(Scheduler* s, int version, Error* error);

  // Whether it sets a head in some hyper-episode; in those that act with `version`. NULL: it sets
  // what hyper.schedule_* names; what it may set.
  bool (*may_set)(const RunSpec* x, HyperHead head);
  bool (*sets)(const Scheduler* s, HyperHead head, int version);

  // Chooses for the heads that are asked; the action comes empty. NULL: never chooses.
  void (*decide)(HyperAction* action, Scheduler* s, const SchedulerRequest* request);

  SchedulerOutside outside;

  // Makes the next version of the stage `version`, whose hyper-episodes are all sealed. NULL: none.
  bool (*fold)(Scheduler* s, const StageResult** result, Error* error);

  // Writes a version to `path` as it follows from the stages before, for an audit: called for all
  // versions in their order. NULL: there are none.
  bool (*remake)(Scheduler* s, int version, const char* path, Error* error);
};

#endif  // HYPER_SCHEDULER_KIND_H
