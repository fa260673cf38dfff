// moment.h - moments as the project's JSON files have them: "2026-01-31T12:00:00Z".
#ifndef BASE_MOMENT_H
#define BASE_MOMENT_H

#define MOMENT_SIZE 32

// Seconds since 1970 as text; and now.
void moment_write(char out[MOMENT_SIZE], double date);
void moment_now(char out[MOMENT_SIZE]);

// Seconds since a moment, by this machine's calendar; 0 if it is to come, NaN if it is none.
double moment_age(const char* moment);

#endif  // BASE_MOMENT_H
