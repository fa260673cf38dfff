// The documented plugin, which also sets the process's locale to one that writes 1,5.
#include <locale.h>

#define autombpo_task original_task
#include "swing_up.c"
#undef autombpo_task

const AutombpoTask* autombpo_task(void) {
  static AutombpoTask comma;
  comma = *original_task();
  comma.name = setlocale(LC_ALL, "de_DE.UTF-8") ? "comma-v1" : "no-such-locale-v1";
  return &comma;
}
