// fork.h - alternatives to one decision of a sealed hyper-episode.
//
// The hyper-episode is run again from its beginning with its own random streams and decisions, up
// to one decision at which one head chooses otherwise. What differs then is the effect of that
// choice, and of nothing else.
#ifndef HYPER_FORK_H
#define HYPER_FORK_H

#include "hyper/run_spec.h"

#define FORK_OPTIONS(OPT) \
  OPT(TEXT, source, "", 0, 0, "", "file of the hyper-episode that is forked (autombpo fork)") \
  OPT(CHOICE, of, SCHEDULER_DEFAULT, SCHEDULER_WORDS, 0, "", "scheduler.kind of its run") \
  OPT(LONG, episode, 0, 0, 0x1p32, "", "its index, by which its random streams are named") \
  OPT(INT, version, -1, -1, 1000000, "", "version of the controller that acted in it") \
  OPT(INT, decision, 0, 0, 1000000000, "", "decision that is changed") \
  OPT(TEXT, choices, "", 0, 0, "", "HEAD=CHOICE,...: one alternative each")

typedef struct {
  FORK_OPTIONS(OPTION_FIELD)
} ForkOptions;

typedef struct {
  HyperHead head;
  int choice;
} ForkChoice;

#define FORK_MOST_CHOICES (HEAD_COUNT * HEAD_MAX_CHOICES)

const ForkOptions* fork_options(const RunSpec* spec);

// "skip", "train"; "down", "keep", "up".
const char* fork_choice_name(HyperHead head, int choice);

// Reads "HEAD=CHOICE,HEAD=CHOICE,...", at most FORK_MOST_CHOICES.
bool fork_read_choices(ForkChoice* choices, int* count, const char* text, Error* error);

#endif  // HYPER_FORK_H
