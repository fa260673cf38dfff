// scheduler.h - who schedules the hyperparameters: one object; everything else does not know which
// kind it is of (scheduler_kind.h).
#ifndef HYPER_SCHEDULER_H
#define HYPER_SCHEDULER_H

#include "hyper/scheduler_kind.h"

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

// Reads what the directory holds, and writes nothing. Memory comes from `arena` as long as the
// scheduler lives.
bool scheduler_open(Scheduler* scheduler, const RunSpec* spec, const RunDirectory* directory,
                    Arena* arena, Error* error);

// For who runs it, after scheduler_open: writes what a run begins with, where it is missing.
bool scheduler_begin(Scheduler* scheduler, Error* error);

// As scheduler_open, for one version of what it learns, to be asked for decisions alone.
bool scheduler_open_version(Scheduler* scheduler, const RunSpec* spec,
                            const RunDirectory* directory, int version, Arena* arena, Error* error);

// Whether hyper-episode e exists and may begin: its version is there.
bool scheduler_is_ready(const Scheduler* scheduler, int64_t hyper_episode);

// Which part of a run it is.
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

// Tells what is outside how a hyper-episode ended.
void scheduler_sealed(Scheduler* scheduler, const SchedulerOutcome* outcome);

// Ends what is outside. Nothing may be asked any more.
void scheduler_close(Scheduler* scheduler);

// Folds the next stage if it is complete: all hyper-episodes below `sealed` are sealed. *result:
// what that stage was like; NULL if nothing was to be folded.
bool scheduler_fold(Scheduler* scheduler, int64_t sealed, const StageResult** result, Error* error);

// Whether nothing is left to be folded.
bool scheduler_is_done(const Scheduler* scheduler);

#endif  // HYPER_SCHEDULER_H
