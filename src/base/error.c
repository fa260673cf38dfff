#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/notice.h"

static FatalHook fatal_hook = NULL;

bool error_set(Error* error, const char* format, ...) {
  error->transient = false;
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return false;
}

bool error_add(Error* error, const char* format, ...) {
  char inner[ERROR_TEXT_SIZE];
  memcpy(inner, error->text, sizeof inner);
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  size_t used = strlen(error->text);
  snprintf(error->text + used, sizeof error->text - used, ": %s", inner);
  return false;
}

bool error_line(Error* error, const char* format, ...) {
  size_t used = strlen(error->text);
  if (used > 0 && used + 1 < sizeof error->text) {
    error->text[used++] = '\n';
    error->text[used] = '\0';
  }
  va_list args;
  va_start(args, format);
  vsnprintf(error->text + used, sizeof error->text - used, format, args);
  va_end(args);
  return false;
}

bool error_is_transient(int cause) {
  // what a name or a right that was given leads to; all else befalls the best request
  static const int of_request[] = {ENOENT, ENOTDIR,      EISDIR, EEXIST, ENOTEMPTY, EACCES,
                                   EPERM,  ENAMETOOLONG, ELOOP,  EINVAL, EXDEV};
  for (size_t i = 0; i < sizeof of_request / sizeof *of_request; i++) {
    if (cause == of_request[i]) {
      return false;
    }
  }
  return cause != 0;
}

bool error_errno(Error* error, const char* path) {
  int cause = errno;
  error_set(error, "%s: %s", path, strerror(cause));
  error->transient = error_is_transient(cause);
  return false;
}

void error_set_fatal_hook(FatalHook hook) { fatal_hook = hook; }

static void call_hook(void) {
  if (fatal_hook) {
    fatal_hook();
  }
}

noreturn void error_exit(const char* format, ...) {
  va_list args;
  va_start(args, format);
  notice_clear();
  fputs("autombpo: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  call_hook();
  _exit(1);
}

noreturn void error_fatal(const char* file, int line, const char* format, ...) {
  notice_clear();
  fprintf(stderr, "%s:%d: ", file, line);
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  call_hook();
  abort();
}
