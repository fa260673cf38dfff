// options_value.c - the value of one option: from text, to text, its range and its default.
//
// Each kind of option has a parser, a formatter and a size, and the switches over the kinds are all
// here: a new kind is a row in each. Formatting inverts parsing exactly: a configuration that is
// dumped and loaded again is the same to the bit.
//
// Parsing is strict where a guess could train the wrong thing for days. An integer may be written
// as 50e3, but not beyond 2^53, where a double no longer holds each integer; ranges of integers are
// compared as integers; the unused bytes of a text are zero, so that equal values are equal bytes.
#include "base/options_value.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double kilo = 1024.0;

// Reads a whole number of at most six digits.
static bool read_digits(double* value, const char** at) {
  size_t digits = strspn(*at, "0123456789");
  *value = atoi(*at);
  *at += digits;
  return digits > 0 && digits <= 6;
}

// Parses a time as sbatch takes it: M:S, H:M:S, D-H, D-H:M, D-H:M:S. Only the first part may be as
// large as it likes.
static bool parse_slurm_time(double* seconds, const char* text) {
  static const double unit[] = {86400, 3600, 60, 1}, most[] = {INFINITY, 23, 59, 59};
  double part[4] = {0};
  const char* at = text;
  bool has_days = text[strspn(text, "0123456789")] == '-';
  int count = 0;
  do {
    at += count > 0;  // the mark between two parts
    if (count == 4 || !read_digits(&part[count++], &at)) {
      return false;
    }
  } while (*at == (has_days && count == 1 ? '-' : ':'));
  int first = has_days ? 0 : 4 - count;  // without days the last part is seconds
  bool good = !*at && count >= 2 && (has_days || count <= 3);
  *seconds = 0;
  for (int i = 0; good && i < count; i++) {
    good = i == 0 || part[i] <= most[first + i];
    *seconds += unit[first + i] * part[i];
  }
  return good;
}

// Parses a run of numbers with units, "23h50m".
static bool parse_units(double* seconds, const char* text) {
  *seconds = 0.0;
  const char* at = text;
  while (*at) {
    size_t digits = strspn(at, ".0123456789");
    char number[32];
    const char* units = "dhms";
    static const double scale[] = {86400.0, 3600.0, 60.0, 1.0};
    const char* unit = at[digits] ? strchr(units, at[digits]) : NULL;
    double part;
    if (!unit || digits >= sizeof number) {
      return false;
    }
    memcpy(number, at, digits);
    number[digits] = '\0';
    if (!text_read_number(&part, number)) {
      return false;
    }
    *seconds += part * scale[unit - units];
    at += digits + 1;
  }
  return at != text;
}

bool option_parse_time(double* seconds, const char* text, double unit, Error* error) {
  if (text_read_number(seconds, text)) {
    *seconds *= unit;
    return true;
  }
  return parse_slurm_time(seconds, text) || parse_units(seconds, text) ||
         error_set(error,
                   "must be a time, such as 90 (%s), 2s, 15m, 23h50m or, as Slurm writes it, "
                   "02:30:00 or 1-12 (minutes and seconds up to 59; behind days, hours up to 23)",
                   unit == 60 ? "minutes" : "seconds");
}

static bool parse_size(double* bytes, const char* text) {
  size_t digits = strspn(text, "+-.0123456789eE");
  char number[32];
  if (digits >= sizeof number) {
    return false;
  }
  memcpy(number, text, digits);
  number[digits] = '\0';
  const char* units = "KMGT";
  const char* unit = text[digits] ? strchr(units, text[digits]) : NULL;
  if (!text_read_number(bytes, number) || (text[digits] && (!unit || text[digits + 1]))) {
    return false;
  }
  *bytes *= unit ? pow(kilo, (double)(unit - units + 1)) : 1.0;
  return isfinite(*bytes);
}

static void format_number(const OptionRow* row, double value, Text* out);

static bool out_of_range(const OptionRow* row, Error* error) {
  Arena arena;
  Text text;
  arena_init(&arena);
  text_init(&text, &arena);
  text_add(&text, "must be in [");
  format_number(row, row->smallest, &text);
  text_add(&text, ", ");
  format_number(row, row->largest, &text);
  text_add(&text, "]");
  error_set(error, "%s", text.bytes);
  arena_free(&arena);
  return false;
}

