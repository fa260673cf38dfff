#include "run/seeds.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST_SEED (INT64_C(1) << 53)

static bool parse_seed(int64_t* seed, const char** text) {
  char* end;
  if (**text < '0' || **text > '9') {
    return false;
  }
  *seed = strtoll(*text, &end, 10);
  *text = end;
  return *seed <= LARGEST_SEED;
}

// "A" or "A..B" or "A-B", appended to seeds.
static bool parse_range(int64_t* seeds, int* count, const char** text) {
  int64_t first, last;
  if (!parse_seed(&first, text)) {
    return false;
  }
  last = first;
  int dash = **text == '-' ? 1 : !strncmp(*text, "..", 2) ? 2 : 0;
  *text += dash;
  if (dash && !parse_seed(&last, text)) {
    return false;
  }
  if (last < first || last - first >= SEEDS_MOST - *count) {
    return false;
  }
  for (int i = 0; i < *count; i++) {
    if (seeds[i] >= first && seeds[i] <= last) {
      return false;
    }
  }
  for (int64_t seed = first; seed <= last; seed++) {
    seeds[(*count)++] = seed;
  }
  return true;
}

int seeds_parse(int64_t seeds[SEEDS_MOST], const char* text) {
  int count = 0;
  while (parse_range(seeds, &count, &text)) {
    if (*text == '\0') {
      return count;
    }
    if (*text++ != ',') {
      break;
    }
  }
  return 0;
}

bool seeds_take(Seeds* seeds, int* count, char** operands, Arena* arena, Error* error) {
  const char* text = NULL;
  bool one = false;
  int kept = 0;
  for (int i = 0; i < *count; i++) {
    if (strncmp(operands[i], "seeds=", 6) == 0) {
      text = operands[i] + 6;
    } else {
      one |= strncmp(operands[i], "run.seed=", 9) == 0;
      operands[kept++] = operands[i];
    }
  }
  *count = kept;
  *seeds = (Seeds){0};
  if (!text) {
    return true;
  }
  if (one) {
    return error_line(error, "seeds=%s and run.seed= are both given, expected one of them", text);
  }
  seeds->seed = ARENA_NEW(arena, SEEDS_MOST, int64_t);
  seeds->count = seeds_parse(seeds->seed, text);
  return seeds->count > 0 ||
         error_line(error, "seeds=%s: expected A..B or A,B,C, each seed once, at most %d", text,
                    SEEDS_MOST);
}

bool seeds_check_directory(const Seeds* seeds, const RunConfig* config, Error* error) {
  return seeds->count < 2 || strstr(config->run.dir, "{seed}") ||
         error_line(error, "run.dir=%s is one directory for %d seeds: it needs {seed}",
                    config->run.dir, seeds->count);
}
