// log.h - one event a line, for people and grep; and the progress line.
//
//   2026-01-31T12:34:56Z INFO  r3 e17 s4000 model: epochs=21 val_loss=0.0131 took=2.1s
//
// Time in UTC, level, rank, hyper-episode, real samples, topic, then key=value. Only rank 0 prints
// below WARN. Lines go to stderr and, if one was opened, to a file; the progress line is redrawn on
// a terminal and printed once an interval elsewhere, never with control characters. Nothing here
// enters a result.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define LOG_LEVELS "debug|info|warn|error|quiet"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_QUIET } LogLevel;

typedef struct {
  LogLevel level;          // least that is printed
  int rank;
  FILE* stream;            // stderr, unless a test changes it
  int file;                // descriptor of the log file, or -1
  bool terminal;           // stream is one that can redraw a line
  bool drawn;              // a progress line stands there
  double interval;         // seconds between progress lines elsewhere
  double progress_at;      // monotonic seconds of the last progress line; < 0: none
} Log;

// Where an event happened; -1 = not within one.
typedef struct {
  int64_t hyper_episode;
  int64_t env_step;
} LogPlace;

#define LOG_NOWHERE ((LogPlace){-1, -1})

// `level` is one of LOG_LEVELS. interval: seconds between progress lines in a log.
void log_init(Log* log, const char* level, int rank, double interval);

// Appends what is printed from now on to a file, too.
bool log_open(Log* log, const char* path, Error* error);
void log_close(Log* log);

// Whether this rank prints events of this level.
bool log_prints(const Log* log, LogLevel level);

void log_event(Log* log, LogLevel level, LogPlace place, const char* topic, const char* format, ...)
    __attribute__((format(printf, 5, 6)));

// Whether it is time for another progress line: at most 4 a second on a terminal.
bool log_progress_due(const Log* log);

// Draws or prints a progress line, whether due or not.
void log_progress(Log* log, const char* format, ...) __attribute__((format(printf, 2, 3)));

// "11h27m", "3m05s", "unknown" (NaN or infinite).
#define LOG_DURATION_SIZE 32
void log_duration(char out[LOG_DURATION_SIZE], double seconds);

// Now, as "2026-01-31T12:34:56Z".
#define LOG_TIME_SIZE 32
void log_time(char out[LOG_TIME_SIZE]);

#endif  // BASE_LOG_H
