// stop.h - requests from outside to stop or to save: signals and the deadline.
//
// A handler only sets a flag; it is read at safe points, between two units of work. SIGUSR1: save
// and stop. SIGTERM, SIGINT: the same, but who sends them will not wait for long, so the process
// ends after a grace, saved or not; at once after a second SIGINT. SIGUSR2: save and go on. SIGHUP:
// nothing in a batch job; on a terminal that is closed, as SIGTERM.
#ifndef CLUSTER_STOP_H
#define CLUSTER_STOP_H

#include <stdbool.h>

// What stops or saves waits, until there are handlers or it is let go: called before anything that
// takes time, so that no signal ends a process that is about to save.
void stop_hold(void);

// What was held takes its usual course.
void stop_let_go(void);

// Installs the handlers, and lets what was held go to them.
void stop_install(void);

// Seconds (at least 1, in whole ones) from SIGTERM or SIGINT to the end; before: without a limit.
void stop_set_grace(double seconds);

// Seconds until this process ends, saved or not; negative: no end is near.
int stop_seconds_left(void);

// Ends this process with `code` after so many seconds, unless it is called again before; 0 = never
// any more. For calls of MPI that wait for ever for a rank that has died.
void stop_guard(unsigned seconds, int code);

// Asks this process to stop, as a signal would.
void stop_request(void);

// Whether to stop.
bool stop_requested(void);

// Whether to save now and go on; true once per request.
bool stop_save_requested(void);

#endif  // CLUSTER_STOP_H
