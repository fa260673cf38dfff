// json.h - writes one JSON value into a text, on one line.
//
// Members are given in order; key is NULL inside an array and for the outermost value. A number
// that is not finite becomes null (docs/formats.md section 6).
#ifndef STORE_JSON_H
#define STORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define JSON_MAX_DEPTH 16

typedef struct {
  Text* out;
  int depth;                        // open objects and arrays
  bool empty[JSON_MAX_DEPTH];       // nothing in it yet
  char closing[JSON_MAX_DEPTH];     // '}' or ']'
} Json;

void json_init(Json* json, Text* out);

void json_begin_object(Json* json, const char* key);
void json_begin_array(Json* json, const char* key);
void json_end(Json* json);  // of the innermost

void json_text(Json* json, const char* key, const char* value);  // NULL becomes null
void json_number(Json* json, const char* key, double value);
void json_integer(Json* json, const char* key, int64_t value);
void json_bool(Json* json, const char* key, bool value);
void json_null(Json* json, const char* key);

#endif  // STORE_JSON_H
