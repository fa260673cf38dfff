// real.h - the number type of everything that learns.
//
// float in the program. The parity tests compile the same sources once more with
// AUTOMBPO_FLOAT64, to compare against float64 references far below float's rounding.
// Mathematical functions are those of base/vector_math.h, or of doubles (base/libm.c): none of the
// C library's for floats, which round differently from one CPU to another.
#ifndef BASE_REAL_H
#define BASE_REAL_H

#ifdef AUTOMBPO_FLOAT64
typedef double Real;
#define REAL_MAX 1.7976931348623157e308
#define REAL_FMA __builtin_fma
#else
typedef float Real;
#define REAL_MAX 3.40282347e38f
#define REAL_FMA __builtin_fmaf
#endif

#endif  // BASE_REAL_H
