// scratch_file.h - a file under /tmp for the tests of one program, made and removed by cmocka's group.
#ifndef TESTS_SCRATCH_FILE_H
#define TESTS_SCRATCH_FILE_H

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/autombpo_test_XXXXXX";

static int make_scratch_file(void** state) {
  (void)state;
  int file = mkstemp(path);
  return file < 0 ? -1 : close(file);
}

static int remove_scratch_file(void** state) {
  (void)state;
  return unlink(path);
}

#endif  // TESTS_SCRATCH_FILE_H
