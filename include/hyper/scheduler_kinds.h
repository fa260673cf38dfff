// scheduler_kinds.h - the kinds of src/hyper/schedulers/, and what several of them share.
#ifndef HYPER_SCHEDULER_KINDS_H
#define HYPER_SCHEDULER_KINDS_H

#include "hyper/scheduler.h"
#include "store/h5.h"

#define SCHEDULER_EXTERN(name, meaning) extern const SchedulerKind scheduler_##name;
SCHEDULER_TABLE(SCHEDULER_EXTERN)

// find_trained of kinds whose controller is a policy file.
bool scheduler_find_policy(SchedulerTrained* trained, const char* named, Arena* arena,
                           Error* error);

// For find_trained of kinds that take up the end of a hyper-episode: opens the file of one, or of
// a run that which `choose` names.
bool scheduler_open_episode(H5File* file, SchedulerTrained* trained, const char* named,
                            bool (*choose)(char path[RUN_PATH_SIZE], const RunDirectory* directory,
                                           Error* error),
                            Arena* arena, Error* error);

// Checks ppo.groups against the heads that are scheduled. *groups: how many, 0 where it is broken.
void scheduler_check_groups(int* groups, const RunSpec* x, OptionsCheck* check);

// What scheduler_may_set and scheduler_sets say of one head.
bool scheduler_may_set_head(const RunSpec* x, HyperHead head);
bool scheduler_sets_head(const Scheduler* s, HyperHead head, int version);

// Of kinds that do not learn: scheduler.hyper_episodes runs of M epochs.
SchedulerPlan scheduler_plain_plan(const RunSpec* x);

// Stages that the file of a trained controller may hold.
#define LARGEST_TRAINED 10000

// The random stream of a decision: of (seed, hyper-episode, decision), so that the order in which
// decisions arrive cannot matter.
Rng scheduler_stream(const Scheduler* s, const SchedulerRequest* request);

// A controller of the shape that the configuration describes.
bool scheduler_init_controller(Controller* controller, const Scheduler* s, int max_stages,
                               Error* error);
double scheduler_controller_bytes(const RunSpec* x, int max_stages);

// What a stage was like whose hyper-episodes have these scores; NaN: that one diverged.
StageResult scheduler_stage_result(int stage, const double* scores, int count);

#endif  // HYPER_SCHEDULER_KINDS_H
