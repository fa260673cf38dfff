// mjcf_files.c - walks an MJCF file and all that it names, and notes each file in the task's spec.
//
// The walk goes through the elements: <include> leads to another file, any other file attribute is
// an asset, looked for beside the model and in the directories of <compiler>. What is found is
// hashed.
//
// MuJoCo has read the model before, and would tell of a missing file; here nothing is refused that
// it accepted. What our smaller XML reader cannot read is noted itself and not followed. The depth
// is bounded, because files may include each other.
#include "env/mjcf_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env/env_files.h"
#include "env/xml.h"

// Files that name each other would be followed for ever.
#define DEEPEST 16

#define DIRECTORIES 3

typedef struct {
  EnvSpec* spec;
  const char* path;                     // of the model
  int home;                             // how much of it is its directory
  const char* directory[DIRECTORIES];   // of assets, as <compiler> names them
  int depth;
  Arena* arena;
  Error* error;
} Walk;

static bool note_all(Walk* walk, const char* path);

// A name of the model, relative to its directory and one of assets; NULL if there is no such file.
// False: the disk does not tell.
static bool find(const char** found, const Walk* walk, const char* directory, const char* name) {
  char path[4096];
  int home = name[0] == '/' || (directory && directory[0] == '/') ? 0 : walk->home;
  bool inside = directory && *directory && name[0] != '/';
  int size = snprintf(path, sizeof path, "%.*s%s%s%s", home, walk->path, inside ? directory : "",
                      inside ? "/" : "", name);
  bool fits = size < (int)sizeof path;
  bool there = fits && access(path, R_OK) == 0;
  *found = there ? arena_string(walk->arena, path) : NULL;
  return there || !fits || !error_is_transient(errno) || error_errno(walk->error, path);
}

static bool note_asset(Walk* walk, const char* name) {
  const char* path;
  bool good = find(&path, walk, NULL, name);
  for (int i = 0; good && !path && i < DIRECTORIES; i++) {
    good = !walk->directory[i] || find(&path, walk, walk->directory[i], name);
  }
  return good && (!path || env_note_file(walk->spec, path, walk->error));
}

static void learn_directories(Walk* walk, const XmlNode* node) {
  static const char* const names[DIRECTORIES] = {"assetdir", "meshdir", "texturedir"};
  for (int i = 0; strcmp(node->tag, "compiler") == 0 && i < DIRECTORIES; i++) {
    const char* directory = xml_attribute(node, names[i]);
    walk->directory[i] = directory ? directory : walk->directory[i];
  }
}

// What an element and those in it name: file="..." of <include>, or of an asset.
static bool note_named(Walk* walk, const XmlNode* node) {
  learn_directories(walk, node);
  for (const XmlAttribute* a = node->attributes; a; a = a->next) {
    if (strncmp(a->name, "file", 4) != 0) {
      continue;
    }
    const char* included = NULL;
    bool good = strcmp(node->tag, "include") != 0 || find(&included, walk, NULL, a->value);
    if (!good || !(included ? note_all(walk, included) : note_asset(walk, a->value))) {
      return false;
    }
  }
  for (const XmlNode* child = node->first; child; child = child->next) {
    if (!note_named(walk, child)) {
      return false;
    }
  }
  return true;
}

static bool note_all(Walk* walk, const char* path) {
  XmlNode* root;
  Error unread = {0};
  if (!env_note_file(walk->spec, path, walk->error)) {
    return false;
  }
  if (walk->depth == DEEPEST) {
    return true;
  }
  // MuJoCo has read it: what is beyond our reader names no file that we know of
  if (!xml_read_file(&root, path, walk->arena, &unread)) {
    return !unread.transient || (*walk->error = unread, false);
  }
  walk->depth++;
  bool good = note_named(walk, root);
  walk->depth--;
  return good;
}

bool mjcf_note_files(EnvSpec* spec, const char* path, Error* error) {
  Arena arena;
  arena_init(&arena);
  const char* slash = strrchr(path, '/');
  Walk walk = {.spec = spec,
               .path = path,
               .home = slash ? (int)(slash - path) + 1 : 0,
               .arena = &arena,
               .error = error};
  bool good = note_all(&walk, path);
  arena_free(&arena);
  return good;
}
