// h5_failure.c - what a file that fails says, and how HDF5 is kept from making it worse.
//
// "The machine failed" and "the file is bad" are told apart (of_machine): the first may pass and is
// worth another try, the second is damage, which must be named. A file keeps its first failure.
//
// HDF5 1.10 keeps broken objects when its last writes or its close fail, and crashes on them later.
// So before it closes a file that was written, its descriptor is turned to a throw-away file in
// memory, in which it may write what it likes (h5_let_go).
#define _GNU_SOURCE  // memfd_create

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "h5_internal.h"

// What HDF5 says of its last call.
typedef struct {
  char text[512];   // its innermost message
  bool of_machine;  // the disk failed, or there was no memory
} Cause;

static herr_t innermost(unsigned n, const H5E_error2_t* entry, void* cause) {
  Cause* c = cause;
  if (n == 0) {
    snprintf(c->text, sizeof c->text, "%s", entry->desc ? entry->desc : "no message");
    c->of_machine = entry->maj_num == H5E_IO || entry->maj_num == H5E_RESOURCE ||
                    entry->min_num == H5E_CANTOPENFILE || entry->min_num == H5E_NOSPACE;
  }
  return 0;
}

static Cause last_cause(void) {
  Cause cause = {.text = "no message"};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &cause);
  return cause;
}

bool h5_machine_failed(void) { return last_cause().of_machine; }

// The file has failed: "PATH: OBJECT: what", and whether that may pass.
static bool note(H5File* file, const char* object, const char* what, bool transient) {
  if (!file->failed) {
    const char* separator = *object ? ": " : "";
    error_set(&file->error, "%s%s%s: %s", file->path, separator, object, what);
    file->error.transient = transient;
    file->failed = true;
  }
  return false;
}

bool h5_refuse(H5File* file, const char* object, const char* format, ...) {
  if (h5_machine_failed()) {  // what is missed, or odd, was not read
    return h5_fail(file, object, "cannot be read");
  }
  char what[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return note(file, object, what, false);
}

bool h5_refuse_errno(H5File* file, const char* what) {
  char text[512];
  int cause = errno;
  snprintf(text, sizeof text, "%s: %s", what, strerror(cause));
  return note(file, "", text, error_is_transient(cause));
}

int* h5_descriptor(const H5File* file) {
  void* descriptor = NULL;
  bool told = H5Fget_vfd_handle(file->handle, H5P_DEFAULT, &descriptor) >= 0;
  return told ? descriptor : NULL;
}

void h5_let_go(H5File* file) {
  struct rlimit limit, lifted;
  int memory = memfd_create("let-go", MFD_CLOEXEC);
  getrlimit(RLIMIT_FSIZE, &limit);
  lifted = limit;
  lifted.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &lifted);
  int* descriptor = file->writing ? h5_descriptor(file) : NULL;
  if (memory >= 0 && descriptor) {
    dup3(memory, *descriptor, O_CLOEXEC);
  }
  H5Fclose(file->handle);
  file->handle = -1;
  setrlimit(RLIMIT_FSIZE, &limit);
  if (memory >= 0) {
    close(memory);
  }
}

bool h5_fail(H5File* file, const char* object, const char* what) {
  char text[1024];
  Cause cause = last_cause();
  snprintf(text, sizeof text, "%s (HDF5: %s)", what, cause.text);
  // what HDF5 reads is as it was written (h5_mark_check): it is the machine that fails
  note(file, object, text, true);
  if (file->writing && file->handle >= 0) {
    h5_let_go(file);
  }
  return false;
}

const char* h5_object_name(const char* object) { return *object ? object : "/"; }
