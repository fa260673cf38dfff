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

#include "hyper/scratch_directory.h"
#include "cluster/lease.h"

#define LONG 1000.0

static RunDirectory directory;
static Leases leases;  // of this process
static Leases other;   // of one that lives on another machine
static LeaseWatch sights[2];  // what this process has seen of the lease 000001, and of all others

static int set_up(void** state) {
  (void)state;
  memset(sights, 0, sizeof sights);
  Error error;
  assert_true(scratch_directory_make(&directory, &error));
  leases_init(&leases, &directory);
  other = leases;
  strcpy(other.owner, "another-boot 1 2 3 - 0\n");
  return 0;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  return 0;
}

static void path_of(char path[RUN_PATH_SIZE], const char* name) {
  char inside[64];
  snprintf(inside, sizeof inside, "lease/%s", name);
  run_file(path, &directory, inside);
}

// Sets the time that a lease carries to so many seconds from now, which must not matter.
static void set_time(const char* name, int seconds) {
  char path[RUN_PATH_SIZE];
  struct stat now;
  path_of(path, name);
  assert_int_equal(stat(path, &now), 0);
  struct timespec times[2] = {now.st_atim, now.st_mtim};
  times[1].tv_sec += seconds;
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool take(const Leases* who, const char* name, double timeout) {
  leases_renew(who);
  return lease_take(who, name, &sights[strcmp(name, "000001") != 0], timeout);
}

static void wait_for(double seconds) { usleep((useconds_t)(1e6 * seconds)); }

static bool exists(const char* name) {
  char path[RUN_PATH_SIZE];
  path_of(path, name);
  return files_exists(path);
}

static void a_lease_has_one_owner(void** state) {
  (void)state;
  assert_true(take(&leases, "000001", LONG));
  assert_true(take(&leases, "000001", LONG));
  assert_false(take(&other, "000001", LONG));
  assert_true(take(&other, "000002", LONG));
  assert_false(take(&leases, "000002", LONG));
}

static void only_its_owner_gives_a_lease_back(void** state) {
  (void)state;
  assert_true(take(&other, "000001", LONG));
  lease_release(&leases, "000001");
  assert_true(exists("000001"));
  lease_release(&other, "000001");
  assert_false(exists("000001"));
}

static void a_silent_owner_loses_its_lease_and_renewing_keeps_it(void** state) {
  (void)state;
  assert_true(take(&other, "000001", LONG));
  for (int i = 0; i < 4; i++) {
    assert_false(take(&leases, "000001", 0.3));
    wait_for(0.2);
    leases_renew(&leases);  // not its owner: no effect
    leases_renew(&other);
  }
  assert_false(take(&leases, "000001", 0.3));
  wait_for(0.4);
  assert_true(take(&leases, "000001", 0.3));
}

// Whether a lease that was seen before, and was not seen to change for LONG seconds since, is taken.
static bool take_after_long(const char* name, LeaseWatch* watch) {
  watch->since -= 2 * LONG;
  return lease_take(&leases, name, watch, LONG);
}

// Behind the step of the clock that files carry.
static void renew_other(void) {
  wait_for(0.02);
  leases_renew(&other);
}

// Renewing is one call on one file, at any number of leases.
static void all_that_an_owner_has_is_renewed_at_once(void** state) {
  (void)state;
  char name[][8] = {"000001", "000002", "000003"};
  LeaseWatch watch[3] = {0};
  for (int i = 0; i < 3; i++) {
    assert_true(take(&other, name[i], LONG));
    assert_false(lease_take(&leases, name[i], &watch[i], LONG));
  }
  renew_other();
  for (int i = 0; i < 3; i++) {
    assert_false(take_after_long(name[i], &watch[i]));
    assert_true(take_after_long(name[i], &watch[i]));
  }
}

// As where there are no links (exFAT, some shares), or no more of them: its text names its owner.
static void a_lease_that_is_a_copy_lasts_as_long_as_its_owner(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE];
  LeaseWatch watch = {0};
  Error error;
  path_of(path, "000001");
  leases_renew(&other);
  assert_true(files_write(path, other.owner, strlen(other.owner), &error));
  assert_false(lease_take(&leases, "000001", &watch, LONG));
  renew_other();
  assert_false(take_after_long("000001", &watch));
  assert_true(take_after_long("000001", &watch));
}

