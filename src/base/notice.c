#include "base/notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void notice_clear(void) {
  if (isatty(STDERR_FILENO)) {
    fputs("\r\033[K", stderr);
  }
}

void notice(const char* format, ...) {
  va_list args;
  notice_clear();
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
}
