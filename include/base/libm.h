// libm.h - whose sin, exp, pow ... are called: the program's own (base/libm.c), or the C library's.
#ifndef BASE_LIBM_H
#define BASE_LIBM_H

// From now on the C library's, for comparisons with recordings of programs that had those. Results
// of training would depend on the CPU and the C library then.
void libm_use_library(void);

#endif  // BASE_LIBM_H
