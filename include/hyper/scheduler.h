// scheduler.h - who schedules the hyperparameters: one object; everything else does not know which.
//
// A kind of scheduler is one file in src/hyper/schedulers/ and one row in scheduler_table.h.
// It says how many hyper-episodes of which length a run has, which version of what it learns each
// one acts with, which heads it sets, what it decides, and what a complete stage makes of it. All
// of that is a function of the configuration, of its inputs and of sealed files, so that any number
// of ranks, order and restart gives the same bits.
#ifndef HYPER_SCHEDULER_H
#define HYPER_SCHEDULER_H

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

  // Loads what the directory and the inputs hold. NULL: nothing.
  bool (*open)(Scheduler* s, Error* error);

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

  // Instead of decide, where the answer comes from outside: later, if it is not there yet. `decide`
  // then says again what was answered, for an audit. NULL: all answers are there at once.
  bool (*ask)(HyperAction* action, bool* later, Scheduler* s, const SchedulerRequest* request,
              Error* error);

  // With ask: takes what has come from outside, the ends of hyper-episodes, and the end of all.
  bool (*listen)(int64_t* answered, Scheduler* s, double patience, Error* error);
  void (*sealed)(Scheduler* s, const SchedulerOutcome* outcome);
  void (*close)(Scheduler* s);

  // Makes the next version of the stage `version`, whose hyper-episodes are all sealed. NULL: none.
  bool (*fold)(Scheduler* s, const StageResult** result, Error* error);

  // Writes a version to `path` as it follows from the stages before, for an audit: called for all
  // versions in their order. NULL: there are none.
  bool (*remake)(Scheduler* s, int version, const char* path, Error* error);
};

// All kinds, in the order of their table; NULL behind the last.
const SchedulerKind* scheduler_kind_at(int i);

// The kind of a configuration, and its plan.
const SchedulerKind* scheduler_kind(const RunSpec* spec);
SchedulerPlan scheduler_plan(const RunSpec* spec);

// A hyper-episode that is a whole run.
HyperSegment scheduler_whole_run(const RunSpec* spec);

// The options that this kind alone has.
const void* scheduler_options(const RunSpec* spec, const SchedulerKind* kind);

// Which hyperparameters it sets in some hyper-episode.
MbpoScheduled scheduler_may_set(const RunSpec* spec);

// Version that hyper-episode e acts with: max(0, floor((e - L) / K)); 0 if nothing learns.
int scheduler_version_of(const SchedulerPlan* plan, int64_t hyper_episode);

// Hyper-episodes that may run at the same time.
int64_t scheduler_at_once(const SchedulerPlan* plan);

// Memory comes from `arena` as long as the scheduler lives.
bool scheduler_open(Scheduler* scheduler, const RunSpec* spec, const RunDirectory* directory,
                    Arena* arena, Error* error);

// The same for one version of what it learns, to be asked for decisions alone (SchedulerKind).
bool scheduler_open_version(Scheduler* scheduler, const RunSpec* spec,
                            const RunDirectory* directory, int version, Arena* arena, Error* error);

// Whether hyper-episode e exists and may begin: its version is there.
bool scheduler_is_ready(const Scheduler* scheduler, int64_t hyper_episode);

HyperSegment scheduler_segment(const Scheduler* scheduler, int64_t hyper_episode);
// To be called before scheduler_sets and scheduler_decide. False: its file cannot be read.
bool scheduler_load_version(Scheduler* scheduler, int version, Error* error);

// Which hyperparameters of hyper-episodes with this version it sets; MBPO sets the others.
MbpoScheduled scheduler_sets(const Scheduler* scheduler, int version);

// What is decided, as far as it is known; else no head chooses.
void scheduler_decide(HyperAction* action, Scheduler* scheduler, const SchedulerRequest* request);

// The same for a run. *later: it is not decided yet; once scheduler_listen says so, ask again.
bool scheduler_ask(HyperAction* action, bool* later, Scheduler* scheduler,
                   const SchedulerRequest* request, Error* error);

// Takes what has come from outside, waiting up to `patience` seconds. *answered: a hyper-episode
// that can be asked for again, -1: none. To be called often, and first before a run begins.
bool scheduler_listen(int64_t* answered, Scheduler* scheduler, double patience, Error* error);

void scheduler_sealed(Scheduler* scheduler, const SchedulerOutcome* outcome);
// Ends what is outside. Nothing may be asked any more.
void scheduler_close(Scheduler* scheduler);

// Folds the next stage if it is complete: all hyper-episodes below `sealed` are sealed. *result:
// what that stage was like; NULL if nothing was to be folded.
bool scheduler_fold(Scheduler* scheduler, int64_t sealed, const StageResult** result, Error* error);

// Whether nothing is left to be folded.
bool scheduler_is_done(const Scheduler* scheduler);
#endif  // HYPER_SCHEDULER_H
