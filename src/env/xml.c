// xml.c - reads elements and attributes, with a stack of the elements that are open.
//
// A Reader walks a text that is in memory as a whole. It skips to the next '<', and what follows
// decides, a comment, a declaration, a start tag with its attributes, or an end tag, which must
// close the innermost element. Nodes are linked in the order of the file, and carry their lines for
// messages.
//
// It is here because two users need only the elements and attributes of MJCF files (Bullet's
// models, and the list of files of a MuJoCo model), which is not worth a library. What it does not
// understand it refuses; it never guesses.
#include "env/xml.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char* path;
  const char* at;  // next character; the text is terminated
  int line;
  int depth;
  XmlNode* open[XML_MAX_DEPTH];  // open[0] stands for the document
  Arena* arena;
  Error* error;
} Reader;

static bool fail(Reader* reader, const char* what) {
  return error_set(reader->error, "%s:%d: %s", reader->path, reader->line, what);
}

static void advance(Reader* reader, size_t count) {
  for (size_t i = 0; i < count; i++) {
    reader->line += *reader->at++ == '\n';
  }
}

static void skip_space(Reader* reader) {
  advance(reader, strspn(reader->at, " \t\r\n"));
}

static bool starts(const Reader* reader, const char* text) {
  return strncmp(reader->at, text, strlen(text)) == 0;
}

static bool skip_past(Reader* reader, const char* end) {
  const char* found = strstr(reader->at, end);
  if (!found) {
    return fail(reader, "a comment or declaration is not closed");
  }
  advance(reader, (size_t)(found - reader->at) + strlen(end));
  return true;
}

// The next `count` characters as a string of their own.
static const char* take(Reader* reader, size_t count) {
  char* text = arena_alloc(reader->arena, count + 1);
  memcpy(text, reader->at, count);
  advance(reader, count);
  return text;
}

static bool read_name(Reader* reader, const char** name) {
  size_t size = 0;
  while (isalnum((unsigned char)reader->at[size]) ||
         (reader->at[size] && strchr("_-.:", reader->at[size]))) {
    size++;
  }
  if (size == 0) {
    return fail(reader, "expected a name");
  }
  *name = take(reader, size);
  return true;
}

static bool read_value(Reader* reader, const char** value) {
  skip_space(reader);
  if (*reader->at != '=') {
    return fail(reader, "expected '=' after the name of an attribute");
  }
  advance(reader, 1);
  skip_space(reader);
  char quote = *reader->at;
  if (quote != '"' && quote != '\'') {
    return fail(reader, "expected a quoted value");
  }
  advance(reader, 1);
  const char* end = strchr(reader->at, quote);
  if (!end) {
    return fail(reader, "a value is not closed");
  }
  *value = take(reader, (size_t)(end - reader->at));
  advance(reader, 1);
  if (strpbrk(*value, "<&")) {
    return fail(reader, "'<' and '&' are not allowed in a value");
  }
  return true;
}

static bool read_attribute(Reader* reader, XmlNode* node) {
  XmlAttribute* attribute = ARENA_NEW(reader->arena, 1, XmlAttribute);
  if (!read_name(reader, &attribute->name)) {
    return false;
  }
  if (xml_attribute(node, attribute->name)) {
    return fail(reader, "an attribute appears twice");
  }
  if (!read_value(reader, &attribute->value)) {
    return false;
  }
  attribute->next = node->attributes;
  node->attributes = attribute;
  return true;
}

static void append_child(XmlNode* parent, XmlNode* child) {
  if (parent->last) {
    parent->last->next = child;
  } else {
    parent->first = child;
  }
  parent->last = child;
}

// After '<'.
static bool read_start_tag(Reader* reader) {
  XmlNode* node = ARENA_NEW(reader->arena, 1, XmlNode);
  node->line = reader->line;
  if (!read_name(reader, &node->tag)) {
    return false;
  }
  append_child(reader->open[reader->depth], node);
  skip_space(reader);
  while (*reader->at != '>' && !starts(reader, "/>")) {
    if (!read_attribute(reader, node)) {
      return false;
    }
    skip_space(reader);
  }
  if (*reader->at == '/') {
    advance(reader, 2);
    return true;
  }
  advance(reader, 1);
  if (reader->depth + 1 == XML_MAX_DEPTH) {
    return fail(reader, "elements are nested too deeply");
  }
  reader->open[++reader->depth] = node;
  return true;
}

// After '</'.
static bool read_end_tag(Reader* reader) {
  const char* tag;
  if (!read_name(reader, &tag)) {
    return false;
  }
  skip_space(reader);
  if (reader->depth == 0 || strcmp(tag, reader->open[reader->depth]->tag) != 0) {
    return fail(reader, "an end tag that closes nothing");
  }
  if (*reader->at != '>') {
    return fail(reader, "expected '>'");
  }
  advance(reader, 1);
  reader->depth--;
  return true;
}

static bool read_markup(Reader* reader) {
  if (starts(reader, "<!--")) {
    return skip_past(reader, "-->");
  }
  if (starts(reader, "<?")) {
    return skip_past(reader, "?>");
  }
  if (starts(reader, "</")) {
    advance(reader, 2);
    return read_end_tag(reader);
  }
  advance(reader, 1);
  return read_start_tag(reader);
}

static bool read_document(Reader* reader) {
  for (;;) {
    advance(reader, strcspn(reader->at, "<"));
    if (!*reader->at) {
      break;
    }
    if (!read_markup(reader)) {
      return false;
    }
  }
  if (reader->depth > 0) {
    return fail(reader, "the file ends inside an element");
  }
  const XmlNode* root = reader->open[0]->first;
  return (root && !root->next) || fail(reader, "expected one outermost element");
}

static bool read_text(char** text, const char* path, Arena* arena, Error* error) {
  FILE* file = fopen(path, "rb");
  if (!file) {
    return error_errno(error, path);
  }
  *text = arena_alloc(arena, XML_MAX_BYTES + 1);
  size_t size = fread(*text, 1, XML_MAX_BYTES + 1, file);
  bool good = !ferror(file) || error_errno(error, path);
  fclose(file);
  if (!good) {
    return false;
  }
  if (size > XML_MAX_BYTES) {
    return error_set(error, "%s: larger than %u bytes", path, XML_MAX_BYTES);
  }
  return true;
}

bool xml_read_file(XmlNode** root, const char* path, Arena* arena, Error* error) {
  char* text = NULL;
  if (!read_text(&text, path, arena, error)) {
    return false;
  }
  XmlNode document = {0};
  Reader reader = {.path = path, .at = text, .line = 1, .arena = arena, .error = error};
  reader.open[0] = &document;
  if (!read_document(&reader)) {
    return false;
  }
  *root = document.first;
  return true;
}

const char* xml_attribute(const XmlNode* node, const char* name) {
  const XmlAttribute* attribute = node ? node->attributes : NULL;
  while (attribute && strcmp(attribute->name, name) != 0) {
    attribute = attribute->next;
  }
  return attribute ? attribute->value : NULL;
}

const XmlNode* xml_child(const XmlNode* node, const char* tag) {
  const XmlNode* child = node ? node->first : NULL;
  while (child && strcmp(child->tag, tag) != 0) {
    child = child->next;
  }
  return child;
}
