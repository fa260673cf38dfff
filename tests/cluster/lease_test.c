// Leases: one owner at a time; the lease of a dead or silent owner is open to all.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/lease.h"

#define LONG 1000.0

static RunDirectory directory;
static LeaseOffice office;  // of this process
static LeaseOffice other;   // of one that lives on another machine

static int set_up(void** state) {
  (void)state;
  Error error;
  char name[] = "/tmp/lease_test_XXXXXX";
  assert_non_null(mkdtemp(name));
  snprintf(directory.path, sizeof directory.path, "%s", name);
  assert_true(run_directory_make(&directory, &error));
  lease_office_init(&office, &directory);
  other = office;
  strcpy(other.owner, "another-boot 1 2 3 - 0\n");
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  char command[RUN_PATH_SIZE + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", directory.path);
  return system(command);
}

static void path_of(char path[RUN_PATH_SIZE], const char* name) {
  char inside[64];
  snprintf(inside, sizeof inside, "lease/%s", name);
  run_file(path, &directory, inside);
}

static void age(const char* name, int seconds) {
  char path[RUN_PATH_SIZE];
  struct stat now;
  path_of(path, name);
  assert_int_equal(stat(path, &now), 0);
  struct timespec times[2] = {now.st_atim, now.st_mtim};
  times[1].tv_sec -= seconds;
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool exists(const char* name) {
  char path[RUN_PATH_SIZE];
  path_of(path, name);
  return files_exists(path);
}

static void a_lease_has_one_owner(void** state) {
  (void)state;
  assert_true(lease_take(&office, "000001", LONG));
  assert_true(lease_take(&office, "000001", LONG));
  assert_false(lease_take(&other, "000001", LONG));
  assert_true(lease_take(&other, "000002", LONG));
  assert_false(lease_take(&office, "000002", LONG));
}

static void only_its_owner_gives_a_lease_back(void** state) {
  (void)state;
  assert_true(lease_take(&other, "000001", LONG));
  lease_release(&office, "000001");
  assert_true(exists("000001"));
  lease_release(&other, "000001");
  assert_false(exists("000001"));
}

static void a_silent_owner_loses_its_lease_and_renewing_keeps_it(void** state) {
  (void)state;
  assert_true(lease_take(&other, "000001", LONG));
  age("000001", 50);
  assert_false(lease_take(&office, "000001", 60));
  assert_true(lease_take(&office, "000001", 40));
  assert_false(lease_take(&other, "000001", 40));

  assert_true(lease_take(&other, "000002", LONG));
  age("000002", 50);
  lease_renew(&office, "000002");  // not its owner: no effect
  lease_renew(&other, "000002");
  assert_false(lease_take(&office, "000002", 40));
}

// A process that takes a lease and ends, with 0 if it got it.
static pid_t child_that_takes(const char* name) {
  pid_t child = fork();
  if (child == 0) {
    LeaseOffice own;
    lease_office_init(&own, &directory);
    _exit(lease_take(&own, name, LONG) ? 0 : 1);
  }
  return child;
}

static void a_dead_process_of_this_machine_loses_its_lease_at_once(void** state) {
  (void)state;
  pid_t child = child_that_takes("000001");
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_true(exists("000001"));
  assert_true(lease_take(&office, "000001", LONG));
}

// In a container nobody may ever collect it.
static void a_dead_process_that_nobody_collects_loses_its_lease_too(void** state) {
  (void)state;
  pid_t child = child_that_takes("000001");
  siginfo_t info;
  assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);  // a zombie from here
  assert_int_equal(info.si_status, 0);
  assert_true(lease_take(&office, "000001", LONG));
  assert_int_equal(waitpid(child, NULL, 0), child);
}

static void an_earlier_start_of_the_same_job_loses_its_lease_at_once(void** state) {
  (void)state;
  setenv("SLURM_JOB_ID", "4711", 1);
  setenv("SLURM_RESTART_COUNT", "2", 1);
  strcpy(other.owner, "another-boot 1 2 3 4711 1\n");
  assert_true(lease_take(&other, "000001", LONG));
  assert_true(lease_take(&office, "000001", LONG));
  strcpy(other.owner, "another-boot 1 2 3 4711 2\n");
  assert_true(lease_take(&other, "000002", LONG));
  assert_false(lease_take(&office, "000002", LONG));
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

static void an_unsigned_lease_is_open_after_seconds(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE];
  path_of(path, "000001");
  fclose(fopen(path, "w"));
  assert_false(lease_take(&office, "000001", LONG));
  age("000001", 10);
  assert_true(lease_take(&office, "000001", LONG));
}

static void what_is_no_lease_is_open_only_with_age(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE];
  Error error;
  path_of(path, "000001");
  assert_true(files_write(path, "\xff garbage \0 garbage", 18, &error));
  assert_false(lease_take(&office, "000001", 60));
  age("000001", 100);
  assert_true(lease_take(&office, "000001", 60));
}

static void of_many_processes_one_takes_over(void** state) {
  (void)state;
  assert_true(lease_take(&other, "000001", LONG));
  age("000001", 100);
  pid_t children[8];
  int go[2], winners = 0;
  assert_int_equal(pipe(go), 0);
  for (int i = 0; i < 8; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      char byte;
      LeaseOffice own;
      lease_office_init(&own, &directory);
      close(go[1]);
      if (read(go[0], &byte, 1) != 0) {
        _exit(2);
      }
      bool won = lease_take(&own, "000001", 60);
      usleep(300000);  // lives on, so that nobody may take it from it
      _exit(won);
    }
  }
  close(go[0]);
  close(go[1]);
  for (int i = 0; i < 8; i++) {
    int status;
    waitpid(children[i], &status, 0);
    winners += WEXITSTATUS(status);
  }
  // in the moment between judging and taking, a second one may slip in: doing it twice is harmless
  assert_in_range(winners, 1, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_lease_has_one_owner),
      TEST(only_its_owner_gives_a_lease_back),
      TEST(a_silent_owner_loses_its_lease_and_renewing_keeps_it),
      TEST(a_dead_process_of_this_machine_loses_its_lease_at_once),
      TEST(a_dead_process_that_nobody_collects_loses_its_lease_too),
      TEST(an_earlier_start_of_the_same_job_loses_its_lease_at_once),
      TEST(an_unsigned_lease_is_open_after_seconds),
      TEST(what_is_no_lease_is_open_only_with_age),
      TEST(of_many_processes_one_takes_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
