// Laws of small files: whole or absent, lines never mix, failures name the path.

#include "store/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/h5.h"

#define WRITERS 4
#define LINES 200

typedef struct {
  char dir[64];
  Arena arena;
  Error error;
} Fixture;

static int set_up(void** state) {
  Fixture* f = calloc(1, sizeof *f);
  strcpy(f->dir, "/tmp/files_test_XXXXXX");
  assert_non_null(mkdtemp(f->dir));
  arena_init(&f->arena);
  *state = f;
  return 0;
}

static int tear_down(void** state) {
  Fixture* f = *state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", f->dir);
  assert_int_equal(system(command), 0);
  arena_free(&f->arena);
  free(f);
  return 0;
}

static const char* path_of(Fixture* f, const char* name) {
  char* path = arena_alloc(&f->arena, FILES_PATH_SIZE);
  snprintf(path, FILES_PATH_SIZE, "%s/%s", f->dir, name);
  return path;
}

static void a_written_file_replaces_the_old_one_whole(void** state) {
  Fixture* f = *state;
  const char* path = path_of(f, "status.json");
  char* bytes;
  size_t size;
  char** names;
  int count;
  assert_true(files_write(path, "a longer text", 13, &f->error));
  assert_true(files_write(path, "short", 5, &f->error));
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  assert_int_equal(size, 5);
  assert_string_equal(bytes, "short");
  assert_true(files_list(&names, &count, f->dir, "", &f->arena, &f->error));
  assert_int_equal(count, 1);
}

// Whoever comes later reads what the first one wrote.
static void the_first_to_write_a_file_makes_it(void** state) {
  Fixture* f = *state;
  const char* path = path_of(f, "machine");
  char* bytes;
  size_t size;
  assert_true(files_write_first(path, "first", 5, &f->error));
  assert_true(files_write_first(path, "second", 6, &f->error));
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  assert_string_equal(bytes, "first");
  assert_false(files_write_first(path_of(f, "missing/machine"), "first", 5, &f->error));
}

static void swept_work_is_done_only_if_somebody_else_did_it(void** state) {
  const char* path = path_of(*state, "sealed");
  Error error;
  // taken for dead, its unfinished file removed, and nothing in its place
  assert_false(files_publish(path_of(*state, "sealed.tmp"), path, false, &error));
  assert_true(files_write(path, "same", 4, &error));
  assert_true(files_publish(path_of(*state, "sealed.tmp"), path, false, &error));
  assert_false(files_publish(path_of(*state, "sealed.tmp"), path, true, &error));
}

static void large_files_are_read_whole(void** state) {
  Fixture* f = *state;
  size_t size = 300001;
  char* text = arena_alloc(&f->arena, size);
  memset(text, 'x', size);
  text[size - 1] = 'y';
  char* bytes;
  size_t got;
  uint64_t first, second;
  assert_true(files_write(path_of(f, "a"), text, size, &f->error));
  assert_true(files_read(&bytes, &got, path_of(f, "a"), &f->arena, &f->error));
  assert_int_equal(got, size);
  assert_memory_equal(bytes, text, size);
  assert_true(files_hash(&first, path_of(f, "a"), &f->error));
  text[200000] = 'z';
  assert_true(files_write(path_of(f, "a"), text, size, &f->error));
  assert_true(files_hash(&second, path_of(f, "a"), &f->error));
  assert_true(first != second);
}

static void lines_of_several_writers_never_mix(void** state) {
  Fixture* f = *state;
  const char* path = path_of(f, "metrics.jsonl");
  for (int w = 0; w < WRITERS; w++) {
    if (fork() == 0) {
      char line[101];
      memset(line, 'a' + w, 100);
      line[100] = '\0';
      bool good = true;
      for (int i = 0; i < LINES; i++) {
        good &= files_append_line(path, line, &f->error);
      }
      _exit(!good);
    }
  }
  for (int w = 0; w < WRITERS; w++) {
    int status;
    wait(&status);
    assert_int_equal(status, 0);
  }
  char* bytes;
  size_t size;
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  assert_int_equal(size, WRITERS * LINES * 101);
  for (size_t i = 0; i < size; i += 101) {
    assert_int_equal(strspn(bytes + i, (char[]){bytes[i], '\0'}), 100);
    assert_int_equal(bytes[i + 100], '\n');
  }
}

static void a_line_that_was_cut_off_spoils_no_other(void** state) {
  Fixture* f = *state;
  const char* path = path_of(f, "metrics.jsonl");
  char* bytes;
  size_t size;
  assert_true(files_write(path, "whole\ncut o", 11, &f->error));
  assert_true(files_append_line(path, "next", &f->error));
  assert_true(files_append_line(path, "last", &f->error));
  assert_true(files_read(&bytes, &size, path, &f->arena, &f->error));
  assert_string_equal(bytes, "whole\ncut o\nnext\nlast\n");
}

static void directories_are_made_with_their_parents(void** state) {
  Fixture* f = *state;
  assert_true(files_make_directory(path_of(f, "a/b/c/"), &f->error));
  assert_true(files_make_directory(path_of(f, "a/b/c"), &f->error));
  assert_true(files_exists(path_of(f, "a/b/c")));
  assert_true(files_write(path_of(f, "a/file"), "", 0, &f->error));
  assert_false(files_make_directory(path_of(f, "a/file/d"), &f->error));
  assert_non_null(strstr(f->error.text, "a/file: "));
}