// Programs up to 0.2 renewed each lease, and had no file of their own.
static void a_lease_of_an_earlier_program_lasts_while_it_changes(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE];
  LeaseWatch watch = {0};
  Error error;
  path_of(path, "000001");
  assert_true(files_write(path, other.owner, strlen(other.owner), &error));
  assert_false(lease_take(&leases, "000001", &watch, LONG));
  set_time("000001", 1);
  assert_false(take_after_long("000001", &watch));
  assert_true(take_after_long("000001", &watch));
}

static void who_has_lost_its_own_file_makes_it_again(void** state) {
  (void)state;
  char command[RUN_PATH_SIZE + 32];
  LeaseWatch watch = {0};
  snprintf(command, sizeof command, "rm '%s'/lease/owner-*", directory.path);
  assert_true(take(&other, "000001", LONG));
  assert_int_equal(system(command), 0);
  assert_false(lease_take(&leases, "000001", &watch, LONG));
  renew_other();
  assert_false(take_after_long("000001", &watch));
  renew_other();
  assert_false(take_after_long("000001", &watch));
}

// The clock that a lease carries may be of another host, wrong, or have jumped.
static void the_time_that_a_lease_carries_does_not_matter(void** state) {
  (void)state;
  assert_true(take(&other, "000001", LONG));
  assert_true(take(&other, "000002", LONG));
  set_time("000001", 100000);
  set_time("000002", -100000);
  assert_false(take(&leases, "000001", 0.3));
  assert_false(take(&leases, "000002", 0.3));
  wait_for(0.4);
  assert_true(take(&leases, "000001", 0.3));
  assert_true(take(&leases, "000002", 0.3));
}

static void who_holds_a_lease_is_told(void** state) {
  (void)state;
  char text[LEASE_TEXT_SIZE];
  LeaseWatch watch = {0};
  strcpy(other.owner, "another-boot 1 4711 3 12 0 node7\n");
  assert_false(lease_describe(text, &leases, "000001", &watch));
  assert_true(take(&other, "000001", LONG));
  assert_true(lease_describe(text, &leases, "000001", &watch));
  assert_string_equal(text, "process 4711 on node7, job 12, which has not renewed it for 0 s");
}

static void who_goes_last_is_known(void** state) {
  (void)state;
  assert_true(leases_are_last(&leases, LONG));  // nobody was ever here
  leases_renew(&leases);
  assert_true(leases_are_last(&leases, LONG));
  assert_true(take(&other, "000001", LONG));
  assert_false(leases_are_last(&leases, LONG));
  set_time("000001", -2 * (int)LONG);
  assert_true(leases_are_last(&leases, LONG));  // it was killed where nobody can tell
  leases_renew(&other);
  assert_false(leases_are_last(&leases, LONG));
  leases_end(&other);
  assert_true(leases_are_last(&leases, LONG));
}

// A process that takes a lease and ends, with 0 if it got it.
static pid_t child_that_takes(const char* name) {
  pid_t child = fork();
  if (child == 0) {
    Leases own;
    leases_init(&own, &directory);
    _exit(take(&own, name, LONG) ? 0 : 1);
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
  assert_true(take(&leases, "000001", LONG));
}

// In a container nobody may ever collect it.
static void a_dead_process_that_nobody_collects_loses_its_lease_too(void** state) {
  (void)state;
  pid_t child = child_that_takes("000001");
  siginfo_t info;
  assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);  // a zombie from here
  assert_int_equal(info.si_status, 0);
  assert_true(take(&leases, "000001", LONG));
  assert_int_equal(waitpid(child, NULL, 0), child);
}

