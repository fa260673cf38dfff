// When a worker saves, gives up, stops and speaks, by a clock that its units of work move.
#include "cluster/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/small_experiment.h"
#include "hyper/checkpoint.h"
#include "hyper/scratch_directory.h"

#define MOST 1000

// What happens, and what the worker does; times are of the clock.
static struct {
  double now, unit;              // seconds that a unit of work takes
  double fails[2][2];            // when the disk takes no checkpoint, twice
  bool no_sync;
  bool lasting;                  // and repeating would not help
  double save_takes, stop_at, ends_at, save_at;  // 0 = never
  int drop_at;                   // decision at which to drop the first; -1 = never
  int begun, most, decided, sealed, stopped, tries, saves, alive;
  double tried[MOST], saved[MOST], spoken[MOST], longest_unit;
} world;

double __wrap_clock_wall(void) { return world.now; }
bool __wrap_stop_requested(void) { return world.stop_at > 0 && world.now >= world.stop_at; }

int __wrap_stop_seconds_left(void) {
  return world.ends_at > 0 && __wrap_stop_requested() ? (int)(world.ends_at - world.now) : -1;
}

bool __wrap_stop_save_requested(void) {
  bool due = world.save_at > 0 && world.now >= world.save_at;
  world.save_at = due ? 0 : world.save_at;
  return due;
}

bool __real_files_sync_parent(const char* path, Error* error);
bool __wrap_files_sync_parent(const char* path, Error* error) {
  return world.no_sync ? error_set(error, "no sync") : __real_files_sync_parent(path, error);
}

HyperEvent __real_hyper_episode_advance(HyperEpisode* h);
HyperEvent __wrap_hyper_episode_advance(HyperEpisode* h) {
  world.now += world.unit;
  return __real_hyper_episode_advance(h);
}

bool __wrap_checkpoint_write(CheckpointCost* cost, HyperEpisode* h, const RunDirectory* directory,
                             int64_t max_bytes, Error* error) {
  (void)h, (void)directory, (void)max_bytes;
  world.tried[world.tries++] = world.now;
  for (int i = 0; i < 2; i++) {
    if (world.now >= world.fails[i][0] && world.now < world.fails[i][1]) {
      error_set(error, "the disk is full");
      error->transient = !world.lasting;
      return false;
    }
  }
  world.saved[world.saves++] = world.now;
  world.now += world.save_takes;
  *cost = (CheckpointCost){.seconds = world.save_takes, .bytes = 1};
  return true;
}

static bool begin(Link* link, BeginMessage* message) {
  *message = (BeginMessage){.hyper_episode = world.begun,
                            .segment = scheduler_whole_run(link->self),
                            .scheduled = {true, true, true, true}};
  message->segment.streams = world.begun;
  return world.begun++ < world.most;
}

static void alive(Link* link, const AliveMessage* message) {
  (void)link;
  world.spoken[world.alive++] = world.now;
  world.longest_unit = message->longest_unit;
}

static void decide(Link* link, OrderMessage* order, const ReportMessage* report) {
  (void)link;
  bool drops = world.decided++ == world.drop_at;
  *order = (OrderMessage){.hyper_episode = report->hyper_episode,
                          .decision = report->decision,
                          .verdict = drops ? ORDER_DROP : ORDER_GO,
                          .action = {.choice = {1, 1, 1, 1}, .logp = {-1, -1, -1, -1}}};
}

static void seal(Link* link, const SealedMessage* message) {
  (void)link, (void)message;
  world.sealed++;
}

static void note_saved(Link* link, const SavedMessage* message) { (void)link, (void)message; }

static void note_stopped(Link* link) {
  (void)link;
  world.stopped++;
}

static RunSpec spec;
static RunDirectory directory;
static Error error;

static int set_up(void** state) {
  (void)state;
  memset(&world, 0, sizeof world);
  world.unit = world.most = 1;
  world.drop_at = -1;
  world.save_takes = 0.25;
  spec = small_experiment();
  return scratch_directory_make(&directory, &error) ? 0 : -1;
}

static int tear_down(void** state) {
  (void)state;
  scratch_directory_remove(&directory);
  return 0;
}

static WorkerEnd work(double interval, double give_up) {
  Link link = {.begin = begin, .alive = alive, .decide = decide, .sealed = seal,
               .saved = note_saved, .stopped = note_stopped, .self = &spec};
  SaveOptions options = {.interval = interval, .give_up = give_up};
  return worker_run(&link, &spec, &directory, &options, &error);
}

static void a_checkpoint_comes_an_interval_after_the_one_before(void** state) {
  (void)state;
  assert_int_equal(work(5, 60), WORKER_FINISHED);
  assert_true(world.sealed == 1 && world.stopped == 0 && world.saves >= 5);
  assert_true(world.saved[0] == 5);
  for (int i = 1; i < world.saves; i++) {
    assert_true(world.saved[i] - world.saved[i - 1] == 5 + world.save_takes);
  }
}

static void one_that_fails_is_tried_again_an_interval_later(void** state) {
  (void)state;
  world.fails[0][0] = 4;
  world.fails[0][1] = 16;
  assert_int_equal(work(5, 60), WORKER_FINISHED);
  assert_true(world.tried[0] == 5 && world.tried[1] == 10 && world.tried[2] == 15);
  assert_true(world.saved[0] == 20);
}

