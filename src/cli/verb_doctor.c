// verb_doctor.c - autombpo doctor: whether a machine, its MPI and a directory are fit for runs.
//
// Each check prints a line: what was found, and where that is no good, what to do. Nothing here
// decides what a run does: the program starts where the doctor complains, and says so itself where
// it cannot.
//
// MPI is started as a user would, by mpirun in a child process (`doctor --rank` is what it starts),
// because an MPI that hangs or ends the process must not end the doctor. The directory is tested by
// doing there what a run does: files that are synced, hard-linked and renamed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stopwatch.h"
#include "base/text.h"
#include "cli/mpirun.h"
#include "cli/verbs.h"
#include "cluster/comm_mpi.h"
#include "env/mujoco.h"
#include "nn/gemm.h"
#include "run/program.h"
#include "store/files.h"
#include "store/h5.h"

static const char usage[] =
    "usage: autombpo doctor [DIR]\n\n"
    "Checks what runs need: the program and its matrix kernels, cores and memory,\n"
    "MPI, and of DIR (default: here), where runs are to be, disk, syncs, links and\n"
    "clock. Each line says what was found, and what to do where that is no good. Exit\n"
    "code 1: something is no good.";

#define PATIENCE 60.0
#define SLOW_SYNC 0.5        // seconds
#define LITTLE_DISK 2e9      // bytes
#define LITTLE_MEMORY 500e6  // bytes a rank of a large task takes
#define CLOCK_APART 10.0     // seconds
#define TRIPS 100
#define RANKS_MET "MPI connects "

typedef struct {
  const char* directory;
  int problems;
  Arena arena;
} Doctor;

static void say(Doctor* d, bool good, const char* topic, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(Doctor* d, bool good, const char* topic, const char* format, ...) {
  va_list args;
  printf("%-4s  %-9s  ", good ? "ok" : "BAD", topic);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
  fflush(stdout);
  d->problems += !good;
}

// The program and the processor ------------------------------------------------------------------

static bool cpu_has(const char* flag) {
  char text[FILES_START_SIZE], word[32];
  files_read_start(text, "/proc/cpuinfo");
  char* flags = strstr(text, "\nflags");
  snprintf(word, sizeof word, " %s ", flag);
  return flags && strstr(flags, word);
}

static void check_program(Doctor* d) {
  gemm_init();
  const char* kernel = gemm_description();
  say(d, true, "program", "autombpo %s, revision %s, program %s", AUTOMBPO_VERSION,
      program_revision, program_id);
  bool slower = cpu_has("avx512f") && !strstr(kernel, "AVX-512");
  say(d, !slower, "kernel", "%s%s", kernel,
      slower ? "; this CPU has AVX-512: build on it, or with the preset `portable`" : "");
  char physics[64], files[64];
  mujoco_engine(physics, sizeof physics);
  h5_library(files, sizeof files);
  say(d, true, "libraries", "%s, %s, %s", physics, files, comm_mpi_description());
}

// Cores and memory -------------------------------------------------------------------------------

static void check_cores(Doctor* d) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  long all = sysconf(_SC_NPROCESSORS_ONLN);
  int allowed = sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine) : (int)all;
  say(d, true, "cores", "%d of %ld may be used%s", allowed, all,
      allowed < all ? "; the others are bound away (taskset, cgroup, or the batch system)" : "");
  double load[1] = {0};
  bool busy = getloadavg(load, 1) == 1 && load[0] > 0.5 * (double)all;
  say(d, !busy, "load", "%.1f%s", load[0],
      busy ? "; others compute here: a rank needs a core of its own" : "");
  const char* threads = getenv("OMP_NUM_THREADS");
  say(d, true, "threads",
      "as many a rank as run.threads says (1 by default), whatever OMP_NUM_THREADS does (%s)",
      threads ? threads : "nothing");
}

// A number of /proc/meminfo in bytes; NaN where it is not there.
static double meminfo(const char* name) {
  char text[FILES_START_SIZE];
  double kilobytes;
  files_read_start(text, "/proc/meminfo");
  const char* at = strstr(text, name);
  return at && sscanf(at + strlen(name), ": %lf", &kilobytes) == 1 ? 1024 * kilobytes : NAN;
}

