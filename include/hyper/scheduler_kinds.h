// scheduler_kinds.h - the kinds of src/hyper/schedulers/, and what several of them share.
#ifndef HYPER_SCHEDULER_KINDS_H
#define HYPER_SCHEDULER_KINDS_H

#include "hyper/scheduler.h"

extern const SchedulerKind scheduler_fixed;   // MBPO's own schedule
extern const SchedulerKind scheduler_random;  // chance, at each decision
extern const SchedulerKind scheduler_static;  // chance, once a run
extern const SchedulerKind scheduler_ppo;     // the controller that learns
extern const SchedulerKind scheduler_apply;   // a trained controller
extern const SchedulerKind scheduler_replay;  // a schedule from a file
extern const SchedulerKind scheduler_ror;     // RoR's trainer
extern const SchedulerKind scheduler_fork;    // one decision of another run otherwise
extern const SchedulerKind scheduler_pbt;     // population-based training
extern const SchedulerKind scheduler_external;  // a controller outside of the program

// Of kinds that do not learn: scheduler.hyper_episodes runs of M epochs.
SchedulerPlan scheduler_plain_plan(const RunSpec* x);

// Of kinds that set every head that hyper.schedule_* lets a scheduler set.
bool scheduler_sets_all(const Scheduler* s, HyperHead head, int version);

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
