// manifest.c - COMPLETE: checksum and name of every sealed file, made when the last one stands.
//
// It is written once and never again; a start that finds it compares the files with it. One that is
// missing may be made again, to the same bits, so only those that are there are compared. Whether a
// file is there is asked for with the reason (files_look): a disk that failed for a moment must not
// look like a file that is gone.
#define _GNU_SOURCE
#include "hyper/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/files.h"
#include "store/pack.h"

#define FIRST_LINE "# autombpo.manifest 1: checksum and name of every sealed file\n"

static bool add_files(Text* text, const RunDirectory* directory, RunPath* path_of, Error* error) {
  char path[RUN_PATH_SIZE];
  RunIndices there;
  uint64_t hash;
  if (!run_list(&there, path_of, directory, text->arena, error)) {
    return false;
  }
  for (int64_t i = 0; i < there.count; i++) {
    path_of(path, directory, there.index[i]);
    // who published the last version may have died, or be held, before its name was synced
    if ((i == 0 && !files_sync_parent(path, error)) || !pack_hash(&hash, path, error)) {
      return false;
    }
    text_add(text, "%016" PRIx64 "  %s\n", hash, path + strlen(directory->path) + 1);
  }
  return true;
}

static bool write_new(const char* path, const RunDirectory* directory, Arena* arena, Error* error) {
  Text text;
  text_init(&text, arena);
  text_add(&text, FIRST_LINE);
  return add_files(&text, directory, run_episode_path, error) &&
         add_files(&text, directory, run_policy_path, error) &&
         files_write(path, text.bytes, text.size, error);
}

bool manifest_write(const RunDirectory* directory, Error* error) {
  char path[RUN_PATH_SIZE];
  char* bytes;
  size_t size = 0;
  bool there;
  Arena arena;
  arena_init(&arena);
  run_file(path, directory, "COMPLETE");
  // an empty one is of an earlier program
  bool good = files_look(&there, path, error) &&
              (!there || files_read(&bytes, &size, path, &arena, error));
  good = good && (size > 0 ? manifest_check(directory, error)
                           : write_new(path, directory, &arena, error));
  arena_free(&arena);
  return good;
}

// "HASH  NAME".
static bool check_line(const RunDirectory* directory, const char* manifest, const char* line,
                       Error* error) {
  char name[64], path[RUN_PATH_SIZE];
  uint64_t expected, hash;
  if (sscanf(line, "%16" SCNx64 "  %63[a-z0-9/.]", &expected, name) != 2 || strstr(name, "..")) {
    return error_set(error, "%s: '%.80s' is no line of a manifest; remove it: it is made again",
                     manifest, line);
  }
  bool there;
  run_file(path, directory, name);
  if (!pack_look(&there, path, error)) {
    return false;
  }
  if (!there) {
    return true;
  }
  return pack_hash(&hash, path, error) &&
         (hash == expected ||
          error_set(error,
                    "%s: is damaged or was changed: it has checksum %016" PRIx64 ", %s says "
                    "%016" PRIx64 ". Remove or move this file and repeat the command: it is then "
                    "made again, to the same bits",
                    path, hash, manifest, expected) ||
          pack_add_way_out(path, error));
}

bool manifest_check(const RunDirectory* directory, Error* error) {
  char path[RUN_PATH_SIZE];
  char* text;
  size_t size;
  bool there;
  Arena arena;
  run_file(path, directory, "COMPLETE");
  if (!files_look(&there, path, error)) {
    return false;
  }
  if (!there) {
    return true;
  }
  arena_init(&arena);
  bool good = files_read(&text, &size, path, &arena, error);
  for (char* line = good ? strsep(&text, "\n") : NULL; good && line; line = strsep(&text, "\n")) {
    good = !*line || *line == '#' || check_line(directory, path, line, error);
  }
  arena_free(&arena);
  return good;
}