static void an_earlier_start_of_the_same_job_loses_its_lease_at_once(void** state) {
  (void)state;
  setenv("SLURM_JOB_ID", "4711", 1);
  setenv("SLURM_RESTART_COUNT", "2", 1);
  strcpy(other.owner, "another-boot 1 2 3 4711 1\n");
  assert_true(take(&other, "000001", LONG));
  assert_true(take(&leases, "000001", LONG));
  strcpy(other.owner, "another-boot 1 2 3 4711 2\n");
  assert_true(take(&other, "000002", LONG));
  assert_false(take(&leases, "000002", LONG));
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

static void what_is_no_lease_is_taken_when_it_stays(void** state) {
  (void)state;
  char path[RUN_PATH_SIZE], fifo[RUN_PATH_SIZE];
  Error error;
  path_of(path, "000001");
  path_of(fifo, "000002");
  assert_true(files_write(path, "\xff garbage \0 garbage", 18, &error));
  assert_int_equal(mkfifo(fifo, 0666), 0);
  set_time("000001", 100000);
  assert_false(take(&leases, "000001", 0.3));
  assert_false(take(&leases, "000002", 0.3));
  wait_for(0.4);
  assert_true(take(&leases, "000001", 0.3));
  assert_true(take(&leases, "000002", 0.3));
}

#define CHILDREN 8

// Lives until all have taken it or not, so that nobody may take it from the dead.
static void tell_whether_it_takes(int go, int said, int end) {
  char byte;
  Leases own;
  leases_init(&own, &directory);
  bool begun = read(go, &byte, 1) == 0;
  char won = take(&own, "000001", 0.1);
  begun = write(said, &won, 1) == 1 && read(end, &byte, 1) == 0 && begun;
  _exit(!begun);
}

static void of_many_processes_one_takes_over(void** state) {
  (void)state;
  assert_true(take(&other, "000001", LONG));
  assert_false(take(&leases, "000001", 0.1));  // seen by all that follow
  wait_for(0.2);
  int go[2], said[2], end[2], winners = 0;
  assert_true(pipe(go) == 0 && pipe(said) == 0 && pipe(end) == 0);
  for (int i = 0; i < CHILDREN; i++) {
    if (fork() == 0) {
      close(go[1]);
      close(end[1]);
      tell_whether_it_takes(go[0], said[1], end[0]);
    }
  }
  close(go[0]);
  close(end[0]);
  close(go[1]);
  for (int i = 0; i < CHILDREN; i++) {
    char won;
    assert_int_equal(read(said[0], &won, 1), 1);
    winners += won;
  }
  close(end[1]);
  close(said[0]);
  close(said[1]);
  while (wait(NULL) > 0) {
  }
  // Between judging and taking, one that gets nothing may put the new lease aside, and a third slip
  // in, which is harmless: two more processes for each more that wins.
  assert_in_range(winners, 1, 1 + (CHILDREN - 1) / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_lease_has_one_owner),
      TEST(only_its_owner_gives_a_lease_back),
      TEST(a_silent_owner_loses_its_lease_and_renewing_keeps_it),
      TEST(all_that_an_owner_has_is_renewed_at_once),
      TEST(a_lease_that_is_a_copy_lasts_as_long_as_its_owner),
      TEST(a_lease_of_an_earlier_program_lasts_while_it_changes),
      TEST(who_has_lost_its_own_file_makes_it_again),
      TEST(a_dead_process_of_this_machine_loses_its_lease_at_once),
      TEST(a_dead_process_that_nobody_collects_loses_its_lease_too),
      TEST(an_earlier_start_of_the_same_job_loses_its_lease_at_once),
      TEST(the_time_that_a_lease_carries_does_not_matter),
      TEST(who_holds_a_lease_is_told),
      TEST(who_goes_last_is_known),
      TEST(what_is_no_lease_is_taken_when_it_stays),
      TEST(of_many_processes_one_takes_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
