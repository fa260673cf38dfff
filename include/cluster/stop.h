// stop.h - requests from outside to stop or to save: signals and the deadline.
//
// A handler only sets a flag; it is read at safe points, between two units of work. SIGUSR1,
// SIGTERM and SIGINT: save and stop (a second SIGINT ends the process at once). SIGUSR2: save and
// go on.
#ifndef CLUSTER_STOP_H
#define CLUSTER_STOP_H

#include <stdbool.h>

// Installs the handlers.
void stop_install(void);

// Asks this process to stop, as a signal would.
void stop_request(void);

// Whether to stop.
bool stop_requested(void);

// Whether to save now and go on; true once per request.
bool stop_save_requested(void);

#endif  // CLUSTER_STOP_H
