// audit.h - whether what a run sealed follows from what it was made of, bit by bit: for somebody
// who did not make it.
//
// From the sealed hyper-episodes and the inputs in the run directory, without training anything:
// each version of the controller is made again, each decision is taken again in the state that was
// recorded, and each reward, baseline, advantage and score is worked out again from the evaluation
// returns. What an audit cannot tell is whether the evaluations themselves were real: only to run
// the hyper-episode again does.
#ifndef HYPER_AUDIT_H
#define HYPER_AUDIT_H

#include "hyper/scheduler.h"

typedef struct {
  int64_t policies, episodes, decisions, advantages;  // that were compared
  int64_t differences;
  Text* report;  // a line for each of the first differences
} Audit;

// The scheduler is that of a complete or unfinished run whose files were verified. False: something
// could not be read.
bool audit_policies(Audit* audit, Scheduler* scheduler, Error* error);
bool audit_episode(Audit* audit, Scheduler* scheduler, int64_t hyper_episode, Error* error);

#endif  // HYPER_AUDIT_H
