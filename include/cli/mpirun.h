// mpirun.h - how this program starts itself on several ranks.
#ifndef CLI_MPIRUN_H
#define CLI_MPIRUN_H

#include "base/arena.h"

#define MPIRUN_ARGUMENTS 8

// Puts the start of a command on so many ranks, more than cores if need be, bound to none: mpirun,
// its options as the MPI of this program takes them, and the program. Returns how many arguments
// these are. Lets root start it.
int mpirun_arguments(char* arguments[MPIRUN_ARGUMENTS], int ranks, Arena* arena);

#endif  // CLI_MPIRUN_H
