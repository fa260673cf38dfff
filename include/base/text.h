// text.h - a string that grows in an arena.
//
// `bytes` is always terminated. Growing copies into a larger piece of the arena, so a text should
// live in an arena that is freed or released soon.
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct {
  char* bytes;      // (capacity), terminated
  size_t size;      // characters, without the terminator
  size_t capacity;
  Arena* arena;
} Text;

void text_init(Text* text, Arena* arena);

// Appends formatted text, or `size` bytes as they are.
void text_add(Text* text, const char* format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(Text* text, const char* bytes, size_t size);

// A size for people, "5.5 GB", its number at least so wide.
void text_add_size(Text* text, int width, double bytes);

// The formatted string, in the arena.
char* text_format(Arena* arena, const char* format, ...) __attribute__((format(printf, 2, 3)));

// The shortest decimal form that reads back as exactly `value`: "0.0003", "1e+300", "nan", "inf".
#define TEXT_NUMBER_SIZE 32
void text_number(char out[TEXT_NUMBER_SIZE], double value);

// The next directory of a list such as PATH (or NULL), which moves on behind it. NULL: the end.
const char* text_next_directory(const char** list, Arena* arena);

// Reads a finite decimal number that makes up all of `text`. False: it is none.
bool text_read_number(double* value, const char* text);

// True for printable UTF-8 in one line, as YAML and JSON files may hold it.
bool text_is_printable(const char* text);

// Appends `text` in double quotes, so that JSON and YAML read it back. A byte that is not UTF-8
// becomes the character of the same number.
void text_add_quoted(Text* out, const char* text);

// Appends a word that the shell takes as it is: plain where that is safe, else in quotes.
void text_add_shell_word(Text* out, const char* word);

// Appends `text` so that YAML reads it back: plain where that is safe, else in quotes.
void text_add_scalar(Text* out, const char* text);

// Edit distance, with neighbouring letters swapped counted as one edit; for "did you mean". Only
// the first TEXT_DISTANCE_SIZE characters count.
#define TEXT_DISTANCE_SIZE 63
int text_distance(const char* a, const char* b);

// The nearest of some candidates, for "did you mean"; begin with {.word = WORD}. `nearest` stays
// NULL while none is near: within three edits, of a short word fewer. Candidates must live on.
typedef struct {
  const char* word;
  const char* nearest;
  int distance;
} TextNearest;

void text_consider(TextNearest* nearest, const char* candidate);

#endif  // BASE_TEXT_H
