// yaml.c - libyaml's events into a tree of nodes.
//
// A Reader holds libyaml's parser and goes down recursively: a node is a scalar, or a map or
// sequence of nodes, each with its line and column. There are two kinds of mistake. What libyaml
// cannot parse ends the reading. What is YAML but not our subset (anchors, tags, a key twice) is
// reported, and reading goes on, so that all of it is shown at once.
//
// The events are used and not libyaml's own document tree, because the tree has resolved aliases,
// which can make a small file huge, and no longer says that they were there. Size, depth and keys
// per map have limits for the same reason: a configuration may come from anywhere.
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct {
  yaml_parser_t parser;
  const char* name;
  Arena* arena;
  Error* error;
  bool good;   // no problem so far
} Reader;

static void problem(Reader* reader, yaml_mark_t mark, const char* what) {
  reader->good = false;
  error_line(reader->error, "%s:%zu:%zu: %s", reader->name, mark.line + 1, mark.column + 1, what);
}

// The next event; false = the text is not YAML, reported.
static bool next_event(Reader* reader, yaml_event_t* event) {
  if (yaml_parser_parse(&reader->parser, event)) {
    return true;
  }
  const yaml_parser_t* parser = &reader->parser;
  NEED(parser->problem, "%s: libyaml: out of memory", reader->name);  // any other error has one
  bool has_mark = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR;
  yaml_mark_t mark = has_mark ? parser->problem_mark : parser->mark;
  problem(reader, mark, parser->problem);
  return false;
}

static YamlNode* node_new(Reader* reader, YamlKind kind, yaml_mark_t mark) {
  YamlNode* node = ARENA_NEW(reader->arena, 1, YamlNode);
  *node = (YamlNode){.kind = kind, .text = ""};
  node->line = (int)mark.line + 1;
  node->column = (int)mark.column + 1;
  return node;
}

static void refuse_decorations(Reader* reader, const yaml_event_t* event, const yaml_char_t* anchor,
                               const yaml_char_t* tag) {
  if (anchor) {
    problem(reader, event->start_mark, "anchors are not supported");
  }
  if (tag) {
    problem(reader, event->start_mark, "tags are not supported");
  }
}

static YamlNode* read_scalar(Reader* reader, const yaml_event_t* event) {
  YamlNode* node = node_new(reader, YAML_SCALAR, event->start_mark);
  refuse_decorations(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
  const char* text = (const char*)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length) {
    problem(reader, event->start_mark, "text holds a zero byte");
  }
  node->text = arena_string(reader->arena, text);
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return node;
}

static YamlNode* read_node(Reader* reader, const yaml_event_t* event, int depth);

// Reads the event's node and the key before it; NULL at the end of the map or if unreadable.
static YamlNode* read_member(Reader* reader, int depth, bool* ended) {
  yaml_event_t event;
  if (!next_event(reader, &event)) {
    return NULL;
  }
  *ended = event.type == YAML_MAPPING_END_EVENT;
  if (*ended) {
    yaml_event_delete(&event);
    return NULL;
  }
  yaml_mark_t mark = event.start_mark;
  YamlNode* key = read_node(reader, &event, depth);
  yaml_event_delete(&event);
  if (!key || !next_event(reader, &event)) {
    return NULL;
  }
  if (key->kind != YAML_SCALAR) {
    problem(reader, mark, "a key must be a plain word");
  } else if (strcmp(key->text, "<<") == 0 && !key->quoted) {
    problem(reader, mark, "merge keys are not supported");
  }
  YamlNode* node = read_node(reader, &event, depth);
  yaml_event_delete(&event);
  if (node) {
    node->key = key->text;
    node->key_line = key->line;
    node->key_column = key->column;
  }
  return node;
}

// Whether the member's key is there already; reported if so.
static bool is_duplicate(Reader* reader, const YamlNode* map, const YamlNode* member) {
  const YamlNode* other = map->count < YAML_MAX_KEYS ? yaml_find(map, member->key) : NULL;
  if (other) {
    reader->good = false;
    error_line(reader->error, "%s:%d:%d: duplicate key '%.64s' (first in line %d)", reader->name,
               member->key_line, member->key_column, member->key, other->key_line);
  }
  return other != NULL;
}

static bool read_map(Reader* reader, YamlNode* map, int depth) {
  YamlNode** end = &map->first;
  bool ended = false;
  YamlNode* member = read_member(reader, depth, &ended);
  while (member) {
    bool linked = !is_duplicate(reader, map, member);
    if (++map->count > YAML_MAX_KEYS) {
      reader->good = false;
      return error_line(reader->error, "%s:%d:%d: more than %d keys in one map", reader->name,
                        member->key_line, member->key_column, YAML_MAX_KEYS);
    }
    if (linked) {
      *end = member;
      end = &member->next;
    }
    member = read_member(reader, depth, &ended);
  }
  return ended;
}

