#define _GNU_SOURCE
#include "base/locale.h"

#include <locale.h>

// The "C" locale is static in the C library: nothing is allocated.
void locale_keep_c(void) { uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); }
