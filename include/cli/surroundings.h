// surroundings.h - what the program is given by whoever starts it: limits, streams, a locale.
#ifndef CLI_SURROUNDINGS_H
#define CLI_SURROUNDINGS_H

// Before any library is initialised: ends the program where its stack or address space is too small
// for the libraries, which would not say so, and prepares the word for a CPU that lacks an
// instruction. Must not allocate.
void surroundings_check(void);

// At the start of main: open standard streams, the locale "C", errors instead of signals where a
// file may not grow.
void surroundings_enter(void);

// At the end of main: `code`, or 1 if what was printed could not be written.
int surroundings_leave(int code);

#endif  // CLI_SURROUNDINGS_H