static bool read_sequence(Reader* reader, YamlNode* sequence, int depth) {
  YamlNode** end = &sequence->first;
  yaml_event_t event;
  while (next_event(reader, &event)) {
    bool ended = event.type == YAML_SEQUENCE_END_EVENT;
    YamlNode* item = ended ? NULL : read_node(reader, &event, depth);
    yaml_event_delete(&event);
    if (!item) {
      return ended;
    }
    *end = item;
    end = &item->next;
    sequence->count++;
  }
  return false;
}

static YamlNode* read_collection(Reader* reader, const yaml_event_t* event, int depth) {
  bool map = event->type == YAML_MAPPING_START_EVENT;
  if (depth >= YAML_MAX_DEPTH) {
    problem(reader, event->start_mark, "nested too deeply");
    return NULL;
  }
  YamlNode* node = node_new(reader, map ? YAML_MAP : YAML_SEQUENCE, event->start_mark);
  if (map) {
    refuse_decorations(reader, event, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag);
  } else {
    refuse_decorations(reader, event, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag);
  }
  bool whole = map ? read_map(reader, node, depth + 1) : read_sequence(reader, node, depth + 1);
  return whole ? node : NULL;
}

// The node that starts with `event`; NULL = unreadable, reported.
static YamlNode* read_node(Reader* reader, const yaml_event_t* event, int depth) {
  switch (event->type) {
    case YAML_SCALAR_EVENT:
      return read_scalar(reader, event);
    case YAML_ALIAS_EVENT:
      problem(reader, event->start_mark, "aliases are not supported");
      return node_new(reader, YAML_SCALAR, event->start_mark);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
      return read_collection(reader, event, depth);
    default:
      problem(reader, event->start_mark, "unexpected structure");
      return NULL;
  }
}

// Stream start, document start, node, document end, stream end.
static YamlNode* read_document(Reader* reader) {
  YamlNode* root = NULL;
  yaml_event_t event;
  while (next_event(reader, &event)) {
    yaml_event_type_t type = event.type;
    bool content = type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                   type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT;
    bool second = root && type == YAML_DOCUMENT_START_EVENT;
    if (second) {
      problem(reader, event.start_mark, "more than one document");
    }
    if (type == YAML_STREAM_END_EVENT && !root) {
      root = node_new(reader, YAML_MAP, event.start_mark);
    }
    if (content) {
      root = read_node(reader, &event, 0);
    }
    yaml_event_delete(&event);
    if (second || type == YAML_STREAM_END_EVENT || (content && !root)) {
      return root;
    }
  }
  return NULL;
}

bool yaml_read(YamlNode** root, const char* name, const char* text, size_t size, Arena* arena,
               Error* error) {
  *root = NULL;
  if (size > YAML_MAX_BYTES) {
    return error_line(error, "%s: larger than %u bytes", name, YAML_MAX_BYTES);
  }
  Reader reader = {.name = name, .arena = arena, .error = error, .good = true};
  NEED(yaml_parser_initialize(&reader.parser), "%s: libyaml: out of memory", name);
  yaml_parser_set_input_string(&reader.parser, (const unsigned char*)text, size);
  yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
  *root = read_document(&reader);
  yaml_parser_delete(&reader.parser);
  return reader.good && *root;
}

static bool failed_to_read(const char* path, Error* error) {
  error->transient = error_is_transient(errno);
  return error_line(error, "%s: %s", path, strerror(errno));
}

bool yaml_read_file(YamlNode** root, const char* path, Arena* arena, Error* error) {
  *root = NULL;
  FILE* file = fopen(path, "rb");
  if (!file) {
    return failed_to_read(path, error);
  }
  size_t capacity = 1 << 16;
  size_t size = 0;
  char* text = arena_alloc(arena, capacity);
  size_t got = fread(text, 1, capacity, file);
  while (got > 0 && size + got <= YAML_MAX_BYTES) {
    size += got;
    if (size == capacity) {
      char* larger = arena_alloc(arena, 2 * capacity);
      text = memcpy(larger, text, size);
      capacity *= 2;
    }
    got = fread(text + size, 1, capacity - size, file);
  }
  if (ferror(file)) {
    failed_to_read(path, error);
    fclose(file);
    return false;
  }
  fclose(file);
  return yaml_read(root, path, text, size + got, arena, error);
}

const YamlNode* yaml_find(const YamlNode* map, const char* key) {
  for (const YamlNode* node = map->first; node; node = node->next) {
    if (node->key && strcmp(node->key, key) == 0) {
      return node;
    }
  }
  return NULL;
}

bool yaml_is_null(const YamlNode* node) {
  return node->kind == YAML_SCALAR && !node->quoted &&
         (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

bool yaml_number(double* value, const YamlNode* node, const char* name, Error* error) {
  char* end = NULL;
  bool scalar = node->kind == YAML_SCALAR && *node->text &&
                strspn(node->text, "+-.0123456789eE") == strlen(node->text);
  *value = scalar ? strtod(node->text, &end) : 0.0;
  if (!scalar || *end || !isfinite(*value)) {
    return error_line(error, "%s:%d:%d: '%.64s' is not a number", name, node->line, node->column,
                      node->text);
  }
  return true;
}
