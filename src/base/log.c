#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_INTERVAL 0.25  // seconds between two progress lines on a terminal
#define LONGEST_LINE 2048

static double monotonic(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void log_time(char out[LOG_TIME_SIZE]) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, LOG_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void log_duration(char out[LOG_DURATION_SIZE], double seconds) {
  if (!isfinite(seconds) || seconds > 1e12) {
    snprintf(out, LOG_DURATION_SIZE, "unknown");
    return;
  }
  int64_t s = (int64_t)fmax(0.0, seconds);
  if (s >= 3600) {
    snprintf(out, LOG_DURATION_SIZE, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
  } else if (s >= 60) {
    snprintf(out, LOG_DURATION_SIZE, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
  } else {
    snprintf(out, LOG_DURATION_SIZE, "%" PRId64 "s", s);
  }
}

static LogLevel parse_level(const char* name) {
  static const char* const names[] = {"debug", "info", "warn", "error", "quiet"};
  for (int level = LOG_DEBUG; level <= LOG_QUIET; level++) {
    if (strcmp(names[level], name) == 0) {
      return (LogLevel)level;
    }
  }
  CHECK(false, "unknown log level '%s'", name);
  return LOG_INFO;
}

void log_init(Log* log, const char* level, int rank, double interval) {
  *log = (Log){.level = parse_level(level), .rank = rank, .stream = stderr, .file = -1};
  const char* term = getenv("TERM");
  log->terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
  log->interval = interval;
  log->progress_at = -1.0;
}

bool log_open(Log* log, const char* path, Error* error) {
  log->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  return log->file >= 0 || error_errno(error, path);
}

void log_close(Log* log) {
  if (log->file >= 0) {
    close(log->file);
  }
  log->file = -1;
}

bool log_prints(const Log* log, LogLevel level) {
  return level >= log->level && level < LOG_QUIET && (log->rank == 0 || level >= LOG_WARN);
}

// Prints one line, given without its end. A log that cannot be written must not end a run.
static void put_line(Log* log, char* line) {
  size_t size = strlen(line);
  line[size++] = '\n';
  if (log->drawn) {
    fputs("\r\033[K", log->stream);
    log->drawn = false;
  }
  fwrite(line, 1, size, log->stream);
  fflush(log->stream);
  if (log->file >= 0 && write(log->file, line, size) < 0) {
    log_close(log);
  }
}

void log_event(Log* log, LogLevel level, LogPlace place, const char* topic, const char* format,
               ...) {
  static const char* const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
  if (!log_prints(log, level)) {
    return;
  }
  char line[LONGEST_LINE + 1];
  char episode[32] = "", step[32] = "", now[LOG_TIME_SIZE];
  if (place.hyper_episode >= 0) {
    snprintf(episode, sizeof episode, " e%" PRId64, place.hyper_episode);
  }
  if (place.env_step >= 0) {
    snprintf(step, sizeof step, " s%" PRId64, place.env_step);
  }
  log_time(now);
  int used = snprintf(line, LONGEST_LINE, "%s %s r%d%s%s %.64s: ", now, names[level], log->rank,
                      episode, step, topic);
  va_list args;
  va_start(args, format);
  vsnprintf(line + used, (size_t)(LONGEST_LINE - used), format, args);
  va_end(args);
  put_line(log, line);
}

bool log_progress_due(const Log* log) {
  if (log->rank != 0 || log->level >= LOG_QUIET) {
    return false;
  }
  double interval = log->terminal ? REDRAW_INTERVAL : log->interval;
  return log->progress_at < 0.0 || monotonic() - log->progress_at >= interval;
}

void log_progress(Log* log, const char* format, ...) {
  if (log->rank != 0 || log->level >= LOG_QUIET) {
    return;
  }
  char line[LONGEST_LINE + 1];
  va_list args;
  va_start(args, format);
  vsnprintf(line, LONGEST_LINE, format, args);
  va_end(args);
  log->progress_at = monotonic();
  if (log->terminal) {
    fprintf(log->stream, "\r\033[K%s", line);
    fflush(log->stream);
    log->drawn = true;
  } else {
    put_line(log, line);
  }
}
