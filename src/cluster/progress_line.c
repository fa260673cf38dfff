#include "cluster/progress_line.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_COLUMNS 80

int progress_columns(void) {
  struct winsize window = {0};
  const char* columns = getenv("COLUMNS");
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    return window.ws_col;
  }
  return columns && atoi(columns) > 0 ? atoi(columns) : USUAL_COLUMNS;
}

void progress_duration(char out[32], double seconds) {
  if (!isfinite(seconds)) {
    snprintf(out, 32, "?");
    return;
  }
  int total = (int)fmin(seconds, 1e9);
  if (total >= 3600) {
    snprintf(out, 32, "%dh%02dm", total / 3600, total / 60 % 60);
  } else {
    snprintf(out, 32, "%dm%02ds", total / 60, total % 60);
  }
}

// Appends a part if there is room for all of it.
__attribute__((format(printf, 3, 4))) static void add(char* out, size_t size, const char* format,
                                                      ...) {
  char part[96];
  size_t used = strlen(out);
  va_list args;
  va_start(args, format);
  int length = vsnprintf(part, sizeof part, format, args);
  va_end(args);
  if (length > 0 && (size_t)length < sizeof part && used + (size_t)length < size) {
    strcpy(out + used, part);
  }
}

void progress_line(char* out, size_t size, const ProgressFacts* f) {
  char eta[32];
  progress_duration(eta, f->eta);
  out[0] = '\0';
  add(out, size, "%.0f%%  ETA %s  %lld/%lld hyper-episodes", 100 * f->share, eta,
      (long long)f->sealed, (long long)f->total);
  if (f->learns) {
    add(out, size, "  stage %d", f->stage);
  }
  if (f->diverged > 0) {
    add(out, size, "  %lld diverged", (long long)f->diverged);
  }
  if (f->running) {
    add(out, size, "  epoch %d/%d", f->running->epochs, f->epochs);
    add(out, size, "  return %.4g", f->running->eval_return);
    add(out, size, "  %lld samples", (long long)f->running->env_step);
  }
  if (f->best_episode >= 0) {
    add(out, size, "  best %.4g (#%lld)", f->best_score, (long long)f->best_episode);
  }
  add(out, size, "  %.0f samples/s", f->steps_per_second);
}
