#define _GNU_SOURCE
#include "base/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool move(int from, int to) { return from < 0 || dup2(from, to) >= 0; }

// In the child: only what is safe after fork.
static void become(const Child* c, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (c->own_group) {
    setpgid(0, 0);
    signal(SIGHUP, SIG_DFL);
  }
  bool orphan = getppid() != parent;
  if (!orphan && move(c->input, STDIN_FILENO) && move(c->output, STDOUT_FILENO) &&
      move(c->errors, STDERR_FILENO)) {
    execve(c->program, c->arguments, c->environment);
  }
  _exit(127);
}

bool child_start(pid_t* process, const Child* child, Error* error) {
  pid_t parent = getpid();
  *process = fork();
  if (*process == 0) {
    become(child, parent);
  }
  return *process > 0 || error_errno(error, "fork");
}