static bool check_range(const OptionRow* row, double value, Error* error) {
  return (value >= row->smallest && value <= row->largest) || out_of_range(row, error);
}

// Whether the digits of a 64-bit number make up all of `text`.
static bool parse_digits(int64_t* value, const char* text) {
  char* end;
  size_t sign = *text == '+' || *text == '-';
  errno = 0;
  *value = strtoll(text, &end, 10);
  return text[sign] >= '0' && text[sign] <= '9' && !*end && errno == 0;
}

// An integer, also when written as 50e3, but not as 2.5, nor as 1e16, coarser than integers.
static bool parse_integer(int64_t* value, const OptionRow* row, const char* text, Error* error) {
  double number;
  if (!parse_digits(value, text)) {
    bool readable =
        row->kind == OPTION_SIZE ? parse_size(&number, text) : text_read_number(&number, text);
    if (!readable) {
      return error_set(error, row->kind == OPTION_SIZE
                                  ? "must be a number of bytes, such as 500M or 20G"
                                  : "must be an integer");
    }
    if (number != floor(number)) {
      return error_set(error, "must be an integer");
    }
    if (fabs(number) > 0x1p53) {
      return check_range(row, number, error) &&
             error_set(error, fabs(number) >= 0x1p63 ? "must be a 64-bit integer"
                                                     : "must be written with all its digits");
    }
    *value = (int64_t)number;
  }
  // in integers: as a double, 2^53 + 1 is not above 2^53
  bool low = row->smallest <= -0x1p63 || *value >= (int64_t)row->smallest;
  bool high = row->largest >= 0x1p63 || *value <= (int64_t)row->largest;
  return (low && high) || out_of_range(row, error);
}

static bool parse_real(double* value, const OptionRow* row, const char* text, Error* error) {
  bool good = row->kind == OPTION_TIME
                  ? option_parse_time(value, text, 1, error)
                  : text_read_number(value, text) || error_set(error, "must be a number");
  return good && check_range(row, *value, error);
}

static bool parse_auto(double* value, const OptionRow* row, const char* text, Error* error) {
  if (strcmp(text, "auto") == 0) {
    *value = NAN;
    return true;
  }
  return (text_read_number(value, text) || error_set(error, "must be auto or a number")) &&
         check_range(row, *value, error);
}

static bool parse_flag(bool* value, const char* text, Error* error) {
  bool yes = strcmp(text, "true") == 0;
  if (!yes && strcmp(text, "false") != 0) {
    return error_set(error, "must be true or false");
  }
  *value = yes;
  return true;
}

static bool parse_text(char* value, const char* text, Error* error) {
  if (strlen(text) >= OPTION_TEXT_SIZE) {
    return error_set(error, "must be shorter than %d characters", OPTION_TEXT_SIZE);
  }
  if (!text_is_printable(text)) {
    return error_set(error, "must be printable UTF-8 in one line");
  }
  memset(value, 0, OPTION_TEXT_SIZE);
  memcpy(value, text, strlen(text));
  return true;
}

// Whether `word` is one of "a|b|c".
static bool is_one_of(const char* words, const char* word) {
  size_t size = strlen(word);
  const char* at = words;
  while (at) {
    size_t length = strcspn(at, "|");
    if (length == size && memcmp(at, word, size) == 0) {
      return true;
    }
    at = at[length] ? at + length + 1 : NULL;
  }
  return false;
}

static bool parse_choice(char* value, const OptionRow* row, const char* text, Error* error) {
  if (!*text || strlen(text) >= OPTION_CHOICE_SIZE || !is_one_of(row->words, text)) {
    return error_set(error, "must be one of %s", row->words);
  }
  memset(value, 0, OPTION_CHOICE_SIZE);
  memcpy(value, text, strlen(text));
  return true;
}

