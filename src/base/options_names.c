#include "base/options_names.h"

#include <string.h>

#define LONGEST_KEY 63

static int smaller(int a, int b) { return a < b ? a : b; }

// Edit distance with neighbouring letters swapped counted as one edit; both at most LONGEST_KEY.
static int edit_distance(const char* a, const char* b) {
  int rows[3][LONGEST_KEY + 1];
  int b_size = (int)strlen(b);
  for (int j = 0; j <= b_size; j++) {
    rows[0][j] = j;
  }
  for (int i = 1; a[i - 1]; i++) {
    int* now = rows[i % 3];
    const int* last = rows[(i + 2) % 3];
    const int* before = rows[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= b_size; j++) {
      now[j] = smaller(last[j - 1] + (a[i - 1] != b[j - 1]), 1 + smaller(last[j], now[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = smaller(now[j], before[j - 2] + 1);
      }
    }
  }
  return rows[strlen(a) % 3][b_size];
}

// How far an existing "section.name" is from what was written; a name without, or with another,
// section is close as well.
static int distance_to(const char* key, const OptionSection* section, const OptionRow* row,
                       const char* full) {
  const char* dot = strrchr(key, '.');
  const char* last = dot ? dot + 1 : key;
  int distance = edit_distance(key, full);
  if (strcmp(last, row->name) == 0) {
    distance = smaller(distance, 1);
  }
  bool same_section = dot && strlen(section->name) == (size_t)(dot - key) &&
                      memcmp(section->name, key, (size_t)(dot - key)) == 0;
  return same_section || distance == 0 ? distance : distance + 1;
}

// The candidate that is nearest to what was written.
typedef struct {
  char name[LONGEST_KEY + 1];
  int distance;
} Nearest;

static void consider(Nearest* nearest, const char* name, int distance) {
  if (distance < nearest->distance) {
    nearest->distance = distance;
    strcpy(nearest->name, name);
  }
}

static void consider_section(Nearest* nearest, const char* key, const OptionSection* section) {
  for (int i = 0; i < section->table.count; i++) {
    const OptionRow* row = &section->table.rows[i];
    char full[LONGEST_KEY + 1];
    size_t length = strlen(section->name) + 1 + strlen(row->name);
    CHECK(length <= LONGEST_KEY, "option name '%s.%s' is too long", section->name, row->name);
    strcpy(full, section->name);
    strcat(strcat(full, "."), row->name);
    consider(nearest, full, distance_to(key, section, row, full));
  }
  if (!strchr(key, '.')) {
    consider(nearest, section->name, 1 + edit_distance(key, section->name));
  }
}

bool options_unknown(const Options* options, const char* key, const char* origin, Error* error) {
  size_t size = strlen(key);
  Nearest nearest = {.distance = 3 + (int)(size / 8)};
  for (int s = 0; s < options->count && size <= LONGEST_KEY; s++) {
    consider_section(&nearest, key, &options->sections[s]);
  }
  if (*nearest.name) {
    return error_line(error, "%s: unknown key '%.80s' (did you mean '%s'?)", origin, key,
                      nearest.name);
  }
  return error_line(error, "%s: unknown key '%.80s'", origin, key);
}

bool options_is_section(const Options* options, const char* name) {
  size_t size = strlen(name);
  for (int s = 0; s < options->count; s++) {
    const char* section = options->sections[s].name;
    if (strncmp(section, name, size) == 0 && (section[size] == '\0' || section[size] == '.')) {
      return true;
    }
  }
  return false;
}
