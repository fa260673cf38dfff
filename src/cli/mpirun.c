#include "cli/mpirun.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cluster/comm_mpi.h"

#define LONGEST_PATH 4096

// Open MPI refuses root, and more ranks than cores, unless it is told.
int mpirun_arguments(char* arguments[MPIRUN_ARGUMENTS], int ranks, Arena* arena) {
  char* const start[] = {"mpirun", "-n", text_format(arena, "%d", ranks)};
  char* const of_open_mpi[] = {"--oversubscribe", "--bind-to", "none"};
  char* program = ARENA_NEW(arena, LONGEST_PATH, char);
  int count = 3;
  memcpy(arguments, start, sizeof start);
  if (strstr(comm_mpi_description(), "Open MPI")) {
    memcpy(arguments + count, of_open_mpi, sizeof of_open_mpi);
    count += 3;
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }
  ssize_t length = readlink("/proc/self/exe", program, LONGEST_PATH - 1);
  program[length > 0 ? length : 0] = '\0';
  arguments[count++] = program;
  return count;
}