bool option_parse_list(const OptionRow* row, OptionList* field, const char* const* items, int count,
                       Error* error) {
  OptionList list = {0};
  if (count > OPTION_LIST_SIZE) {
    return error_set(error, "must have at most %d items", OPTION_LIST_SIZE);
  }
  for (int i = 0; i < count; i++) {
    if (!text_read_number(&list.value[i], items[i])) {
      return error_set(error, "item %d must be a number", i + 1);
    }
    if (!check_range(row, list.value[i], error)) {
      return error_add(error, "item %d", i + 1);
    }
  }
  list.count = count;
  *field = list;
  return true;
}

// A list from "[1, 2]" or a single number.
static bool parse_list_text(const OptionRow* row, OptionList* field, const char* text,
                            Error* error) {
  char copy[OPTION_LIST_SIZE * TEXT_NUMBER_SIZE];
  size_t size = strlen(text);
  bool bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
  if (size >= sizeof copy) {
    return error_set(error, "is too long for a list of %d numbers", OPTION_LIST_SIZE);
  }
  memcpy(copy, text + bracketed, size - 2 * (size_t)bracketed);
  copy[size - 2 * (size_t)bracketed] = '\0';
  const char* items[OPTION_LIST_SIZE + 1];
  int count = 0;
  char* rest = copy;
  for (char* item = strtok_r(rest, ", ", &rest); item && count <= OPTION_LIST_SIZE;
       item = strtok_r(NULL, ", ", &rest)) {
    items[count++] = item;
  }
  return option_parse_list(row, field, items, count, error);
}

bool option_parse(const OptionRow* row, void* field, const char* text, Error* error) {
  int64_t whole = 0;
  double real = 0.0;
  switch (row->kind) {
    case OPTION_INT:
    case OPTION_LONG:
    case OPTION_SIZE:
      if (!parse_integer(&whole, row, text, error)) {
        return false;
      }
      if (row->kind == OPTION_INT) {
        *(int*)field = (int)whole;
      } else {
        *(int64_t*)field = whole;
      }
      return true;
    case OPTION_REAL:
    case OPTION_TIME:
      if (!parse_real(&real, row, text, error)) {
        return false;
      }
      *(double*)field = real;
      return true;
    case OPTION_AUTO:
      if (!parse_auto(&real, row, text, error)) {
        return false;
      }
      *(double*)field = real;
      return true;
    case OPTION_FLAG:
      return parse_flag(field, text, error);
    case OPTION_TEXT:
      return parse_text(field, text, error);
    case OPTION_CHOICE:
      return parse_choice(field, row, text, error);
    case OPTION_LIST:
      return parse_list_text(row, field, text, error);
  }
  CHECK(false, "option '%s': unknown kind %d", row->name, (int)row->kind);
  return false;
}

// Whole seconds as "1d2h3m4s", others as a plain number.
static void format_time(double seconds, Text* out) {
  char number[TEXT_NUMBER_SIZE];
  if (seconds < 0.0 || seconds != floor(seconds) || seconds >= 0x1p53) {
    text_number(number, seconds);
    text_add(out, "%s", number);
    return;
  }
  static const int64_t scale[] = {86400, 3600, 60, 1};
  int64_t left = (int64_t)seconds;
  for (int i = 0; i < 4; i++) {
    int64_t part = left / scale[i];
    left -= part * scale[i];
    if (part > 0 || (i == 3 && seconds == 0.0)) {
      text_add(out, "%lld%c", (long long)part, "dhms"[i]);
    }
  }
}

static void format_size(int64_t bytes, Text* out) {
  const char* unit = "";
  static const char* const units[] = {"K", "M", "G", "T"};
  for (int i = 0; i < 4 && bytes != 0 && bytes % 1024 == 0; i++) {
    bytes /= 1024;
    unit = units[i];
  }
  text_add(out, "%lld%s", (long long)bytes, unit);
}

static void format_number(const OptionRow* row, double value, Text* out) {
  char number[TEXT_NUMBER_SIZE];
  if (row->kind == OPTION_TIME) {
    format_time(value, out);
  } else if (row->kind == OPTION_AUTO && isnan(value)) {
    text_add(out, "auto");
  } else if (row->kind == OPTION_SIZE && fabs(value) < 0x1p63) {
    format_size((int64_t)value, out);
  } else if (row->kind == OPTION_INT || (row->kind == OPTION_LONG && fabs(value) < 0x1p53)) {
    text_add(out, "%lld", (long long)value);
  } else {
    text_number(number, value);
    text_add(out, "%s", number);
  }
}

