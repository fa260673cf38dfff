#define _GNU_SOURCE
#include "base/stopwatch.h"

#include <math.h>
#include <time.h>

static double read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_wall(void) { return read_clock(CLOCK_MONOTONIC); }

double clock_processor(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

double clock_date(void) { return read_clock(CLOCK_REALTIME); }

double clock_processor_of(int process) {
  clockid_t clock;
  return clock_getcpuclockid(process, &clock) == 0 ? read_clock(clock) : NAN;
}

bool reminder_due(Reminder* r) {
  double now = clock_wall();
  bool anew = r->interval == 0 || now > r->due + r->interval;
  if (!anew && now < r->due) {
    return false;
  }
  r->interval = anew ? 10 : fmin(3600, 2 * r->interval);
  r->due = now + r->interval;
  return true;
}

Stopwatch stopwatch_start(void) { return (Stopwatch){clock_processor()}; }

void stopwatch_lap(Stopwatch* watch, double* part) {
  double now = clock_processor();
  *part += now - watch->last;
  watch->last = now;
}
