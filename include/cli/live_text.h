// live_text.h - the screen of `autombpo status` and `autombpo top`.
#ifndef CLI_LIVE_TEXT_H
#define CLI_LIVE_TEXT_H

#include "base/text.h"
#include "cli/live_view.h"

typedef struct {
  int columns;  // characters of a line, at most
  int rows;     // lines, at most
  bool blocks;  // whether the terminal shows UTF-8, for sparklines
  bool wraps;   // whether a command may be longer than a line: the terminal wraps it, to be copied
} LiveScreen;

// Whether the locale of the environment is a UTF-8 one.
bool live_shows_utf8(void);

// Appends the lines of a run: what it is, how it lives, how far it is, where the time goes, its
// ranks, what is wrong and how to go on. Whatever the files say, no control character is printed.
void live_print(Text* out, const LiveView* view, const LiveScreen* screen);

// The last values as one character each, from their least to their largest; those that are not
// finite are blank. `out` has room for 3 * width + 1 bytes.
void live_sparkline(char* out, const double* values, int count, int width, bool blocks);

// One JSON object on a line.
void live_print_json(Text* out, const LiveView* view);

#endif  // CLI_LIVE_TEXT_H
