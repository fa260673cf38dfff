#define _GNU_SOURCE
#include "run/assets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/files.h"

#define PROBE "hopper.xml"
#define PATH_SIZE 4096

static bool holds_assets(const char* directory, Arena* arena) {
  return access(text_format(arena, "%s/" PROBE, directory), R_OK) == 0;
}

static const char* search_path(Arena* arena) {
  const char* list = getenv("AUTOMBPO_PATH");
  for (const char* part; (part = text_next_directory(&list, arena));) {
    const char* directory = text_format(arena, "%s/mjcf", part);
    if (holds_assets(directory, arena)) {
      return directory;
    }
  }
  return NULL;
}

// The configs/ around this program that holds `probe`: installed, or of a source tree. NULL = none.
static const char* around_program(const char* probe, Arena* arena) {
  static const char* const places[] = {"share/autombpo/configs", "configs"};
  char path[PATH_SIZE];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  for (char* slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
    *slash = '\0';
    for (int i = 0; i < 2; i++) {
      const char* found = text_format(arena, "%s/%s", path, places[i]);
      if (access(text_format(arena, "%s/%s", found, probe), R_OK) == 0) {
        return found;
      }
    }
  }
  return NULL;
}

const char* assets_configs(Arena* arena) {
  const char* found = around_program("methods/mbpo.yaml", arena);
  return found ? found : AUTOMBPO_SOURCE_DIR "/configs";
}

const char* assets_find_shipped(const char* name, Arena* arena) {
  const char* shipped = text_format(arena, "%s/%s", assets_configs(arena), name);
  return !files_exists(name) && files_exists(shipped) ? shipped : name;
}

const char* assets_find(Arena* arena, Error* error) {
  const char* found = search_path(arena);
  const char* around = found ? NULL : around_program("mjcf/" PROBE, arena);
  if (around) {
    found = text_format(arena, "%s/mjcf", around);
  }
  if (!found && holds_assets(AUTOMBPO_SOURCE_DIR "/configs/mjcf", arena)) {
    found = AUTOMBPO_SOURCE_DIR "/configs/mjcf";
  }
  if (!found) {
    error_set(error, "no MJCF files found: name their directory with --assets, or a directory that"
                     " holds mjcf/ in AUTOMBPO_PATH");
  }
  return found;
}
