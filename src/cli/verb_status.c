// verb_status.c - autombpo status: how a run is, on one screen.
#include <getopt.h>
#include <stdio.h>

#include "cli/live_text.h"
#include "cli/verbs.h"
#include "cluster/progress_line.h"

static const char usage[] =
    "usage: autombpo status [--json] RUN...\n\n"
    "Says how runs are, from their text files: whether they live and since when not,\n"
    "how far they are, their ranks, what is wrong, and how to go on. Asks nobody and\n"
    "changes nothing, so it may be used on any machine that sees the directory.\n\n"
    "  --json   one JSON object a run, with the whole of status.json\n\n"
    "The exit code is 0 when each of them runs or is finished; 75 when one stands\n"
    "still or is silent, and `autombpo resume` goes on with it; 1 when one has\n"
    "failed; 2 when one is no run that can be read.";

#define ROWS 24  // of the terminals of old, less the prompt

static int code_of(LiveState state) {
  return state == LIVE_FAILED ? EXIT_FAILED : live_can_resume(state) ? EXIT_STOPPED : 0;
}

// The exit code that its state gives.
static int print_run(const char* directory, bool as_json) {
  Arena arena;
  LiveView view;
  Text text;
  Error error = {0};
  arena_init(&arena);
  text_init(&text, &arena);
  bool good = live_read(&view, directory, &arena, &error);
  if (good && as_json) {
    live_print_json(&text, &view);
  } else if (good) {
    LiveScreen screen = {.columns = progress_columns(), .rows = ROWS - 1,
                         .blocks = live_shows_utf8(), .wraps = true};
    live_print(&text, &view, &screen);
  }
  fputs(text.bytes, stdout);
  if (!good) {
    fprintf(stderr, "autombpo status: %s\n", error.text);
  }
  arena_free(&arena);
  return good ? code_of(view.state) : verb_refusal(&error);
}

int verb_status(int argc, char** argv) {
  static const struct option options[] = {
      {"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, {0}};
  bool as_json = false;
  int option, worst = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
    if (option == 'h') {
      puts(usage);
      return 0;
    }
    if (option == '?') {
      return EXIT_USAGE;
    }
    as_json = true;
  }
  if (optind == argc) {
    fprintf(stderr, "%s\n", usage);
    return EXIT_USAGE;
  }
  for (int i = optind; i < argc; i++) {
    int code = print_run(argv[i], as_json);
    worst = worst == 0 || worst == EXIT_STOPPED ? (code == 0 ? worst : code) : worst;
    if (!as_json && i + 1 < argc) {
      printf("\n");
    }
  }
  return worst;
}
