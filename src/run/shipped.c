// shipped.c - finds what comes with the program, and tells what each is from the file itself.
//
// A kind is a row of a table: the folders below a directory of configurations in which it lies, and
// how one is read. A configuration says what it is in its first comment; a file of R' in its keys;
// controllers, which are binary, in made.yaml beside them. So nothing lists them by hand, and a
// site's own directory in AUTOMBPO_PATH is listed as the shipped one is.
#define _GNU_SOURCE
#include "run/shipped.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
#include "run/assets.h"
#include "store/files.h"

#define MARK "shipped:"
#define MOST_ITEMS 512
#define MOST_PLACES 16

typedef struct {
  Shipped* items;
  int count;
  const char* folder;  // of the kind, "methods/"
  Arena* arena;
  Error* error;
} Listing;

// What the comment at the top of a configuration says, up to the end of a sentence.
static const char* first_sentence(const char* path, Arena* arena) {
  char start[FILES_START_SIZE];
  Text text;
  text_init(&text, arena);
  files_read_start(start, path);
  char* rest = start;
  for (char* line = strsep(&rest, "\n"); line && strncmp(line, "# ", 2) == 0;
       line = strsep(&rest, "\n")) {
    text_add(&text, "%s%s", text.size > 0 ? " " : "", line + 2);
    char* end = strstr(text.bytes, ". ");
    if (end) {
      end[1] = '\0';
    }
    if (end || strchr(".:", text.bytes[text.size - 1])) {
      break;
    }
  }
  return text.bytes;
}

static const char* text_of(const YamlNode* map, const char* key) {
  const YamlNode* node = map && map->kind == YAML_MAP ? yaml_find(map, key) : NULL;
  return node && node->kind == YAML_SCALAR ? node->text : "";
}

static Shipped* add(Listing* l, const char* name, const char* path) {
  CHECK(l->count < MOST_ITEMS, "more than %d files of configurations", MOST_ITEMS);
  Shipped* item = &l->items[l->count++];
  *item = (Shipped){.name = name, .path = path, .meaning = "", .command = ""};
  return item;
}

static bool add_configuration(Listing* l, const char* file, const char* path) {
  Shipped* item = add(l, text_format(l->arena, "%s%s", l->folder, file), path);
  item->meaning = first_sentence(path, l->arena);
  return true;
}

// NAME.yaml as shipped:NAME.
static const char* marked(const char* file, Arena* arena) {
  return text_format(arena, MARK "%.*s", (int)(strlen(file) - strlen(".yaml")), file);
}

static bool add_baseline(Listing* l, const char* file, const char* path) {
  YamlNode* root;
  if (!yaml_read_file(&root, path, l->arena, l->error)) {
    return false;
  }
  const YamlNode* last = root->kind == YAML_MAP ? yaml_find(root, "env_step") : NULL;
  for (last = last ? last->first : NULL; last && last->next;) {
    last = last->next;
  }
  Shipped* item = add(l, marked(file, l->arena), path);
  item->meaning = text_format(l->arena, "R' of %s, up to %s real samples", text_of(root, "env"),
                              last ? last->text : "0");
  item->command = text_of(root, "command");
  return true;
}

// A directory of controllers that were made alike.
static bool add_controllers(Listing* l, const char* directory, const char* path) {
  char** files;
  int count;
  YamlNode* root = NULL;
  Error none;
  const char* made = text_format(l->arena, "%s/made.yaml", path);
  if (!files_list(&files, &count, path, ".h5", l->arena, &none) || count == 0) {
    return true;
  }
  if (files_exists(made) && !yaml_read_file(&root, made, l->arena, l->error)) {
    return false;
  }
  Shipped* item = add(l, text_format(l->arena, MARK "%s", directory), path);
  Text text;
  text_init(&text, l->arena);
  text_add(&text, "/%.*s to /%.*s: %s", (int)strcspn(files[0], "."), files[0],
           (int)strcspn(files[count - 1], "."), files[count - 1], text_of(root, "meaning"));
  item->meaning = text.bytes;
  item->command = text_of(root, "command");
  return true;
}

