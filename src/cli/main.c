// main.c - finds the verb that is asked for.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/surroundings.h"
#include "cli/verbs.h"
#include "cluster/stop.h"

#define VERB_FUNCTION(name, stops, meaning) verb_##name,

static int (*const functions[])(int argc, char** argv) = {VERBS(VERB_FUNCTION)};

static void print_help(FILE* out) {
  fprintf(out,
          "autombpo %s - trains populations of model-based RL runs, and the controller\n"
          "that schedules their hyperparameters.\n\n"
          "usage: autombpo <verb> [options] [CONFIG.yaml ...] [key=value ...]\n\n",
          AUTOMBPO_VERSION);
  for (int i = 0; verb_at(i); i++) {
    fprintf(out, "  %-10s %s\n", verb_at(i)->name, verb_at(i)->meaning);
  }
  fprintf(out, "\n`autombpo <verb> --help` says more.\n");
}

static int run(int argc, char** argv) {
  if (argc < 2) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  if (!strcmp(argv[1], "help") && argc > 2) {
    return run(3, (char*[]){argv[0], argv[2], "--help", NULL});
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    print_help(stdout);
    return 0;
  }
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
    return verb_version(argc - 1, argv + 1);
  }
  int verb = verb_find(argv[1]);
  if (verb < 0 || !verb_at(verb)->stops) {
    stop_let_go();
  }
  if (verb >= 0) {
    return functions[verb](argc - 1, argv + 1);
  }
  TextNearest near = {.word = argv[1]};
  for (int i = 0; verb_at(i); i++) {
    text_consider(&near, verb_at(i)->name);
  }
  fprintf(stderr, "autombpo: unknown verb '%s'", argv[1]);
  fprintf(stderr, near.nearest ? " (did you mean '%s'?)" : "", near.nearest);
  fprintf(stderr, "; `autombpo --help` lists them\n");
  return EXIT_USAGE;
}

// Before the initialisers of shared libraries, which crash or hang where limits are too small.
__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) =
    surroundings_check;

int main(int argc, char** argv) {
  surroundings_enter();
  return surroundings_leave(run(argc, argv));
}
