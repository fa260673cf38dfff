// Laws of jobs: each is run once, whatever the number and the order of the ranks, and its result is at its place.
#include "cluster/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOST_RANKS 4
#define JOBS 7
#define WAITING 8  // messages to one rank

// All ranks in one process: a worker has its turn when rank 0 naps, and then says what it would say.
typedef struct {
  int64_t sent[WAITING];  // to rank 0: jobs that are done, -1 at first
  int from[WAITING], count;
  int runs[JOBS];
} World;

static World world;

static void run(void* result, int64_t job, void* context) {
  (*(int*)context)++;
  world.runs[job]++;
  *(int64_t*)result = job * job;
}

static void say(int rank, int64_t job) {
  world.from[world.count] = rank;
  world.sent[world.count++] = job;
}

// Rank 0 gives a job: the worker runs it, and its result waits.
static bool give(Comm* comm, int rank, int tag, const void* data, size_t size) {
  (void)comm;
  (void)tag;
  if (size > 0) {
    int64_t job;
    memcpy(&job, data, sizeof job);
    say(rank, job);
  }
  return true;
}

// The newest message first, so that ranks come in any order; every other look finds none.
static bool look(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  static int looks;
  int counted = 0;
  struct {
    int64_t job;
    char result[JOB_MAX_RESULT];
  } message = {0};
  if (looks++ % 2 == 0 || world.count == 0) {
    return false;
  }
  (void)comm;
  assert_true(sizeof message <= capacity);
  message.job = world.sent[--world.count];
  if (message.job >= 0) {
    run(message.result, message.job, &counted);
  }
  *rank = world.from[world.count];
  *tag = 101;
  *size = sizeof message;
  memcpy(data, &message, sizeof message);
  return true;
}

static void nap(Comm* comm, double seconds) {
  (void)comm;
  assert_true(seconds > 0);
}

static void results_do_not_depend_on_the_ranks(void** state) {
  (void)state;
  const CommOps ops = {.send = give, .poll = look, .sleep = nap};
  for (int ranks = 1; ranks <= MOST_RANKS; ranks++) {
    Comm comm = {.ops = &ops, .ranks = ranks, .nap = COMM_SHORTEST_NAP};
    int64_t results[JOBS] = {0};
    int own = 0;
    world = (World){0};
    for (int r = 1; r < ranks; r++) {
      say(r, -1);
    }
    jobs_run(&comm, results, JOBS, sizeof *results, run, &own);
    assert_int_equal(own, ranks == 1 ? JOBS : 0);
    for (int job = 0; job < JOBS; job++) {
      assert_true(world.runs[job] == 1 && results[job] == job * job);
    }
  }
}

// What rank 0 answers a worker: some jobs, then none.
static bool answer(Comm* comm, int* rank, int* tag, void* data, size_t capacity, size_t* size) {
  static int64_t next;
  bool late = world.count % 2 == 1;
  (void)comm;
  *rank = 0;
  if (late) {
    world.count++;
    return false;
  }
  *tag = next < JOBS ? 102 : 103;
  *size = next < JOBS ? sizeof next : 0;
  assert_true(capacity >= *size);
  memcpy(data, &next, *size);
  next++;
  world.count++;
  return true;
}

static bool hear(Comm* comm, int rank, int tag, const void* data, size_t size) {
  int64_t last, result;
  (void)comm;
  assert_true(rank == 0 && tag == 101 && size > sizeof last + sizeof result);
  memcpy(&last, data, sizeof last);
  memcpy(&result, (const char*)data + sizeof last, sizeof result);
  assert_true(last < 0 || result == last * last);
  return true;
}

static void a_worker_runs_what_it_is_given_and_tells_each_result(void** state) {
  (void)state;
  const CommOps ops = {.send = hear, .poll = answer, .sleep = nap};
  Comm comm = {.ops = &ops, .rank = 1, .ranks = 2, .nap = COMM_SHORTEST_NAP};
  int own = 0;
  world = (World){0};
  jobs_run(&comm, NULL, JOBS, sizeof(int64_t), run, &own);
  assert_int_equal(own, JOBS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_do_not_depend_on_the_ranks),
      cmocka_unit_test(a_worker_runs_what_it_is_given_and_tells_each_result),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
