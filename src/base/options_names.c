#include "base/options_names.h"

#include <string.h>

#define LONGEST_KEY TEXT_DISTANCE_SIZE

static int smaller(int a, int b) { return a < b ? a : b; }

// How far an existing "section.name" is from what was written; a name without, or with another,
// section is close as well.
static int distance_to(const char* key, const OptionSection* section, const OptionRow* row,
                       const char* full) {
  const char* dot = strrchr(key, '.');
  const char* last = dot ? dot + 1 : key;
  int distance = text_distance(key, full);
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
    consider(nearest, section->name, 1 + text_distance(key, section->name));
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