static void check_memory(Doctor* d) {
  double free = meminfo("MemAvailable"), all = meminfo("MemTotal");
  bool good = !(free < LITTLE_MEMORY);
  say(d, good, "memory", "%.1f GB of %.1f GB available%s", free / 1e9, all / 1e9,
      good ? "; what a rank needs: autombpo config check --plan" : "; end what fills it");
  struct rlimit space = {0};
  getrlimit(RLIMIT_AS, &space);
  bool limited = space.rlim_cur != RLIM_INFINITY;
  say(d, !limited, "limits", "%s",
      limited ? "address space is limited: ulimit -v unlimited (large buffers are only reserved)"
              : "address space is not limited");
}

// The directory ----------------------------------------------------------------------------------

static const char* file_system(const char* path) {
  static const struct {
    long magic;
    const char* name;
  } known[] = {{0x6969, "NFS"},         {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},
               {0x01021994, "tmpfs"},   {0xEF53, "ext4"},       {0x58465342, "XFS"},
               {0x9123683E, "Btrfs"},   {0x794C7630, "overlay"}, {0x19830326, "BeeGFS"},
               {0x00C36400, "CephFS"},  {0x65735546, "FUSE"},   {0x2FC12FC1, "ZFS"}};
  struct statfs info;
  if (statfs(path, &info) == 0) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
      if ((long)info.f_type == known[i].magic) {
        return known[i].name;
      }
    }
  }
  return "a file system of its own kind";
}

static void check_disk(Doctor* d) {
  struct statvfs info = {0};
  const char* kind = file_system(d->directory);
  statvfs(d->directory, &info);
  double free = (double)info.f_bavail * (double)info.f_frsize;
  bool lasts = strcmp(kind, "tmpfs") != 0;
  say(d, lasts, "directory", "%s, on %s%s", d->directory, kind,
      lasts ? "" : ": it is lost with the machine; take a directory on a disk");
  bool room = free > LITTLE_DISK;
  say(d, room, "disk", "%.1f GB free%s", free / 1e9,
      room ? "" : "; a checkpoint may take 2 GB: checkpoint.max_gb, or another disk");
}

// How long a small file takes to last: written aside, synced and renamed, as a run does it.
static void check_sync(Doctor* d, const char* path) {
  Error error = {0};
  double worst = 0;
  for (int i = 0; i < 5; i++) {
    double start = clock_wall();
    if (!files_write(path, "doctor\n", 7, &error)) {
      say(d, false, "write", "%s; choose a directory that you may write into", error.text);
      return;
    }
    worst = fmax(worst, clock_wall() - start);
  }
  bool good = worst < SLOW_SYNC;
  say(d, good, "sync", "a file lasts after %.0f ms%s", 1e3 * worst,
      good ? "" : "; checkpoints wait so long: another disk, or a longer checkpoint.every");
}

static void check_links(Doctor* d, const char* path) {
  char linked[FILES_PATH_SIZE];
  Error ignored;
  bool named = files_temporary(linked, path, 1, &ignored);
  bool good = named && link(path, linked) == 0;
  say(d, good, "links", "%s",
      good ? "hard links work: jobs can share a run"
           : "no hard links here: start one job on a run only, not several");
  if (good) {
    unlink(linked);
  }
}

// The clock of the file system beside this machine's.
static void check_clock(Doctor* d, const char* path) {
  struct stat info;
  if (stat(path, &info) != 0) {
    return;
  }
  double apart = fabs(clock_date() - (double)info.st_mtim.tv_sec);
  bool good = apart < CLOCK_APART;
  say(d, good, "clock", "%.0f s from the file system's%s", apart,
      good ? "" : "; set it (chrony, ntp): what is told of ages is wrong, results are not");
}

