// child.h - a process that ends with this one: when this one dies, however, it is sent SIGTERM.
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct {
  const char* program;       // its path
  char* const* arguments;
  char* const* environment;
  int input, output, errors;  // descriptors that it gets; -1 = those of this process
  bool own_group;            // a signal to the terminal is for this process only
} Child;

// False: there can be no further process. One whose program cannot be started ends with code 127.
bool child_start(pid_t* process, const Child* child, Error* error);

#endif  // BASE_CHILD_H