static void format_list(const OptionList* list, Text* out) {
  char number[TEXT_NUMBER_SIZE];
  text_add(out, "[");
  for (int i = 0; i < list->count; i++) {
    text_number(number, list->value[i]);
    text_add(out, "%s%s", i ? ", " : "", number);
  }
  text_add(out, "]");
}

void option_format(const OptionRow* row, const void* field, Text* out) {
  switch (row->kind) {
    case OPTION_INT:
      text_add(out, "%d", *(const int*)field);
      return;
    case OPTION_LONG:
      text_add(out, "%lld", (long long)*(const int64_t*)field);
      return;
    case OPTION_SIZE:
      format_size(*(const int64_t*)field, out);
      return;
    case OPTION_REAL:
    case OPTION_AUTO:
    case OPTION_TIME:
      format_number(row, *(const double*)field, out);
      return;
    case OPTION_FLAG:
      text_add(out, "%s", *(const bool*)field ? "true" : "false");
      return;
    case OPTION_TEXT:
    case OPTION_CHOICE:
      text_add_scalar(out, field);
      return;
    case OPTION_LIST:
      format_list(field, out);
      return;
  }
}

void option_format_default(const OptionRow* row, Text* out) {
  union {
    OptionList list;
    char text[OPTION_TEXT_SIZE];
  } field;
  option_set_default(row, &field);
  option_format(row, &field, out);
}

void option_format_range(const OptionRow* row, Text* out) {
  static const char* const kinds[] = {
      [OPTION_INT] = "integer",   [OPTION_LONG] = "integer", [OPTION_REAL] = "number",
      [OPTION_FLAG] = "flag",     [OPTION_TIME] = "time",    [OPTION_SIZE] = "bytes",
      [OPTION_TEXT] = "any text", [OPTION_CHOICE] = "one of", [OPTION_LIST] = "list of numbers",
      [OPTION_AUTO] = "auto or number",
  };
  text_add(out, "%s", kinds[row->kind]);
  if (row->kind == OPTION_FLAG) {
    text_add(out, " true|false");
  } else if (row->kind == OPTION_CHOICE) {
    text_add(out, " %s", row->words);
  } else if (row->kind != OPTION_TEXT) {
    text_add(out, " in [");
    format_number(row, row->smallest, out);
    text_add(out, ", ");
    format_number(row, row->largest, out);
    text_add(out, "]");
  }
}

size_t option_size(const OptionRow* row) {
  static const size_t sizes[] = {
      [OPTION_INT] = sizeof(int),          [OPTION_LONG] = sizeof(int64_t),
      [OPTION_REAL] = sizeof(double),      [OPTION_FLAG] = sizeof(bool),
      [OPTION_TIME] = sizeof(double),      [OPTION_SIZE] = sizeof(int64_t),
      [OPTION_TEXT] = OPTION_TEXT_SIZE,    [OPTION_CHOICE] = OPTION_CHOICE_SIZE,
      [OPTION_LIST] = sizeof(OptionList),  [OPTION_AUTO] = sizeof(double),
  };
  return sizes[row->kind];
}

void option_set_default(const OptionRow* row, void* field) {
  Error error = {0};
  switch (row->kind) {
    case OPTION_INT:
      *(int*)field = (int)row->number;
      break;
    case OPTION_LONG:
    case OPTION_SIZE:
      *(int64_t*)field = (int64_t)row->number;
      break;
    case OPTION_REAL:
    case OPTION_AUTO:
    case OPTION_TIME:
      *(double*)field = row->number;
      break;
    case OPTION_FLAG:
      *(bool*)field = row->number != 0.0;
      break;
    case OPTION_TEXT:
    case OPTION_CHOICE:
    case OPTION_LIST:
      CHECK(option_parse(row, field, row->text, &error), "default of option '%s' %s", row->name,
            error.text);
      return;
  }
  bool is_auto = row->kind == OPTION_AUTO && isnan(row->number);
  CHECK(is_auto || (row->number >= row->smallest && row->number <= row->largest),
        "default of option '%s' is out of range", row->name);
}
