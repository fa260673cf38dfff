// refused.h - a scenario of a test in which each call to the system and to HDF5 is refused in turn.
#ifndef TESTS_REFUSED_H
#define TESTS_REFUSED_H

#include <stdbool.h>

#include "base/error.h"

// What is done in an empty directory. False = failed, with a message.
typedef bool Scenario(const char* directory, Error* error);

// Counts the calls of `run` to the system and to HDF5, and repeats it, each time in a directory of its own that
// `before` (NULL: nothing) has filled, and in a child, with one of them refused: with errno `cause`, and HDF5 says
// of its disk that it fails (EIO), else nothing. Laws:
// - it succeeds, or it fails with a message, or the program ends with code 1 and a message; no signal ends it;
// - the same, repeated in what it has left, succeeds.
// `run` returns true only where all is as it shall be.
void each_call_refused(Scenario* before, Scenario* run, int cause);

// As `cause`: the calls of the layers above to store/ are refused instead, where they are wrapped (refused_store.c).
#define REFUSED_STORE (-1)

// For who stands before a function: whether this call of it is the one to refuse.
bool refused_meets(const char* name, bool of_store);

#endif  // TESTS_REFUSED_H
