// A process says who it is; others tell from that whether it still lives.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/process.h"

// What a child that ends at once said of itself. Not collected yet: a zombie.
static Process ended_child(pid_t* child) {
  int channel[2];
  char text[PROCESS_TEXT_SIZE] = "";
  Process said;
  assert_int_equal(pipe(channel), 0);
  *child = fork();
  if (*child == 0) {
    Process own = process_this();
    process_format(text, &own);
    _exit(write(channel[1], text, sizeof text) == sizeof text ? 0 : 1);
  }
  close(channel[1]);
  assert_int_equal(read(channel[0], text, sizeof text), sizeof text);
  close(channel[0]);
  siginfo_t info;
  assert_int_equal(waitid(P_PID, (id_t)*child, &info, WEXITED | WNOWAIT), 0);
  assert_true(process_parse(&said, text));
  return said;
}

static void text_goes_there_and_back(void** state) {
  (void)state;
  char text[PROCESS_TEXT_SIZE], again[PROCESS_TEXT_SIZE];
  Process me = process_this(), back;
  process_format(text, &me);
  assert_true(process_parse(&back, text));
  process_format(again, &back);
  assert_string_equal(text, again);
  assert_int_equal(back.number, getpid());
  assert_false(process_parse(&back, ""));
  assert_false(process_parse(&back, "no process at all"));
}

// On a host that cannot look: the same job of Slurm, started again, has ended what it was.
static void what_an_earlier_start_of_its_job_was_is_dead(void** state) {
  (void)state;
  setenv("SLURM_JOB_ID", "7", 1);
  setenv("SLURM_RESTART_COUNT", "2", 1);
  Process other = process_this();
  strcpy(other.boot, "of-another-host");
  assert_false(process_is_dead(&other));
  other.restart = 1;
  assert_true(process_is_dead(&other));
  setenv("SLURM_JOB_ID", "8", 1);
  assert_false(process_is_dead(&other));
  setenv("SLURM_JOB_ID", "", 1);  // none
  assert_false(process_is_dead(&other));
  Process me = process_this();
  assert_string_equal(me.job, "-");
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

static void this_process_lives(void** state) {
  (void)state;
  Process me = process_this();
  assert_false(process_is_dead(&me));
}

static void a_process_that_ended_is_dead_before_and_after_it_is_collected(void** state) {
  (void)state;
  pid_t child;
  Process said = ended_child(&child);
  assert_true(process_is_dead(&said));
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(process_is_dead(&said));
}

static void a_number_that_is_used_again_is_another_process(void** state) {
  (void)state;
  Process me = process_this();
  me.started--;
  assert_true(process_is_dead(&me));
}

static void of_other_machines_nothing_is_known(void** state) {
  (void)state;
  Process other = process_this();
  strcpy(other.boot, "another-boot");
  other.number = 1 << 30;
  assert_false(process_is_dead(&other));
  other = process_this();
  other.space++;
  assert_false(process_is_dead(&other));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_goes_there_and_back),
      cmocka_unit_test(what_an_earlier_start_of_its_job_was_is_dead),
      cmocka_unit_test(this_process_lives),
      cmocka_unit_test(a_process_that_ended_is_dead_before_and_after_it_is_collected),
      cmocka_unit_test(a_number_that_is_used_again_is_another_process),
      cmocka_unit_test(of_other_machines_nothing_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
