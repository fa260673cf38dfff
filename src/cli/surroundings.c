// surroundings.c - what must be right around the process before libraries start, and after all is
// written.
//
// The first check runs before main's libraries do anything: too small a stack or address space
// makes them crash or hang without a word, so it is refused with one, and an instruction that the
// CPU lacks is caught and explained. It calls nothing that needs a library to be set up.
//
// Then streams: a closed standard output would become the next file that is opened, so descriptors
// 0 to 2 are filled with /dev/null, in the wrong direction, so that using them stays an error. In
// the end standard output is closed and looked at: a result that did not reach the disk must not
// end with exit code 0.
#define _GNU_SOURCE
#include "cli/surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/locale.h"
#include "cli/verbs.h"
#include "cluster/stop.h"

// Twice what the deepest call takes: blocks of a matrix product are on the stack.
#define LEAST_STACK (1 << 20)

// The libraries and their threads take 550 MB of addresses; with less, OpenBLAS and MPI hang or
// crash.
#define LEAST_ADDRESSES (768 << 20)

static void say(const char* text) {
  ssize_t wrote = write(STDERR_FILENO, text, strlen(text));
  (void)wrote;
}

// In a signal handler.
static void on_unknown_instruction(int number) {
  (void)number;
  say(getenv("OPENBLAS_CORETYPE")
          ? "autombpo: this CPU lacks an instruction of the core that OPENBLAS_CORETYPE names; "
            "unset it\n"
          : "autombpo: this CPU lacks an instruction that the program was built with; build it on "
            "this type of CPU, or with the CMake preset 'portable'\n");
  _exit(EXIT_FAILED);
}

static void refuse_limit(const char* text) {
  say(text);
  _exit(EXIT_FAILED);
}

// The sanitizers are not there yet.
__attribute__((no_sanitize_address)) void surroundings_check(void) {
  struct rlimit limit;
  stop_hold();
  signal(SIGILL, on_unknown_instruction);
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < LEAST_STACK) {
    // the stack of the first thread grows up to what the limit is then
    limit.rlim_cur = limit.rlim_max < LEAST_STACK ? limit.rlim_max : LEAST_STACK;
    setrlimit(RLIMIT_STACK, &limit);
    if (limit.rlim_cur < LEAST_STACK) {
      refuse_limit("autombpo: the limit of the stack (ulimit -s) is too small: expected at least "
                   "1024 KiB\n");
    }
  }
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < LEAST_ADDRESSES) {
    refuse_limit("autombpo: the limit of the address space (ulimit -v) is too small: expected at "
                 "least 786432 KiB, and what the run itself takes\n");
  }
}

// A closed stream would be the next file that is opened, and what is printed would go there.
static void open_streams(void) {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
      // so that using it stays an error
      int opened = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
      (void)opened;
    }
  }
}

// The libraries' threads, which otherwise get what the limit of the stack was in the beginning.
static void give_threads_stacks(void) {
  pthread_attr_t attributes;
  size_t size = 0;
  pthread_getattr_default_np(&attributes);
  pthread_attr_getstacksize(&attributes, &size);
  if (size < LEAST_STACK) {
    pthread_attr_setstacksize(&attributes, LEAST_STACK);
    pthread_setattr_default_np(&attributes);
  }
  pthread_attr_destroy(&attributes);
}

void surroundings_enter(void) {
  open_streams();
  give_threads_stacks();
  locale_keep_c();
  signal(SIGXFSZ, SIG_IGN);
}

int surroundings_leave(int code) {
  bool written = !ferror(stdout);
  errno = EIO;  // of an earlier failure nothing better is known
  if (fclose(stdout) == 0 && written) {
    return code;
  }
  fprintf(stderr, "autombpo: standard output: %s\n", strerror(errno));
  return code == 0 ? EXIT_FAILED : code;
}