typedef struct {
  const char* word;
  const char* folders[3];
  const char* suffix;
  bool (*add)(Listing* listing, const char* file, const char* path);
} Kind;

static const Kind kinds[SHIPPED_KINDS] = {
    [SHIPPED_TASKS] = {"tasks", {"", "release/"}, ".yaml", add_configuration},
    [SHIPPED_METHODS] = {"methods", {"methods/"}, ".yaml", add_configuration},
    [SHIPPED_BASELINES] = {"baselines", {"baselines/"}, ".yaml", add_baseline},
    [SHIPPED_CONTROLLERS] = {"controllers", {"controllers/"}, "", add_controllers}};

const char* shipped_word(ShippedKind kind) { return kinds[kind].word; }

// The directories of configurations; returns how many.
static int find_places(const char* places[MOST_PLACES], Arena* arena) {
  int count = 0;
  const char* list = getenv("AUTOMBPO_PATH");
  places[count++] = assets_configs(arena);
  for (const char* part; count < MOST_PLACES && (part = text_next_directory(&list, arena));) {
    places[count++] = part;
  }
  return count;
}

static bool list_folder(Listing* l, const Kind* kind, const char* place) {
  const char* directory = text_format(l->arena, "%s/%s", place, l->folder);
  char** files;
  int count;
  bool good = true;
  if (!files_exists(directory)) {
    return true;
  }
  if (!files_list(&files, &count, directory, kind->suffix, l->arena, l->error)) {
    return false;
  }
  for (int i = 0; i < count; i++) {
    const char* path = text_format(l->arena, "%s%s", directory, files[i]);
    good &= kind->add(l, files[i], path);
  }
  return good;
}

bool shipped_list(Shipped** items, int* count, ShippedKind kind, Arena* arena, Error* error) {
  const char* places[MOST_PLACES];
  int place_count = find_places(places, arena);
  bool good = true;
  Listing l = {.arena = arena, .error = error};
  l.items = ARENA_NEW(arena, MOST_ITEMS, Shipped);
  for (int p = 0; p < place_count; p++) {
    for (int f = 0; f < 3 && kinds[kind].folders[f]; f++) {
      l.folder = kinds[kind].folders[f];
      good &= list_folder(&l, &kinds[kind], places[p]);
    }
  }
  *items = l.items;
  *count = l.count;
  return good;
}

// The file of an item; of several controllers the one of a number, "" = 0.
static const char* file_of(const Shipped* item, ShippedKind kind, const char* number,
                           Arena* arena) {
  if (kind != SHIPPED_CONTROLLERS) {
    return *number ? NULL : item->path;
  }
  const char* path = text_format(arena, "%s/%s.h5", item->path, *number ? number : "0");
  return !strchr(number, '/') && files_exists(path) ? path : NULL;
}

const char* shipped_find(ShippedKind kind, const char* name, Arena* arena, Error* error) {
  Shipped* items;
  int count;
  Text there;
  if (strncmp(name, MARK, strlen(MARK)) != 0) {
    return assets_find_shipped(name, arena);
  }
  if (!shipped_list(&items, &count, kind, arena, error)) {
    return NULL;
  }
  size_t size = strcspn(name, "/");
  const char* number = name[size] ? name + size + 1 : "";
  text_init(&there, arena);
  for (int i = 0; i < count; i++) {
    bool same = strlen(items[i].name) == size && strncmp(items[i].name, name, size) == 0;
    const char* path = same ? file_of(&items[i], kind, number, arena) : NULL;
    if (path) {
      return path;
    }
    text_add(&there, "%s%s", there.size > 0 ? ", " : "", items[i].name);
  }
  error_line(error, "%s: there is none of this name; the %s that come with the program are %s "
             "(autombpo config list %s)", name, shipped_word(kind), there.bytes,
             shipped_word(kind));
  return NULL;
}
