#define _GNU_SOURCE
#include "base/moment.h"

#include <math.h>
#include <time.h>

#include "base/stopwatch.h"

#define FORMAT "%Y-%m-%dT%H:%M:%SZ"

void moment_write(char out[MOMENT_SIZE], double date) {
  time_t seconds = (time_t)date;
  struct tm utc;
  strftime(out, MOMENT_SIZE, FORMAT, gmtime_r(&seconds, &utc));
}

void moment_now(char out[MOMENT_SIZE]) { moment_write(out, clock_date()); }

double moment_age(const char* moment) {
  struct tm utc = {0};
  const char* end = strptime(moment, FORMAT, &utc);
  return end && *end == '\0' ? fmax(0, difftime((time_t)clock_date(), timegm(&utc))) : NAN;
}
