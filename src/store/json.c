#include "store/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"

void json_init(Json* json, Text* out) { *json = (Json){.out = out}; }

// Writes the separator and the key that come before a value.
static void before_value(Json* json, const char* key) {
  if (json->depth > 0) {
    bool in_object = json->closing[json->depth - 1] == '}';
    CHECK(in_object == (key != NULL), "json: key '%s' %s", key ? key : "(none)",
          in_object ? "is missing in an object" : "given in an array");
    if (!json->empty[json->depth - 1]) {
      text_add_bytes(json->out, ",", 1);
    }
    json->empty[json->depth - 1] = false;
  }
  if (key) {
    text_add_quoted(json->out, key);
    text_add_bytes(json->out, ":", 1);
  }
}

static void begin(Json* json, const char* key, const char* opening, char closing) {
  before_value(json, key);
  CHECK(json->depth < JSON_MAX_DEPTH, "json: more than %d levels", JSON_MAX_DEPTH);
  text_add_bytes(json->out, opening, 1);
  json->empty[json->depth] = true;
  json->closing[json->depth++] = closing;
}

void json_begin_object(Json* json, const char* key) { begin(json, key, "{", '}'); }

void json_begin_array(Json* json, const char* key) { begin(json, key, "[", ']'); }

void json_end(Json* json) {
  CHECK(json->depth > 0, "json_end: nothing is open");
  text_add_bytes(json->out, &json->closing[--json->depth], 1);
}

void json_text(Json* json, const char* key, const char* value) {
  if (!value) {
    json_null(json, key);
    return;
  }
  before_value(json, key);
  text_add_quoted(json->out, value);
}

void json_number(Json* json, const char* key, double value) {
  if (!isfinite(value)) {
    json_null(json, key);
    return;
  }
  char number[TEXT_NUMBER_SIZE];
  text_number(number, value);
  before_value(json, key);
  text_add(json->out, "%s", number);
}

void json_integer(Json* json, const char* key, int64_t value) {
  before_value(json, key);
  text_add(json->out, "%" PRId64, value);
}

void json_bool(Json* json, const char* key, bool value) {
  before_value(json, key);
  text_add(json->out, "%s", value ? "true" : "false");
}

void json_null(Json* json, const char* key) {
  before_value(json, key);
  text_add(json->out, "null");
}
