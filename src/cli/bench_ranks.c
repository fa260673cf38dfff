#include "cli/bench_ranks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/comm_mpi.h"
#include "cli/mpirun.h"
#include "cli/verbs.h"

#define MOST_PROCESSES 16

bool bench_has_ranks(void) {
  return comm_mpi_is_launched();
}

static int process_count(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  return processors < 2 ? 2 : processors > MOST_PROCESSES ? MOST_PROCESSES
                                                          : (int)processors;
}

bool bench_start_ranks(char* const* arguments, int count, Arena* arena, Error* error) {
  char** all = ARENA_NEW(arena, MPIRUN_ARGUMENTS + count + 1, char*);
  int own = mpirun_arguments(all, process_count(), arena);
  memcpy(all + own, arguments, (size_t)count * sizeof *all);
  execvp(all[0], all);
  return error_set(error,
                   "mpirun cannot be started (%s): start `mpirun -n 2 autombpo bench controller` "
                   "with the mpirun of the MPI that this program was built with",
                   strerror(errno));
}

int bench_run_ranks(const RunSpec* spec, const ControllerLoad* load, BenchPrint print,
                    void* context) {
  Comm comm;
  Error error = {0};
  if (!comm_mpi_init(&comm, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return EXIT_FAILED;
  }
  if (comm.ranks < 2) {
    fprintf(stderr, "autombpo bench controller: one rank, expected at least 2\n");
    comm_finalize(&comm, EXIT_USAGE);
    return EXIT_USAGE;
  }
  BenchResult result;
  bool reports;
  if (!bench_controller(&result, &reports, &comm, spec, load, &error)) {
    fprintf(stderr, "%s\n", error.text);
    comm_abort(&comm);
  }
  if (reports) {
    print(&result, context);
  }
  comm_finalize(&comm, 0);
  return 0;
}
