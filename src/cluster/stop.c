#define _GNU_SOURCE
#include "cluster/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t stop_flag = 0;
static volatile sig_atomic_t save_flag = 0;
static volatile sig_atomic_t interrupts = 0;

static void on_signal(int number) {
  if (number == SIGUSR2) {
    save_flag = 1;
    return;
  }
  if (number == SIGINT && ++interrupts > 1) {
    _exit(128 + SIGINT);
  }
  stop_flag = 1;
}

void stop_install(void) {
  static const int signals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    sigaction(signals[i], &action, NULL);
  }
}

void stop_request(void) { stop_flag = 1; }

bool stop_requested(void) { return stop_flag != 0; }

bool stop_save_requested(void) {
  bool requested = save_flag != 0;
  save_flag = 0;
  return requested;
}
