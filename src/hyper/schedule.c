// schedule.c - a table of knots from a CSV file, its values in between, and back to CSV.
//
// A Reader goes line by line: the header decides which hyperparameters there are and whether the
// key is the index of a decision or the progress of the run; each following line is a knot, whose
// key must rise. Numbers are written with as many digits as give the same double again, so that an
// exported schedule replays to the same bits.
//
// The real ratio is interpolated between knots, whole numbers are interpolated and rounded, and
// whether to train holds from its knot to the next: there is nothing between yes and no. Schedules
// by progress stretch with the length of a run, schedules by decision do not.
#include "hyper/schedule.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "store/files.h"

#define MOST_COLUMNS (HEAD_COUNT + 1)

static const struct {
  double low, high;
  bool integer;
} ranges[HEAD_COUNT] = {
    [HEAD_TRAIN_MODEL] = {0, 1, true},
    [HEAD_REAL_RATIO] = {0, 1, false},
    [HEAD_POLICY_UPDATES] = {0, 1000, false},
    [HEAD_ROLLOUT_LENGTH] = {1, 1000, false},
};

// Reading -----------------------------------------------------------------------------------------

typedef struct {
  Schedule* schedule;
  const char* path;
  int line;
  int columns;             // 0: the header was not read yet
  int head[MOST_COLUMNS];  // of each column; the first is the key
  Error* error;
} Reader;

// Cuts a line at its commas, without the space around them. False: there are too many.
static bool split(char* cells[MOST_COLUMNS], int* count, char* line) {
  *count = 0;
  for (char* cell = strsep(&line, ","); cell; cell = strsep(&line, ",")) {
    if (*count == MOST_COLUMNS) {
      return false;
    }
    cell += strspn(cell, " \t");
    size_t size = strlen(cell);
    while (size > 0 && strchr(" \t\r", cell[size - 1])) {
      cell[--size] = '\0';
    }
    cells[(*count)++] = cell;
  }
  return true;
}

static int find_head(const char* name) {
  int head = HEAD_COUNT - 1;
  while (head >= 0 && strcmp(head_name((HyperHead)head), name) != 0) {
    head--;
  }
  return head;
}

static bool read_header(Reader* r, char** cells, int count) {
  Schedule* s = r->schedule;
  s->by_progress = strcmp(cells[0], "progress") == 0;
  if (!s->by_progress && strcmp(cells[0], "decision") != 0) {
    return error_set(r->error, "%s:%d: the first column is '%.40s', expected decision or progress",
                     r->path, r->line, cells[0]);
  }
  for (int i = 1; i < count; i++) {
    r->head[i] = find_head(cells[i]);
    if (r->head[i] < 0 || s->has[r->head[i]]) {
      return error_set(r->error,
                       "%s:%d: column '%.40s' is unknown or occurs twice, expected train_model, "
                       "real_ratio, policy_updates, rollout_length",
                       r->path, r->line, cells[i]);
    }
    s->has[r->head[i]] = true;
  }
  r->columns = count;
  return count > 1 || error_set(r->error, "%s:%d: no hyperparameter, expected at least one column "
                                "beside '%s'", r->path, r->line, cells[0]);
}

static bool read_number(double* value, Reader* r, const char* name, const char* cell, double low,
                        double high, bool integer) {
  if (text_read_number(value, cell) && *value >= low && *value <= high &&
      (!integer || *value == floor(*value))) {
    return true;
  }
  return error_set(r->error, "%s:%d: %s is '%.40s', expected %s from %g to %g", r->path, r->line,
                   name, cell, integer ? "an integer" : "a number", low, high);
}

static bool read_knot(Reader* r, char** cells, int count) {
  Schedule* s = r->schedule;
  int n = s->knots++;
  if (count != r->columns) {
    return error_set(r->error, "%s:%d: %d columns, expected %d", r->path, r->line, count,
                     r->columns);
  }
  if (!read_number(&s->key[n], r, s->by_progress ? "progress" : "decision", cells[0], 0,
                   s->by_progress ? 1 : 1e9, !s->by_progress)) {
    return false;
  }
  if (n > 0 && s->key[n] <= s->key[n - 1]) {
    return error_set(r->error, "%s:%d: '%s' does not come after the line before", r->path, r->line,
                     cells[0]);
  }
  for (int i = 1; i < count; i++) {
    int h = r->head[i];
    if (!read_number(&s->value[n * HEAD_COUNT + h], r, head_name((HyperHead)h), cells[i],
                     ranges[h].low, ranges[h].high, ranges[h].integer)) {
      return false;
    }
  }
  return true;
}

// Empty lines and those that begin with # say nothing.
static bool read_line(Reader* r, char* line) {
  char* cells[MOST_COLUMNS] = {0};
  int count;
  r->line++;
  if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#') {
    return true;
  }
  if (!split(cells, &count, line)) {
    return error_set(r->error, "%s:%d: more than %d columns", r->path, r->line, MOST_COLUMNS);
  }
  return r->columns == 0 ? read_header(r, cells, count) : read_knot(r, cells, count);
}

bool schedule_read(Schedule* s, const char* path, Arena* arena, Error* error) {
  char* text;
  size_t size;
  *s = (Schedule){0};
  if (!files_read(&text, &size, path, arena, error)) {
    return false;
  }
  int lines = 1;
  for (const char* at = text; (at = strchr(at, '\n')); at++) {
    lines++;
  }
  s->key = ARENA_NEW(arena, lines, double);
  s->value = ARENA_NEW(arena, lines * HEAD_COUNT, double);
  Reader reader = {.schedule = s, .path = path, .error = error};
  for (char* line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
    if (!read_line(&reader, line)) {
      return false;
    }
  }
  return s->knots > 0 ||
         error_set(error, "%s: not a schedule, expected a header and at least one line", path);
}

// -------------------------------------------------------------------------------------------------

double schedule_value(const Schedule* s, HyperHead h, int decision, double progress) {
  double at = s->by_progress ? progress : decision;
  int n = 0;
  while (n + 1 < s->knots && s->key[n + 1] <= at) {
    n++;
  }
  double value = s->value[n * HEAD_COUNT + (int)h];
  if (h == HEAD_TRAIN_MODEL || n + 1 == s->knots || at <= s->key[n]) {
    return h == HEAD_REAL_RATIO ? value : round(value);
  }
  double share = (at - s->key[n]) / (s->key[n + 1] - s->key[n]);
  value += share * (s->value[(n + 1) * HEAD_COUNT + (int)h] - value);
  return h == HEAD_REAL_RATIO ? value : round(value);
}

void schedule_format(const Schedule* s, Text* text) {
  char number[TEXT_NUMBER_SIZE];
  text_add(text, "%s", s->by_progress ? "progress" : "decision");
  for (int h = 0; h < HEAD_COUNT; h++) {
    text_add(text, s->has[h] ? ",%s" : "", head_name((HyperHead)h));
  }
  for (int n = 0; n < s->knots; n++) {
    text_number(number, s->key[n]);
    text_add(text, "\n%s", number);
    for (int h = 0; h < HEAD_COUNT; h++) {
      text_number(number, s->value[n * HEAD_COUNT + h]);
      text_add(text, s->has[h] ? ",%s" : "", number);
    }
  }
  text_add(text, "\n");
}
