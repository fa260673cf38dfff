// locale.h - numbers are read and written as the locale "C" does it, whatever the process's is.
//
// printf, strtod and isalpha follow the locale of the thread if it has one. A thread that has its
// own does not see what setlocale sets: a plugin, or a library, that calls it changes nothing here.
#ifndef BASE_LOCALE_H
#define BASE_LOCALE_H

// Gives the calling thread the locale "C"; also after code that may have given it another.
void locale_keep_c(void);

#endif  // BASE_LOCALE_H
