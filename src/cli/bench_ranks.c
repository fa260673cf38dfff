#include "cli/bench_ranks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cluster/comm_mpi.h"
#include "cli/verbs.h"

#define MOST_PROCESSES 16
#define OWN_ARGUMENTS 7  // of mpirun, with the name of this program

bool bench_has_ranks(void) {
  return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

static int process_count(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  return processors < 2 ? 2 : processors > MOST_PROCESSES ? MOST_PROCESSES
                                                          : (int)processors;
}

bool bench_start_ranks(char* const* arguments, int count, Arena* arena, Error* error) {
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  char** all = ARENA_NEW(arena, OWN_ARGUMENTS + count + 1, char*);
  char* const own[OWN_ARGUMENTS] = {"mpirun", "-n", text_format(arena, "%d", process_count()),
                                    "--oversubscribe", "--bind-to", "none", program};
  memcpy(all, own, sizeof own);
  memcpy(all + OWN_ARGUMENTS, arguments, (size_t)count * sizeof *all);
  // mpirun refuses to be root's unless it is told twice; what it starts here is this program
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
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
