// team.h - threads that share the parts of a task.
//
// A part may run on any of the threads, and beside any other part, so that no result may depend on
// either: parts write to places of their own, and what adds up is added afterwards, in their order.
// Between two tasks the threads look for the next one for a moment, and then sleep.
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include "base/arena.h"
#include "base/error.h"

#define TEAM_MOST 256  // threads

typedef struct Team Team;

// Does one part of a task.
typedef void TeamTask(void* self, int part);

// Threads in all, that of the caller, who takes its share, included. *team is NULL for less
// than two.
bool team_open(Team** team, int threads, Arena* arena, Error* error);

// Ends the threads; team may be NULL.
void team_close(Team* team);

// How many threads there are: 1 if team is NULL.
int team_threads(const Team* team);

// Parts 0 ... parts - 1 of the task, each once; returns when all are done. Only from the thread
// that has opened the team, and not from within a task of it.
void team_run(Team* team, TeamTask* task, void* self, int parts);

#endif  // BASE_TEAM_H
