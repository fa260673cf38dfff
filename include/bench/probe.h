// probe.h - what each part of a run costs here, by beginning the run and looking.
//
// The run's own code is called in the run's own order, in a directory that is removed; only the
// clock ends it early.
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include "hyper/health.h"
#include "hyper/run_directory.h"
#include "hyper/scheduler.h"

// The parts of Algorithm 1 that cost something, each with the unit that it is counted in.
typedef enum {
  WORK_BEGIN,     // hyper-episodes: buffers, networks, the file, the share of an update
  WORK_ENV,       // real steps (line 6)
  WORK_MODEL,     // rows that a training goes over, in all its passes (line 11)
  WORK_ROLLOUT,   // imaginary steps (lines 12 to 14)
  WORK_SAC,       // policy updates (lines 15 and 16)
  WORK_DECISION,  // hyper-states and actions (lines 8 to 10)
  WORK_EVALUATE,  // steps of evaluations (lines 17 and 18)
  WORK_PARTS,
} WorkPart;

extern const char* const work_units[WORK_PARTS];

typedef struct {
  double of[WORK_PARTS];
} Work;

// A training of the model, as it was: how long one lasts, early stopping decides. The first of a
// hyper-episode begins with random weights, and lasts many times longer than one that goes on.
typedef struct {
  bool first;
  double rows;    // transitions that there were
  double passes;  // over those that are not held out
} ProbeTraining;

#define PROBE_TRAININGS 4096
#define PROBE_STATES 4096

typedef struct {
  Work work, seconds;  // done, and the processor time that it took
  int hyper_episodes;  // begun
  double progress;     // of the last of them
  int training_count;
  ProbeTraining training[PROBE_TRAININGS];
  int state_count;
  HyperState state[PROBE_STATES];  // at decisions, of the first hyper-episode
  Health health;       // of the last epoch
  // bytes
  double resident;     // memory of the process, before there was a hyper-episode
  double rank;         // and at most, when its buffers are full
  double sealed;       // a file of episodes/ without transitions
  double transition;   // of a real step in it, where they are kept
  double checkpoint;   // one with the largest buffers
  double policy;       // a file of policy/; 0 = there are none
  double log_episode, log_epoch;  // of metrics.jsonl
} Probe;

// Measures for so many seconds of processor time, longer if until then not every part has occurred.
// `scheduler` is open, in `directory`.
bool probe_run(Probe* probe, Scheduler* scheduler, double seconds, Error* error);

// What is decided; where the answer comes from outside, by chance.
void probe_decide(HyperAction* action, Scheduler* scheduler, const SchedulerRequest* request);

// Rows that one pass of a training on `rows` transitions comes to: a row that is held out is only
// carried forward, a third of what the others cost.
double probe_pass_rows(const EnsembleOptions* model, double rows);

#endif  // BENCH_PROBE_H
