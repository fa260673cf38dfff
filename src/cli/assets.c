#define _GNU_SOURCE
#include "cli/assets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PROBE "hopper.xml"
#define PATH_SIZE 4096

static bool holds_assets(const char* directory, Arena* arena) {
  return access(text_format(arena, "%s/" PROBE, directory), R_OK) == 0;
}

static const char* search_path(Arena* arena) {
  const char* list = getenv("AUTOMBPO_PATH");
  if (!list) {
    return NULL;
  }
  char* rest = arena_string(arena, list);
  for (char* part = strsep(&rest, ":"); part; part = strsep(&rest, ":")) {
    const char* directory = text_format(arena, "%s/mjcf", part);
    if (*part && holds_assets(directory, arena)) {
      return directory;
    }
  }
  return NULL;
}

// In the directories above this program.
static const char* around_program(Arena* arena) {
  char path[PATH_SIZE];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length < 0) {
    return NULL;
  }
  path[length] = '\0';
  for (char* slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
    *slash = '\0';
    const char* installed = text_format(arena, "%s/share/autombpo/configs/mjcf", path);
    if (holds_assets(installed, arena)) {
      return installed;
    }
    const char* source = text_format(arena, "%s/configs/mjcf", path);
    if (holds_assets(source, arena)) {
      return source;
    }
  }
  return NULL;
}

const char* assets_find(Arena* arena, Error* error) {
  const char* found = search_path(arena);
  if (!found) {
    found = around_program(arena);
  }
#ifdef AUTOMBPO_SOURCE_DIR
  if (!found && holds_assets(AUTOMBPO_SOURCE_DIR "/configs/mjcf", arena)) {
    found = AUTOMBPO_SOURCE_DIR "/configs/mjcf";
  }
#endif
  if (!found) {
    error_set(error, "no MJCF files found: name their directory with --assets, or a directory that"
                     " holds mjcf/ in AUTOMBPO_PATH");
  }
  return found;
}
