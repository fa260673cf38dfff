// early_signal.c - preloaded into autombpo by early_signal_test.sh: it gets the signal EARLY_SIGNAL as
// soon as its libraries are loaded, before main. Children do not.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void begin(void) {
  const char* number = getenv("EARLY_SIGNAL");
  if (number && strcmp(program_invocation_short_name, "autombpo") == 0) {
    raise(atoi(number));
    unsetenv("EARLY_SIGNAL");
  }
}
