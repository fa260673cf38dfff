#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"
#include "run/program.h"

int verb_version(int argc, char** argv) {
  if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    puts("usage: autombpo version\n\n"
         "Prints the version, the revision of the sources, and the id of the program: a\n"
         "hash of its sources. Runs are continued by the program that began them.");
    return 0;
  }
  if (argc > 1) {
    fprintf(stderr, "autombpo version: '%s': takes no operands\n", argv[1]);
    return EXIT_USAGE;
  }
  printf("autombpo %s, revision %s, program %s\n", AUTOMBPO_VERSION, program_revision, program_id);
  return 0;
}
