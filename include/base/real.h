// real.h - the number type of everything that learns.
//
// float in the program. The parity tests compile the same sources once more with
// AUTOMBPO_FLOAT64, to compare against float64 references far below float's rounding.
// Mathematical functions go through <tgmath.h>, so that they follow the type.
#ifndef BASE_REAL_H
#define BASE_REAL_H

#ifdef AUTOMBPO_FLOAT64
typedef double Real;
#define REAL_MAX 1.7976931348623157e308
#else
typedef float Real;
#define REAL_MAX 3.40282347e38f
#endif

#endif  // BASE_REAL_H