static void check_directory(Doctor* d) {
  struct stat info;
  if (stat(d->directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
    say(d, false, "directory", "%s is not there: mkdir -p it", d->directory);
    return;
  }
  check_disk(d);
  const char* path =
      text_format(&d->arena, "%s/.autombpo-doctor-%ld", d->directory, (long)getpid());
  int before = d->problems;
  check_sync(d, path);
  if (d->problems == before || files_exists(path)) {
    check_links(d, path);
    check_clock(d, path);
  }
  unlink(path);
}

// MPI --------------------------------------------------------------------------------------------

// What mpirun starts: messages to and fro between ranks 0 and 1.
static int run_rank(void) {
  Comm comm;
  Error error = {0};
  char data[64] = "";
  size_t size;
  if (!comm_mpi_init(&comm, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return EXIT_FAILED;
  }
  double start = clock_wall();
  for (int i = 0; i < TRIPS && comm.ranks > 1 && comm.rank < 2; i++) {
    if (comm.rank == 0) {
      comm_send(&comm, 1, 1, data, sizeof data);
    }
    comm_receive(&comm, 1 - comm.rank, data, sizeof data, &size);
    if (comm.rank == 1) {
      comm_send(&comm, 0, 1, data, sizeof data);
    }
  }
  if (comm.rank == 0) {
    printf(RANKS_MET "%d ranks, a message there and back in %.0f us\n", comm.ranks,
           1e6 * (clock_wall() - start) / TRIPS);
  }
  comm_finalize(&comm, 0);
  return 0;
}

// Starts mpirun with its output in `path`; returns its exit code, -1: none in time, -2: no mpirun.
static int start_ranks(Doctor* d, const char* path) {
  char* arguments[MPIRUN_ARGUMENTS + 3];
  int own = mpirun_arguments(arguments, 2, &d->arena);
  memcpy(arguments + own, (char* const[]){"doctor", "--rank", NULL}, 3 * sizeof *arguments);
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = 0;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  int failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    return -2;
  }
  double start = clock_wall();
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (clock_wall() - start > PATIENCE) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return -1;
    }
    usleep(20000);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check_mpi(Doctor* d) {
  char path[] = "/tmp/autombpo-doctor-XXXXXX", said[FILES_START_SIZE];
  int file = mkstemp(path);
  if (file >= 0) {
    close(file);
  }
  int code = file >= 0 ? start_ranks(d, path) : -2;
  files_read_start(said, path);
  const char* found = strstr(said, RANKS_MET);  // libraries may have said things before
  said[strcspn(said, "\n")] = '\0';
  unlink(path);
  if (code == 0 && found) {
    say(d, true, "mpi", "%.*s", (int)strcspn(found, "\n"), found);
  } else if (code == -2) {
    say(d, false, "mpi",
        "no mpirun on the PATH: load the MPI that this program was built with (%s); one process "
        "runs without it",
        comm_mpi_description());
  } else if (code == -1) {
    say(d, false, "mpi",
        "two ranks did not start in %.0f s: try `mpirun -n 2 hostname`, of Open MPI then with "
        "--mca btl tcp,self, and look for a firewall between hosts",
        PATIENCE);
  } else {
    say(d, false, "mpi", "mpirun ended with %d: %s; is it the MPI of this program (%s)?", code,
        said, comm_mpi_description());
  }
}

int verb_doctor(int argc, char** argv) {
  static const struct option options[] = {
      {"help", no_argument, NULL, 'h'}, {"rank", no_argument, NULL, 'r'}, {0}};
  Doctor d = {.directory = "."};
  int option;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
    if (option == 'r') {
      return run_rank();
    }
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    return EXIT_USAGE;
  }
  if (argc - optind > 1) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  d.directory = optind < argc ? argv[optind] : d.directory;
  arena_init(&d.arena);
  check_program(&d);
  check_cores(&d);
  check_memory(&d);
  check_mpi(&d);
  check_directory(&d);
  printf(d.problems > 0 ? "%d of these lines need a look\n" : "nothing to do\n", d.problems);
  arena_free(&d.arena);
  return d.problems > 0 ? EXIT_FAILED : 0;
}