static void a_path_that_no_file_can_have_is_refused(void** state) {
  Fixture* f = *state;
  char path[FILES_PATH_SIZE + 8], temporary[FILES_PATH_SIZE];
  memset(path, 'a', sizeof path);
  for (size_t i = 0; i < sizeof path; i += 100) {
    path[i] = '/';
  }
  path[FILES_PATH_SIZE + 1] = '\0';
  assert_false(files_make_directory(path, &f->error));
  assert_non_null(strstr(f->error.text, "path is too long"));
  path[FILES_PATH_SIZE - 2] = '\0';
  assert_false(files_write(path, "x", 1, &f->error));
  assert_non_null(strstr(f->error.text, "path is too long"));
  assert_false(files_temporary(temporary, path, 0, &f->error));
}

// A name without a directory is one of the working directory; one of the root has "/".
static void the_parent_of_a_name_is_where_it_stands(void** state) {
  Fixture* f = *state;
  assert_true(files_sync_parent("name", &f->error));
  assert_true(files_sync_parent("/tmp", &f->error));
  assert_true(files_check_output(path_of(f, "new"), &f->error));
  assert_false(files_check_output(path_of(f, "none/new"), &f->error));
  assert_non_null(strstr(f->error.text, "none/new: No such file"));
  assert_false(files_check_output(f->dir, &f->error));
  assert_non_null(strstr(f->error.text, "is a directory"));
}

static void names_come_in_order(void** state) {
  Fixture* f = *state;
  char** names;
  int count;
  char name[16];
  for (int i = 99; i >= 0; i--) {
    snprintf(name, sizeof name, "%06d.h5", i);
    assert_true(files_write(path_of(f, name), "", 0, &f->error));
  }
  assert_true(files_write(path_of(f, "000100.h5.tmp"), "", 0, &f->error));
  assert_true(files_list(&names, &count, f->dir, ".h5", &f->arena, &f->error));
  assert_int_equal(count, 100);
  assert_string_equal(names[0], "000000.h5");
  assert_string_equal(names[99], "000099.h5");
}

static void failures_name_the_path(void** state) {
  Fixture* f = *state;
  char* bytes;
  size_t size;
  assert_false(files_read(&bytes, &size, path_of(f, "none"), &f->arena, &f->error));
  assert_non_null(strstr(f->error.text, "none: No such file"));
  assert_false(files_write(path_of(f, "none/x"), "", 0, &f->error));
  assert_non_null(strstr(f->error.text, "none/x: No such file"));
  assert_false(f->error.transient);
}

// Whether every way to open `path` is refused, without waiting, with these words.
static void assert_refused(Fixture* f, const char* path, const char* kind) {
  char* bytes;
  size_t size;
  uint64_t hash;
  H5File file;
  char start[FILES_START_SIZE];
  char expected[FILES_PATH_SIZE + 64];
  snprintf(expected, sizeof expected, "%s: is %s, expected a regular file", path, kind);
  assert_false(files_read(&bytes, &size, path, &f->arena, &f->error));
  assert_string_equal(f->error.text, expected);
  assert_false(files_append_line(path, "line", &f->error));
  assert_string_equal(f->error.text, expected);
  assert_false(files_hash(&hash, path, &f->error));
  assert_string_equal(f->error.text, expected);
  assert_false(h5_open_any(&file, path, &f->error));
  assert_string_equal(f->error.text, expected);
  files_read_start(start, path);
  assert_string_equal(start, "");
}

static void what_is_no_regular_file_is_refused_without_waiting(void** state) {
  Fixture* f = *state;
  const char* target = path_of(f, "target");
  const char* fifo = path_of(f, "fifo");
  const char* link = path_of(f, "link");
  const char* dangling = path_of(f, "dangling");
  char* bytes;
  size_t size;
  char resolved[FILES_PATH_SIZE];
  assert_true(files_write(target, "kept", 4, &f->error));
  assert_int_equal(mkfifo(fifo, 0666), 0);
  assert_int_equal(symlink(target, link), 0);
  assert_int_equal(symlink(path_of(f, "nothing"), dangling), 0);
  assert_refused(f, fifo, "a FIFO");
  int reader = open(fifo, O_RDONLY | O_NONBLOCK);  // so that writing would not fail by itself
  assert_refused(f, fifo, "a FIFO");
  close(reader);
  assert_refused(f, f->dir, "a directory");
  const char* socket_path = path_of(f, "socket");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%.100s", socket_path);
  assert_int_equal(bind(listener, (const struct sockaddr*)&address, sizeof address), 0);
  assert_refused(f, socket_path, "a socket");
  close(listener);
  assert_refused(f, "/dev/full", "a device");
  assert_refused(f, "/dev/zero", "a device");
  assert_refused(f, link, "a symbolic link");
  assert_refused(f, dangling, "a symbolic link");
  assert_true(files_read(&bytes, &size, files_target(resolved, link), &f->arena, &f->error));
  assert_string_equal(bytes, "kept");
  assert_ptr_equal(files_target(resolved, dangling), dangling);
  assert_true(files_exists(dangling));
  assert_false(files_exists(path_of(f, "nothing")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_written_file_replaces_the_old_one_whole, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_first_to_write_a_file_makes_it, set_up, tear_down),
      cmocka_unit_test_setup_teardown(swept_work_is_done_only_if_somebody_else_did_it, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(large_files_are_read_whole, set_up, tear_down),
      cmocka_unit_test_setup_teardown(lines_of_several_writers_never_mix, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_line_that_was_cut_off_spoils_no_other, set_up, tear_down),
      cmocka_unit_test_setup_teardown(directories_are_made_with_their_parents, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_path_that_no_file_can_have_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_parent_of_a_name_is_where_it_stands, set_up, tear_down),
      cmocka_unit_test_setup_teardown(names_come_in_order, set_up, tear_down),
      cmocka_unit_test_setup_teardown(failures_name_the_path, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused_without_waiting, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
