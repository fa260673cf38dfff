// options_load.c - YAML files into options: maps are sections, everything else is a value.
//
// A file may begin with `include`: what is included is loaded first, so that the file itself has
// the last word. A name is searched as it is given, beside the file that includes it, in
// AUTOMBPO_PATH and among the installed configurations; one that is not found is answered with the
// nearest that exists. Depth and number of files are bounded, so that files that include each other
// end in an error.
//
// Loading goes on after a mistake, so that one run shows all of them. A record (the configuration
// in a policy file) is asked only for the keys that this program has: it may come from another
// version, whose other keys mean nothing here.
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/options_names.h"

#define DEEPEST_INCLUDE 8
#define MOST_FILES 64

static bool load_root(Options* options, const YamlNode* root, const char* name, int depth,
                      Error* error);

static bool load_path(Options* options, const char* path, int depth, Error* error) {
  YamlNode* root;
  bool good = yaml_read_file(&root, path, options->arena, error);
  return root && load_root(options, root, path, depth, error) && good;
}

static const char* readable(const char* path) { return access(path, R_OK) == 0 ? path : NULL; }

// The first readable file: as given, beside `beside` (a file, or NULL), in search_path, share_dir.
static const char* find_file(const Options* options, const char* path, const char* beside) {
  const char* found = readable(path);
  const char* slash = beside ? strrchr(beside, '/') : NULL;
  Arena* arena = options->arena;
  if (found || path[0] == '/') {
    return found;
  }
  if (slash) {
    found = readable(text_format(arena, "%.*s/%s", (int)(slash - beside), beside, path));
  }
  const char* list = options->search_path;
  for (const char* part; !found && (part = text_next_directory(&list, arena));) {
    found = readable(text_format(arena, "%s/%s", part, path));
  }
  if (!found && options->share_dir) {
    found = readable(text_format(arena, "%s/%s", options->share_dir, path));
  }
  return found;
}

// Considers the YAML files of a directory, as `prefix`NAME; and those one level below.
static void consider_files(TextNearest* near, Arena* arena, const char* directory,
                           const char* prefix, int levels) {
  DIR* listing = opendir(directory);
  for (struct dirent* entry; listing && (entry = readdir(listing));) {
    const char* name = text_format(arena, "%s%s", prefix, entry->d_name);
    if (strstr(entry->d_name, ".yaml")) {
      text_consider(near, name);
    } else if (levels > 0 && entry->d_name[0] != '.') {
      consider_files(near, arena, text_format(arena, "%s/%s", directory, entry->d_name),
                     text_format(arena, "%s/", name), levels - 1);
    }
  }
  if (listing) {
    closedir(listing);
  }
}

// An existing file whose name is near: beside the one that is missing, or an installed one.
static const char* near_file(const Options* options, const char* path) {
  Arena* arena = options->arena;
  TextNearest near = {.word = path};
  const char* slash = strrchr(path, '/');
  const char* prefix = slash ? text_format(arena, "%.*s", (int)(slash + 1 - path), path) : "";
  consider_files(&near, arena, slash ? prefix : ".", prefix, 0);
  if (options->share_dir) {
    consider_files(&near, arena, options->share_dir, "", 1);
  }
  return near.nearest;
}

const char* options_search(const Options* options, const char* path) {
  return find_file(options, path, NULL);
}

static bool include_file(Options* options, const YamlNode* item, const char* name, int depth,
                         Error* error) {
  const char* place = text_format(options->arena, "%s:%d:%d", name, item->line, item->column);
  if (item->kind != YAML_SCALAR || yaml_is_null(item)) {
    return error_line(error, "%s: 'include' must list file names", place);
  }
  if (depth >= DEEPEST_INCLUDE) {
    return error_line(error, "%s: includes nest deeper than %d files (in a circle?)", place,
                      DEEPEST_INCLUDE);
  }
  const char* path = find_file(options, item->text, name);
  if (!path) {
    return error_line(error, "%s: cannot find '%.160s' (searched as given, beside this file, in "
                             "AUTOMBPO_PATH and among the installed configurations)",
                      place, item->text);
  }
  return load_path(options, path, depth + 1, error);
}

