// The XML reader: what it reads, and that it refuses the rest with the line.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/xml.h"

typedef struct {
  Arena arena;
  Error error;
  XmlNode* root;
} Document;

static bool read_text(Document* document, const char* text) {
  char path[] = "/tmp/autombpo-xml-XXXXXX";
  int handle = mkstemp(path);
  assert_true(handle >= 0);
  assert_int_equal(write(handle, text, strlen(text)), strlen(text));
  close(handle);
  bool ok = xml_read_file(&document->root, path, &document->arena, &document->error);
  remove(path);
  return ok;
}

static void elements_and_attributes_come_in_order(void** state) {
  (void)state;
  Document document = {0};
  assert_true(read_text(&document,
                        "<?xml version='1.0'?>\n<!-- a > b <c> -->\n<a x = \"1 2\" y='\"'>\n"
                        "text<b/><c z=\"\" /><b n=\"2\"><d/></b>\n</a >\n"));
  const XmlNode* a = document.root;
  assert_string_equal(a->tag, "a");
  assert_int_equal(a->line, 3);
  assert_string_equal(xml_attribute(a, "x"), "1 2");
  assert_string_equal(xml_attribute(a, "y"), "\"");
  assert_null(xml_attribute(a, "z"));
  assert_string_equal(a->first->tag, "b");
  assert_string_equal(a->first->next->tag, "c");
  assert_string_equal(xml_attribute(xml_child(a, "c"), "z"), "");
  const XmlNode* second = a->first->next->next;
  assert_string_equal(xml_attribute(second, "n"), "2");
  assert_non_null(xml_child(second, "d"));
  assert_int_equal(second->line, 4);
  assert_null(second->next);
  assert_null(xml_child(NULL, "a"));
  arena_free(&document.arena);
}

static void broken_text_is_refused_with_its_line(void** state) {
  (void)state;
  const char* const texts[] = {
      "",        "<a>",        "<a></b>",     "<a",          "<a/><b/>",   "</a>",
      "<a x>",   "<a x=1/>",   "<a x='1/>",   "<!-- <a/>",   "<a x='1' x='2'/>",
      "<a><b></a></b>",        "<>",          "<a/",         "<a x='&lt;'/>", "<![CDATA[x]]>",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char text[64];
    snprintf(text, sizeof text, "\n\n%s", texts[i]);
    Document document = {0};
    if (read_text(&document, text)) {
      fail_msg("accepted: %s", texts[i]);
    }
    assert_non_null(strstr(document.error.text, ":3: "));
    arena_free(&document.arena);
  }
}

static void deep_nesting_and_large_files_are_refused(void** state) {
  (void)state;
  char* text = calloc(1, XML_MAX_BYTES + 2);
  for (int i = 0; i < 1000; i++) {
    strcat(text, "<a>");
  }
  Document document = {0};
  assert_false(read_text(&document, text));
  assert_non_null(strstr(document.error.text, "nested"));
  memset(text, ' ', XML_MAX_BYTES + 1);
  assert_false(read_text(&document, text));
  assert_non_null(strstr(document.error.text, "larger"));
  arena_free(&document.arena);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elements_and_attributes_come_in_order),
      cmocka_unit_test(broken_text_is_refused_with_its_line),
      cmocka_unit_test(deep_nesting_and_large_files_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
