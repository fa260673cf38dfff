// verify.h - whether what a run sealed is what its configuration gives: hyper-episodes are run
// again, with their decisions, and all that their files hold is compared bit by bit.
//
// A hyper-episode of a population goes on from the end of another one: from its snapshot while that
// stands, else that one is run again, too.
#ifndef HYPER_VERIFY_H
#define HYPER_VERIFY_H

#include "hyper/scheduler.h"

typedef struct {
  RunDirectory place;   // for what is made again; empty
  int64_t numbers;      // that were compared
  int64_t differences;  // of them
  Text* report;         // a line for each dataset that differs
} Verify;

// Epochs that a sealed hyper-episode has, at least 1.
bool verify_epochs(int* epochs, const Scheduler* scheduler, int64_t hyper_episode, Error* error);

// The first `epochs` of a hyper-episode, or all that it has. False: it cannot be run again.
bool verify_episode(Verify* verify, Scheduler* scheduler, int64_t hyper_episode, int epochs,
                    Error* error);

#endif  // HYPER_VERIFY_H
