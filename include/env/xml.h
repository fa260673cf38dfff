// xml.h - reads an XML file into a tree of elements.
//
// The subset that model files use: elements, attributes, comments and the declaration. Text between
// elements is skipped; entities, CDATA and DOCTYPE are refused. Nodes live in the arena. Size and
// nesting are bounded, so hostile input is refused.
#ifndef ENV_XML_H
#define ENV_XML_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

#define XML_MAX_BYTES (256u << 10)
#define XML_MAX_DEPTH 64

typedef struct XmlAttribute XmlAttribute;
typedef struct XmlNode XmlNode;

struct XmlAttribute {
  const char* name;
  const char* value;
  XmlAttribute* next;
};

struct XmlNode {
  const char* tag;
  int line;                  // of its start tag, from 1
  XmlAttribute* attributes;  // in reverse order
  XmlNode* first;            // first child
  XmlNode* last;
  XmlNode* next;             // next sibling
};

// Reads a file; *root is its outermost element. False = "PATH:LINE: what".
bool xml_read_file(XmlNode** root, const char* path, Arena* arena, Error* error);

// The value of an attribute; NULL if there is none, or if node is NULL.
const char* xml_attribute(const XmlNode* node, const char* name);

// The first child with this tag; NULL if there is none, or if node is NULL.
const XmlNode* xml_child(const XmlNode* node, const char* tag);

#endif  // ENV_XML_H
