// stop.c - signals, from before main to the end of the process.
//
// Three times follow each other. From the start of the process (surroundings.c) what stops or saves
// is blocked, so that nothing ends by it while libraries are loaded. Then a verb that saves
// installs handlers, which only set flags; any other lets the signals take their course. Last, an
// alarm bounds what may wait for ever: a grace after SIGTERM, and the calls of MPI in which all
// ranks must take part.
#define _GNU_SOURCE
#include "cluster/stop.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/fault.h"

static volatile sig_atomic_t stop_flag = 0;
static volatile sig_atomic_t save_flag = 0;
static volatile sig_atomic_t interrupts = 0;
static volatile sig_atomic_t grace = 0;  // seconds; 0 = no limit

// What is on disk when the grace is over can be resumed, so the exit code is that of a stop.
#define STOPPED 75
static volatile sig_atomic_t alarm_code = STOPPED;

// Time is up: run.term_grace, or for other ranks to come or go with this one. In a signal handler.
static void end_now(void) {
  static const char text[] = "autombpo: out of time: ended; what was sealed and saved stands\n";
  ssize_t wrote = write(STDERR_FILENO, text, sizeof text - 1);
  (void)wrote;
  _exit(alarm_code);
}

static void on_signal(int number) {
  fault_release();
  if (number == SIGUSR2) {
    save_flag = 1;
    return;
  }
  if (number == SIGALRM) {
    end_now();
  }
  if (number == SIGINT && ++interrupts > 1) {
    _exit(128 + SIGINT);
  }
  if (number != SIGUSR1) {
    unsigned left = alarm(0);
    alarm(left > 0 ? left : (unsigned)grace);
  }
  stop_flag = 1;
}

static const int signals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGALRM};

#define SIGNALS (sizeof signals / sizeof *signals)

// The sanitizers are not there yet.
__attribute__((no_sanitize_address)) static void mask(int how) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < SIGNALS; i++) {
    sigaddset(&set, signals[i]);
  }
  sigprocmask(how, &set, NULL);
}

__attribute__((no_sanitize_address)) void stop_hold(void) { mask(SIG_BLOCK); }

void stop_let_go(void) { mask(SIG_UNBLOCK); }

void stop_install(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < SIGNALS; i++) {
    sigaction(signals[i], &action, NULL);
  }
  struct sigaction hang_up;
  sigaction(SIGHUP, NULL, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) {  // it is under nohup
    action.sa_handler = isatty(STDOUT_FILENO) ? on_signal : SIG_IGN;
    sigaction(SIGHUP, &action, NULL);
  }
  stop_let_go();
}

void stop_set_grace(double seconds) { grace = seconds > 1 ? (sig_atomic_t)ceil(seconds) : 1; }

int stop_seconds_left(void) {
  unsigned left = alarm(0);
  if (left > 0) {
    alarm(left);
  }
  return left > 0 ? (int)left : -1;
}

void stop_guard(unsigned seconds, int code) {
  alarm_code = seconds > 0 ? code : STOPPED;
  alarm(seconds);
}

void stop_request(void) { stop_flag = 1; }

bool stop_requested(void) { return stop_flag != 0; }

bool stop_save_requested(void) {
  bool requested = save_flag != 0;
  save_flag = 0;
  return requested;
}
