#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "hyper/run_directory.h"
#include "store/pack.h"

#define VERB_ROW(name, stops, meaning) {#name, stops, meaning},

static const Verb verbs[] = {VERBS(VERB_ROW)};

const Verb* verb_at(int i) {
  return i < (int)(sizeof verbs / sizeof *verbs) ? &verbs[i] : NULL;
}

int verb_find(const char* name) {
  for (int i = 0; verb_at(i); i++) {
    if (strcmp(name, verbs[i].name) == 0) {
      return i;
    }
  }
  return -1;
}

int verb_refusal(const Error* error) { return error->transient ? EXIT_FAILED : EXIT_USAGE; }

int verb_check_run(const char* verb, const char* path) {
  RunDirectory directory;
  struct stat info;
  Error error = {0};
  bool is_file = stat(path, &info) == 0 ? !S_ISDIR(info.st_mode) : pack_holds(path);
  if (is_file || run_directory_find(&directory, path, &error)) {
    return -1;
  }
  fprintf(stderr, "autombpo %s: %s\n", verb, error.text);
  return verb_refusal(&error);
}
