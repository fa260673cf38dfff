// yaml.h - reads a YAML document into a tree of maps, sequences and scalars with their places.
//
// The subset: one document; maps with scalar keys, sequences, scalars in any style. Anchors,
// aliases, tags, merge keys and duplicate keys are errors. All problems of a document are
// collected, one line each: "NAME:LINE:COLUMN: what".
// Nodes live in the arena. Size, nesting and keys per map are bounded, so hostile input is refused.
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

#define YAML_MAX_BYTES (4u << 20)
#define YAML_MAX_DEPTH 32
#define YAML_MAX_KEYS 4096

typedef enum { YAML_SCALAR, YAML_SEQUENCE, YAML_MAP } YamlKind;

typedef struct YamlNode YamlNode;

struct YamlNode {
  YamlKind kind;
  int line, column;          // of the value, from 1
  const char* key;           // if this is a member of a map, else NULL
  int key_line, key_column;  // of the key
  const char* text;          // of a scalar; "" otherwise
  bool quoted;               // the scalar was not written plainly
  int count;                 // children
  YamlNode* first;           // first child
  YamlNode* next;            // next sibling
};

// Reads `size` bytes of text; `name` is for messages. An empty document is an empty map.
// False = problems were appended to error; *root is then NULL, or the tree without what was
// refused.
bool yaml_read(YamlNode** root, const char* name, const char* text, size_t size, Arena* arena,
               Error* error);

// The same from a file.
bool yaml_read_file(YamlNode** root, const char* path, Arena* arena, Error* error);

// The member of a map, or NULL.
const YamlNode* yaml_find(const YamlNode* map, const char* key);

// Whether a scalar is empty, ~ or null (plain).
bool yaml_is_null(const YamlNode* node);

// A scalar as a finite number. False = it is not one, with a line "NAME:LINE:COLUMN: ..." appended.
bool yaml_number(double* value, const YamlNode* node, const char* name, Error* error);

#endif  // BASE_YAML_H