// Twice for a while, and once in between it takes one.
static void a_disk_that_fails_now_and_then_ends_nothing(void** state) {
  (void)state;
  world.fails[0][0] = 4;
  world.fails[0][1] = 12;
  world.fails[1][0] = 17;
  world.fails[1][1] = 24;
  assert_int_equal(work(5, 8), WORKER_FINISHED);
  assert_true(world.tried[0] == 5 && world.saved[0] == 15);
  assert_int_equal(world.tries - world.saves, 3);
}

static void a_disk_that_fails_for_too_long_ends_the_run(void** state) {
  (void)state;
  world.fails[0][0] = 4;
  world.fails[0][1] = 1e9;
  assert_int_equal(work(5, 20), WORKER_FAILED);
  assert_true(world.tries == 5 && world.tried[4] == 25 && world.sealed == 0);
  assert_non_null(strstr(error.text, "Nothing could be saved for 20 s"));
}

static void what_repeating_does_not_mend_is_borne(void** state) {
  (void)state;
  world.fails[0][0] = 4;
  world.fails[0][1] = 1e9;
  world.lasting = true;
  assert_int_equal(work(5, 20), WORKER_FINISHED);
}

static void a_save_that_was_asked_for_comes_at_once(void** state) {
  (void)state;
  world.save_at = 3;
  assert_int_equal(work(10, 60), WORKER_FINISHED);
  assert_true(world.saved[0] == 3 && world.saved[1] == 13.25);
}

static void a_stop_is_saved(void** state) {
  (void)state;
  world.most = 2;
  world.stop_at = 7;
  assert_int_equal(work(100, 60), WORKER_STOPPED);
  assert_true(world.saves == 1 && world.saved[0] == 7);
  assert_true(world.stopped == 1 && world.sealed == 0 && world.begun == 1);
}

static void a_stop_that_cannot_be_saved_is_a_failure(void** state) {
  (void)state;
  world.stop_at = 7;
  world.fails[0][1] = 1e9;
  assert_int_equal(work(100, 60), WORKER_FAILED);
  assert_true(world.stopped == 0);
  assert_non_null(strstr(error.text, "The stop could not be saved"));
}

static void a_save_that_takes_longer_than_there_is_time_is_not_begun(void** state) {
  (void)state;
  world.save_takes = 4;
  world.stop_at = 12;
  world.ends_at = 15;
  assert_int_equal(work(5, 60), WORKER_STOPPED);
  assert_true(world.saves == 1 && world.saved[0] == 5 && world.stopped == 1);
}

static void it_speaks_once_a_second_and_tells_its_longest_unit(void** state) {
  (void)state;
  world.unit = 0.25;
  assert_int_equal(work(5, 60), WORKER_FINISHED);
  assert_true(world.alive > 5);
  for (int i = 1; i < world.alive; i++) {
    double silence = world.spoken[i] - world.spoken[i - 1];
    assert_true(silence >= 1 && silence <= 1.25);
  }
  // a checkpoint is none
  assert_true(world.longest_unit == 0.25);
}

static void what_is_dropped_is_not_sealed_and_the_next_begins(void** state) {
  (void)state;
  world.most = 2;
  world.drop_at = 1;
  assert_int_equal(work(1e6, 60), WORKER_FINISHED);
  assert_true(world.begun == 3 && world.sealed == 1 && world.saves == 0);
}

// Somebody else has sealed it, and a checkpoint stands.
static void set_up_sealed(char checkpoint[RUN_PATH_SIZE]) {
  char path[RUN_PATH_SIZE];
  world.drop_at = 1;
  run_episode_path(path, &directory, 0);
  assert_true(files_write(path, "x", 1, &error));
  run_checkpoint_path(checkpoint, &directory, 0);
  assert_true(files_make_directory(checkpoint, &error));
}

static void the_checkpoints_of_what_is_dropped_go(void** state) {
  (void)state;
  char checkpoint[RUN_PATH_SIZE];
  set_up_sealed(checkpoint);
  assert_int_equal(work(1e6, 60), WORKER_FINISHED);
  assert_false(files_exists(checkpoint));
}

static void but_not_before_what_is_sealed_will_last(void** state) {
  (void)state;
  char checkpoint[RUN_PATH_SIZE];
  set_up_sealed(checkpoint);
  world.no_sync = true;
  assert_int_equal(work(1e6, 60), WORKER_FAILED);
  assert_true(files_exists(checkpoint));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_checkpoint_comes_an_interval_after_the_one_before),
      TEST(one_that_fails_is_tried_again_an_interval_later),
      TEST(a_disk_that_fails_now_and_then_ends_nothing),
      TEST(a_disk_that_fails_for_too_long_ends_the_run),
      TEST(what_repeating_does_not_mend_is_borne),
      TEST(a_save_that_was_asked_for_comes_at_once),
      TEST(a_stop_is_saved),
      TEST(a_stop_that_cannot_be_saved_is_a_failure),
      TEST(a_save_that_takes_longer_than_there_is_time_is_not_begun),
      TEST(it_speaks_once_a_second_and_tells_its_longest_unit),
      TEST(what_is_dropped_is_not_sealed_and_the_next_begins),
      TEST(the_checkpoints_of_what_is_dropped_go),
      TEST(but_not_before_what_is_sealed_will_last),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
