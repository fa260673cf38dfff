// dialogue.h - what is said to a controller outside of the program, and how its answers are read:
// JSON objects, one a line (docs/formats.md section 10).
#ifndef HYPER_DIALOGUE_H
#define HYPER_DIALOGUE_H

#include "hyper/run_directory.h"
#include "hyper/scheduler.h"

#define DIALOGUE_VERSION 1

typedef struct {
  int64_t hyper_episode;
  int decision;
  HyperAction action;
} Answer;

// What is said, as a text in the arena: how the run looks, a question, how a hyper-episode ended,
// and what is wrong.
const char* dialogue_hello(const Scheduler* scheduler, Arena* arena);
const char* dialogue_question(const SchedulerRequest* request, Arena* arena);
const char* dialogue_sealed(const SchedulerOutcome* outcome, Arena* arena);
const char* dialogue_error(const char* text, Arena* arena);

// An answer as a line, and back; `name` is where it stands, for messages.
const char* dialogue_answer(const Answer* answer, Arena* arena);
bool dialogue_read(Answer* answer, const char* name, const char* line, Arena* arena, Error* error);

// Whether an answer is one to a decision with these choices: of each head that is asked, and of no
// other, a choice that is allowed or a value within the bounds.
bool dialogue_check(const Answer* answer, const char* name, const uint8_t allowed[HEAD_COUNT],
                    const HyperOptions* options, Error* error);

#endif  // HYPER_DIALOGUE_H
