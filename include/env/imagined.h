// imagined.h - D_model: a ring buffer of imagined transitions that holds each state once.
//
// The state before a step of a branch is the state after the step before it. A transition is drawn,
// kept and dropped as in a Replay of the same capacity: the same random numbers give the same
// batches, in a little more than half of the memory (docs/performance.md, "What D_model costs").
#ifndef ENV_IMAGINED_H
#define ENV_IMAGINED_H

#include "env/replay.h"

// Most transitions from one step of a branch to its next one.
#define IMAGINED_REACH 8192

// Before the first step of a branch.
#define IMAGINED_START (-1)

typedef struct {
  int obs_size;      // O
  int act_size;      // A
  int row_size;      // act (A) in [-1, 1] | next_obs (O) | rew | terminated (0 or 1)
  int64_t limit;     // transitions that there is room for
  int64_t capacity;  // of the ring now
  int64_t size;      // transitions in use
  int64_t next;      // position that the next one takes, as in a Replay
  int64_t added;     // so far: the number of the next transition
  int64_t starts;    // start states in use
  int64_t starts_added;
  int64_t forgotten[2];  // transitions and starts before these numbers hold no memory
  Real* rows;            // (limit + IMAGINED_REACH, row_size)
  int32_t* before;       // (limit + IMAGINED_REACH) how many transitions ago the state followed; or
                         // -1 - s: it is start s
  Real* start;           // (limit, O)
} Imagined;

typedef struct {
  const Real *obs, *act, *next_obs;  // (O), (A), (O)
  Real rew, terminated;
} ImaginedTransition;

// Bytes of so many transitions of branches that go on for `length` steps.
double imagined_bytes(int obs_size, int act_size, double transitions, int length);

void imagined_init(Imagined* imagined, int obs_size, int act_size, int64_t limit);
void imagined_free(Imagined* imagined);

// Appends a transition, overwriting the oldest when full, and returns its number. `before` is the
// number of the branch's step before this one, or IMAGINED_START; `obs` counts then only.
int64_t imagined_add(Imagined* imagined, int64_t before, const Real* obs, const Real* act,
                     const Real* next_obs, Real rew, bool terminated);

// Changes the capacity; the newest transitions stay, in order (docs/algorithms.md, D14).
void imagined_set_capacity(Imagined* imagined, int64_t capacity);

// Gives the memory of what was dropped back.
void imagined_trim(Imagined* imagined);

// The i-th oldest transition, 0 <= i < size.
ImaginedTransition imagined_transition(const Imagined* imagined, int64_t i);

// Draws `count` transitions uniformly with replacement into rows first ... of the batch.
void imagined_sample(Batch* batch, int first, int count, const Imagined* imagined, Rng* rng);

void imagined_visit(Imagined* imagined, Archive* archive, const char* name);

#endif  // ENV_IMAGINED_H
