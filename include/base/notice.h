// notice.h - what a run tells people while it goes on: whole lines on standard error.
//
// On a terminal the line of progress stands there unfinished; it gives way to them, and is drawn
// again below.
#ifndef BASE_NOTICE_H
#define BASE_NOTICE_H

// Prints one line; its end is added.
void notice(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Clears the line of a terminal, so that what is printed next begins it.
void notice_clear(void);

#endif  // BASE_NOTICE_H
