// stopwatch.h - how long the parts of a computation take: for reports, never for results.
#ifndef BASE_STOPWATCH_H
#define BASE_STOPWATCH_H

#include <stdbool.h>

typedef struct {
  double last;  // clock_processor at the start or at the last lap
} Stopwatch;

// Seconds of a clock that only goes forward; and of processor time of this thread, which is what
// passes while it works alone or with others (base/team.h), if nothing else has its cores.
double clock_wall(void);
double clock_processor(void);

// Seconds since 1970, of a clock that people set: for deadlines and reports.
double clock_date(void);

// Processor time of another process on this machine; NaN if there is none.
double clock_processor_of(int process);

// When to say what would be said too often: at once, and after 10 seconds, 20, 40 ... an hour;
// anew when there was nothing to say for longer than that. Zero to begin with.
typedef struct {
  double due, interval;
} Reminder;

bool reminder_due(Reminder* reminder);

Stopwatch stopwatch_start(void);

// *part += seconds of processor time since the start or the last lap.
void stopwatch_lap(Stopwatch* watch, double* part);

#endif  // BASE_STOPWATCH_H
