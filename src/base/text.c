// text.c - strings that grow, and the few questions that are asked of text everywhere.
//
// A Text doubles its bytes in its arena when it is full. Numbers are written with as few of 15 to
// 17 digits as read back to the same double. Quoting escapes whatever is not printable UTF-8: names
// and values from outside end in terminals, in YAML and in JSON, and none of them may be changed by
// what a file happened to contain.
//
// The distance of two words is Damerau's (edits, and two neighbours swapped, which is the commonest
// mistyping), over three rows in turn. It only serves to suggest a name, so long words are cut.
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void text_init(Text* text, Arena* arena) {
  *text = (Text){.arena = arena, .capacity = 256};
  text->bytes = arena_alloc(arena, text->capacity);
}

// Makes room for `size` more characters and the terminator.
static void text_grow(Text* text, size_t size) {
  if (text->size + size < text->capacity) {
    return;
  }
  text->capacity = 2 * (text->size + size + 1);
  char* bytes = arena_alloc(text->arena, text->capacity);
  memcpy(bytes, text->bytes, text->size + 1);
  text->bytes = bytes;
}

void text_add_bytes(Text* text, const char* bytes, size_t size) {
  text_grow(text, size);
  memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
  text->bytes[text->size] = '\0';
}

void text_add_size(Text* text, int width, double bytes) {
  static const char* const units[] = {"kB", "MB", "GB", "TB"};
  int unit = 0;
  for (bytes *= 1e-3; bytes >= 999.5 && unit < 3; bytes *= 1e-3) {
    unit++;
  }
  text_add(text, "%*.3g %s", width, bytes, units[unit]);
}

static void text_add_args(Text* text, const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  CHECK(size >= 0, "text_add: bad format '%s'", format);
  text_grow(text, (size_t)size);
  vsnprintf(text->bytes + text->size, (size_t)size + 1, format, again);
  text->size += (size_t)size;
  va_end(again);
}

void text_add(Text* text, const char* format, ...) {
  va_list args;
  va_start(args, format);
  text_add_args(text, format, args);
  va_end(args);
}

char* text_format(Arena* arena, const char* format, ...) {
  Text text;
  text_init(&text, arena);
  va_list args;
  va_start(args, format);
  text_add_args(&text, format, args);
  va_end(args);
  return text.bytes;
}

void text_number(char out[TEXT_NUMBER_SIZE], double value) {
  if (isnan(value)) {
    snprintf(out, TEXT_NUMBER_SIZE, "nan");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(out, TEXT_NUMBER_SIZE, "%.*g", digits, value);
    if (strtod(out, NULL) == value) {
      return;
    }
  }
}

// Decodes one UTF-8 character; 0 if it is malformed.
static uint32_t next_character(const uint8_t** at) {
  const uint8_t* p = *at;
  int more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
  if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4) {
    return 0;
  }
  static const uint8_t lead_mask[] = {0x7f, 0x1f, 0x0f, 0x07};
  static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  uint32_t character = p[0] & lead_mask[more];
  for (int i = 1; i <= more; i++) {
    if ((p[i] & 0xc0) != 0x80) {
      return 0;
    }
    character = character << 6 | (p[i] & 0x3f);
  }
  *at = p + more + 1;
  return character < smallest[more] ? 0 : character;
}

const char* text_next_directory(const char** list, Arena* arena) {
  const char* at = *list ? *list + strspn(*list, ":") : "";
  size_t size = strcspn(at, ":");
  *list = at + size;
  return size > 0 ? text_format(arena, "%.*s", (int)size, at) : NULL;
}

bool text_read_number(double* value, const char* text) {
  if (!*text || strspn(text, "+-.0123456789eE") != strlen(text)) {
    return false;
  }
  char* end;
  *value = strtod(text, &end);
  return !*end && isfinite(*value);
}

// No control character, line break, surrogate or byte order mark.
static bool is_printable(uint32_t c) {
  bool plane = (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd);
  bool odd = c == 0x2028 || c == 0x2029 || c == 0xfeff;
  return (c >= 0x20 && c <= 0x7e) || (plane && !odd) || (c >= 0x10000 && c <= 0x10ffff);
}

bool text_is_printable(const char* text) {
  const uint8_t* at = (const uint8_t*)text;
  while (*at) {
    if (!is_printable(next_character(&at))) {
      return false;
    }
  }
  return true;
}

void text_add_quoted(Text* out, const char* text) {
  const uint8_t* at = (const uint8_t*)text;
  text_add_bytes(out, "\"", 1);
  while (*at) {
    const uint8_t* start = at;
    uint32_t c = next_character(&at);
    if (c == 0) {
      c = *start;
      at = start + 1;
    }
    if (c == '"' || c == '\\') {
      text_add(out, "\\%c", (char)c);
    } else if (c == '\n' || c == '\t') {
      text_add(out, c == '\n' ? "\\n" : "\\t");
    } else if (is_printable(c) && (c < 0x80 || at > start + 1)) {
      text_add_bytes(out, (const char*)start, (size_t)(at - start));
    } else {
      text_add(out, "\\u%04x", c);
    }
  }
  text_add_bytes(out, "\"", 1);
}

void text_add_shell_word(Text* out, const char* word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (*word && word[strspn(word, plain)] == '\0') {
    text_add(out, "%s", word);
    return;
  }
  text_add(out, "'");
  for (; *word; word++) {
    text_add(out, *word == '\'' ? "'\\''" : "%c", *word);
  }
  text_add(out, "'");
}

void text_add_scalar(Text* out, const char* text) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  bool begins = *text == '/' || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
  if (begins && !text[strspn(text, safe)] && strcmp(text, "null") != 0) {
    text_add(out, "%s", text);
  } else {
    text_add_quoted(out, text);
  }
}

static int smaller(int a, int b) { return a < b ? a : b; }

int text_distance(const char* a, const char* b) {
  int rows[3][TEXT_DISTANCE_SIZE + 1];
  int a_size = (int)strnlen(a, TEXT_DISTANCE_SIZE);
  int b_size = (int)strnlen(b, TEXT_DISTANCE_SIZE);
  for (int j = 0; j <= b_size; j++) {
    rows[0][j] = j;
  }
  for (int i = 1; i <= a_size; i++) {
    int* now = rows[i % 3];
    const int* last = rows[(i + 2) % 3];
    const int* before = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= b_size; j++) {
      now[j] = smaller(last[j - 1] + (a[i - 1] != b[j - 1]), 1 + smaller(last[j], now[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = smaller(now[j], before[j - 2] + 1);
      }
    }
  }
  return rows[a_size % 3][b_size];
}

void text_consider(TextNearest* n, const char* candidate) {
  int most = 1 + (int)strlen(n->word) / 4;
  int distance = text_distance(n->word, candidate);
  if (distance <= (most < 3 ? most : 3) && (!n->nearest || distance < n->distance)) {
    n->nearest = candidate;
    n->distance = distance;
  }
}
