// Laws of what is below all files, where memory, a thread, a child or a socket is refused: said, and had when it is
// asked for again.
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../refused.h"
#include "base/archive.h"
#include "base/line_link.h"
#include "base/team.h"

#define LARGE ((size_t)1 << 20)

static void visit_inner(void* numbers, Archive* ar) { archive_f64(ar, "numbers", numbers, 3); }

static bool pack(const char* directory, Error* error) {
  (void)directory;
  double numbers[3] = {1, 2, 3}, back[3];
  ArchiveMemory memory = {0};
  Archive ar;
  archive_init_memory(&ar, ARCHIVE_SAVE, &memory);
  archive_packed(&ar, "inner", visit_inner, numbers);
  archive_init_memory(&ar, ARCHIVE_LOAD, &memory);
  archive_packed(&ar, "inner", visit_inner, back);
  archive_memory_free(&memory);
  return memcmp(numbers, back, sizeof back) == 0 || error_set(error, "other numbers");
}

static bool take_memory(const char* directory, Error* error) {
  (void)directory;
  Arena arena;
  arena_init(&arena);
  char* piece = arena_alloc(&arena, LARGE);
  char* pages = memory_reserve(LARGE);
  bool zero = piece[LARGE - 1] == 0 && pages[LARGE - 1] == 0 && arena_bytes(&arena) >= LARGE;
  memory_discard(pages, 1);  // less than a page
  memory_unreserve(pages, LARGE);
  arena_free(&arena);
  return zero || error_set(error, "no zeros");
}

static void count_part(void* counts, int part) { ((int*)counts)[part]++; }

static bool share_work(const char* directory, Error* error) {
  (void)directory;
  int counts[16] = {0};
  Team* team;
  Arena arena;
  arena_init(&arena);
  bool good = team_open(&team, 3, &arena, error);
  if (good) {
    team_run(team, count_part, counts, 16);
    team_close(team);
    good = counts[0] + counts[15] == 2 || error_set(error, "a part was done %d times", counts[0]);
  }
  arena_free(&arena);
  return good;
}

static bool talk(const char* directory, Error* error) {
  (void)directory;
  LineLink link;
  char* line = NULL;
  if (!line_link_start(&link, "exec cat", error)) {
    return false;
  }
  line_link_send(&link, "said");
  bool good = true;
  while (good && !line) {
    good = line_link_receive(&link, &line, 1, error);
  }
  good = good && (strcmp(line, "said") == 0 || error_set(error, "another line"));
  line_link_close(&link);
  return good;
}

static bool call(const char* directory, Error* error) {
  LineLink link;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%.90s/socket", directory);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink(address.sun_path);
  bool good = (bind(listener, (const struct sockaddr*)&address, sizeof address) == 0 && listen(listener, 1) == 0) ||
              error_errno(error, address.sun_path);
  good = good && line_link_connect(&link, address.sun_path, error);
  if (good) {
    line_link_close(&link);
  }
  close(listener);
  return good;
}

static void memory(void** state) {
  (void)state;
  each_call_refused(NULL, take_memory, ENOMEM);
  each_call_refused(NULL, pack, ENOMEM);
}

static void a_thread(void** state) {
  (void)state;
  each_call_refused(NULL, share_work, EAGAIN);
}

static void a_child(void** state) {
  (void)state;
  each_call_refused(NULL, talk, EAGAIN);
}

static void a_socket(void** state) {
  (void)state;
  each_call_refused(NULL, call, EMFILE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory),
      cmocka_unit_test(a_thread),
      cmocka_unit_test(a_child),
      cmocka_unit_test(a_socket),
  };
  return cmocka_run_group_tests_name("refused any call:", tests, NULL, NULL);
}