static bool load_includes(Options* options, const YamlNode* include, const char* name, int depth,
                          Error* error) {
  if (include->kind != YAML_SEQUENCE) {
    return include_file(options, include, name, depth, error);
  }
  bool good = true;
  for (const YamlNode* item = include->first; item; item = item->next) {
    good &= include_file(options, item, name, depth, error);
  }
  return good;
}

// Assigns a member of a map whose dotted path so far is `prefix` ("" at the root).
static bool load_member(Options* options, const YamlNode* node, const char* prefix,
                        const char* name, Error* error) {
  OptionSection* section;
  const char* dot = *prefix ? "." : "";
  const char* key = text_format(options->arena, "%s%s%.160s", prefix, dot, node->key);
  if (options_find(options, key, &section)) {
    return options_set_node(options, key, node, name, error);
  }
  const char* place =
      text_format(options->arena, "%s:%d:%d", name, node->key_line, node->key_column);
  if (!*prefix && strcmp(key, "include") == 0) {
    return error_line(error, "%s: 'include' must be the first key of the file", place);
  }
  if (!options_is_section(options, key)) {
    return options_unknown(options, key, place, error);
  }
  if (yaml_is_null(node)) {
    return true;
  }
  if (node->kind != YAML_MAP) {
    return error_line(error, "%s: '%s' is a section: its options go below it", place, key);
  }
  bool good = true;
  for (const YamlNode* member = node->first; member; member = member->next) {
    good &= load_member(options, member, key, name, error);
  }
  return good;
}

static bool load_root(Options* options, const YamlNode* root, const char* name, int depth,
                      Error* error) {
  if (options->loads >= MOST_FILES) {
    return error_line(error, "%s: more than %d configuration files", name, MOST_FILES);
  }
  options->loads++;
  if (yaml_is_null(root)) {
    return true;
  }
  if (root->kind != YAML_MAP) {
    return error_line(error, "%s:%d:%d: must be a map of sections", name, root->line, root->column);
  }
  const YamlNode* member = root->first;
  bool good = true;
  if (member && strcmp(member->key, "include") == 0) {
    good = load_includes(options, member, name, depth, error);
    member = member->next;
    options->loads++;
  }
  for (; member; member = member->next) {
    good &= load_member(options, member, "", name, error);
  }
  return good;
}

bool options_load(Options* options, const char* path, Error* error) {
  const char* found = find_file(options, path, NULL);
  const char* near = found ? NULL : near_file(options, path);
  if (near) {
    return error_line(error, "%s: no such file (did you mean '%s'?)", path, near);
  }
  return load_path(options, found ? found : arena_string(options->arena, path), 0, error);
}

bool options_load_text(Options* options, const char* name, const char* text, Error* error) {
  YamlNode* root;
  const char* origin = arena_string(options->arena, name);
  bool good = yaml_read(&root, origin, text, strlen(text), options->arena, error);
  return root && load_root(options, root, origin, 0, error) && good;
}

static bool load_known(Options* options, const OptionSection* section, const YamlNode* map,
                       const char* name, Error* error) {
  bool good = true;
  for (int i = 0; map && i < section->table.count; i++) {
    const char* key =
        text_format(options->arena, "%s.%s", section->name, section->table.rows[i].name);
    const YamlNode* node = yaml_find(map, section->table.rows[i].name);
    good &= !node || options_set_node(options, key, node, name, error);
  }
  return good;
}

bool options_load_record(Options* options, const char* name, const char* text, Error* error) {
  YamlNode* root;
  const char* origin = arena_string(options->arena, name);
  if (!yaml_read(&root, origin, text, strlen(text), options->arena, error)) {
    return false;
  }
  options->loads++;
  bool good = true;
  for (int s = 0; s < options->count; s++) {
    const OptionSection* section = &options->sections[s];
    good &= load_known(options, section, yaml_find(root, section->name), origin, error);
  }
  return good;
}
