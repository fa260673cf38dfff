// Laws of a link of lines: each line comes whole and in order, an end is told with its cause, and nobody is
// left behind.
#include "base/line_link.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE 600.0  // seconds: what is only slow is no failure

static void start(LineLink* link, const char* command) {
  Error error = {0};
  assert_true(line_link_start(link, command, &error));
}

static void expect_line(LineLink* link, const char* expected) {
  Error error = {0};
  char* line = NULL;
  while (!line && line_link_receive(link, &line, PATIENCE, &error)) {
  }
  if (!line) {
    fail_msg("no line, but: %s", error.text);
  }
  assert_string_equal(line, expected);
}

// What is told instead of a line.
static void expect_end(LineLink* link, const char* text) {
  Error error = {0};
  char* line = NULL;
  while (!line && line_link_receive(link, &line, PATIENCE, &error)) {
  }
  assert_null(line);
  assert_string_equal(error.text, text);
}

static void lines_come_back_whole_and_in_order(void** state) {
  (void)state;
  LineLink link;
  start(&link, "exec cat");
  char line[40];
  for (int i = 0; i < 20000; i++) {  // more than the system keeps
    snprintf(line, sizeof line, "line %d", i);
    line_link_send(&link, line);
  }
  for (int i = 0; i < 20000; i++) {
    snprintf(line, sizeof line, "line %d", i);
    expect_line(&link, line);
  }
  char* none = line;
  Error error = {0};
  assert_true(line_link_receive(&link, &none, 0, &error));
  assert_null(none);
  line_link_close(&link);
  assert_int_equal(link.socket, -1);
}

static void an_end_is_told_with_its_cause(void** state) {
  (void)state;
  LineLink link;
  start(&link, "echo last; exit 3");
  expect_line(&link, "last");
  expect_end(&link, "it has ended with exit code 3");
  line_link_close(&link);
  start(&link, "kill -KILL 0");
  expect_end(&link, "it was ended by signal 9");
  line_link_close(&link);
}

static void more_than_a_line_can_have_is_refused(void** state) {
  (void)state;
  char text[100];
  snprintf(text, sizeof text, "it has sent %d bytes without a newline, expected lines", LINE_LINK_LONGEST);
  LineLink link;
  start(&link, "exec cat /dev/zero");
  expect_end(&link, text);
  line_link_close(&link);
}

// Whether `command`, which says when it is ready, has ended with all its children when the link is closed:
// then nobody has the other end of a pipe.
static bool is_gone_when_closed(const char* command) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  LineLink link;
  start(&link, command);
  close(ends[1]);
  expect_line(&link, "ready");
  line_link_close(&link);
  struct pollfd end = {.fd = ends[0], .events = POLLIN};
  bool gone = poll(&end, 1, 20000) == 1;
  close(ends[0]);
  return gone;
}

static void who_does_not_end_by_itself_is_ended(void** state) {
  (void)state;
  assert_true(is_gone_when_closed("echo ready; exec cat"));
  assert_true(is_gone_when_closed("sleep 1000 & echo ready; sleep 1000"));
  assert_true(is_gone_when_closed("trap '' TERM; echo ready; for i in $(seq 1000); do sleep 1; done"));
}

static void a_socket_carries_lines_until_the_other_side_closes_it(void** state) {
  (void)state;
  char directory[] = "/tmp/line-link-XXXXXX";
  assert_non_null(mkdtemp(directory));
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
  Error error = {0};
  LineLink link;
  assert_false(line_link_connect(&link, address.sun_path, &error));
  assert_non_null(strstr(error.text, address.sun_path));
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(bind(listener, (const struct sockaddr*)&address, sizeof address), 0);
  assert_int_equal(listen(listener, 1), 0);
  assert_true(line_link_connect(&link, address.sun_path, &error));
  int other = accept(listener, NULL, NULL);
  line_link_send(&link, "asked");
  char text[7] = "";
  assert_int_equal(recv(other, text, 6, MSG_WAITALL), 6);
  assert_string_equal(text, "asked\n");
  assert_int_equal(write(other, "answered\nhalf", 13), 13);
  expect_line(&link, "answered");
  close(other);
  expect_end(&link, "it has closed the connection");
  line_link_close(&link);
  close(listener);
  unlink(address.sun_path);
  rmdir(directory);
}

static void a_name_that_no_socket_can_have_is_refused(void** state) {
  (void)state;
  char path[200];
  memset(path, 'a', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  LineLink link;
  Error error = {0};
  assert_false(line_link_connect(&link, path, &error));
  assert_non_null(strstr(error.text, "a name of 199 characters, expected at most 107 of a Unix socket"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_come_back_whole_and_in_order),
      cmocka_unit_test(an_end_is_told_with_its_cause),
      cmocka_unit_test(more_than_a_line_can_have_is_refused),
      cmocka_unit_test(who_does_not_end_by_itself_is_ended),
      cmocka_unit_test(a_socket_carries_lines_until_the_other_side_closes_it),
      cmocka_unit_test(a_name_that_no_socket_can_have_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
