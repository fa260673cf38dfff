// answer_log.h - what a controller outside of the program has answered in each hyper-episode: line
// i of answers/000012.jsonl is its answer to decision i.
//
// An answer is on disk before it acts, and acts as it stands there, so that a start that goes on
// asks nothing twice. A last line without a newline was never answered with: it is dropped.
#ifndef HYPER_ANSWER_LOG_H
#define HYPER_ANSWER_LOG_H

#include "hyper/dialogue.h"

// The answer to a decision, if it is there (*found).
bool answer_log_find(Answer* answer, bool* found, const RunDirectory* directory,
                     int64_t hyper_episode, int decision, Error* error);

// Adds an answer. If another process has answered the same decision before, that one stands.
bool answer_log_add(const RunDirectory* directory, const Answer* answer, Error* error);

#endif  // HYPER_ANSWER_LOG_H
