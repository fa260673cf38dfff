#define _GNU_SOURCE
#include "hyper/scratch_directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static int remove_entry(const char* path, const struct stat* status, int type, struct FTW* ftw) {
  (void)status;
  (void)type;
  (void)ftw;
  return remove(path);
}

bool scratch_directory_make(RunDirectory* d, Error* error) {
  const char* place = getenv("TMPDIR");
  snprintf(d->path, sizeof d->path, "%.900s/autombpo-XXXXXX",
           place && *place ? place : "/tmp");
  if (!mkdtemp(d->path)) {
    return error_errno(error, d->path);
  }
  bool good = run_directory_make(d, error);
  if (!good) {
    scratch_directory_remove(d);
  }
  return good;
}

void scratch_directory_remove(const RunDirectory* d) {
  nftw(d->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
