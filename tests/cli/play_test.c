// `autombpo play`: policies from sealed files, states that can be replayed, frames and videos.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/env_replay.h"
#include "cli/play.h"
#include "cli/verbs.h"
#include "hyper/sealed_root.h"
#include "store/h5_table.h"

#define ASSETS SOURCE_DIR "/configs/mjcf"
#define MAX_ARGUMENTS 20

static char directory[] = "/tmp/autombpo-play-XXXXXX";

// DIR/NAME; valid until four more calls.
static const char* in_directory(const char* name) {
  static char paths[4][256];
  static int next;
  char* path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", directory, name);
  return path;
}

// Runs the verb with output to DIR/out and DIR/err. Arguments end with NULL.
static int play(const char* first, ...) {
  char* argv[MAX_ARGUMENTS] = {"play", "--assets", ASSETS};
  int argc = 3;
  va_list rest;
  va_start(rest, first);
  for (const char* text = first; text; text = va_arg(rest, const char*)) {
    argv[argc++] = (char*)(uintptr_t)text;
  }
  va_end(rest);
  fflush(NULL);
  int out = dup(1), err = dup(2);
  assert_non_null(freopen(in_directory("out"), "w", stdout));
  assert_non_null(freopen(in_directory("err"), "w", stderr));
  int code = verb_play(argc, argv);
  fflush(NULL);
  dup2(out, 1);
  dup2(err, 2);
  close(out);
  close(err);
  return code;
}

static const char* text_of(const char* name) {
  static char text[1 << 16];
  FILE* file = fopen(in_directory(name), "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static void assert_says(const char* name, const char* expected) {
  if (!strstr(text_of(name), expected)) {
    fail_msg("%s says '%s', expected '%s'", name, text_of(name), expected);
  }
}

// A sealed hyper-episode that holds nothing but a policy, whose outputs are `bias` whatever it sees,
// and two evaluations.
static void write_scored(const char* path, const char* task, int obs, int act, Real bias,
                         const char* status, double score) {
  Arena arena = {0};
  H5File file;
  Error error = {0};
  Mlp net = mlp_make(1, obs, 8, 2, 2 * act, ACTIVATION_RELU);
  Real* params = ARENA_NEW(&arena, net.size, Real);
  for (int a = 0; a < act; a++) {
    params[net.biases[net.layers - 1] + (size_t)a] = bias;
  }
  assert_true(h5_create(&file, path, EPISODE_FORMAT, SEALED_VERSION, &error));
  h5_set_text(&file, "", "env", task);
  h5_set_text(&file, "", "env_engine", "MuJoCo 1.50");
  h5_set_text(&file, "", "status", status);
  h5_group(&file, "epochs");
  sealed_column(&file, "epochs", "eval_return_mean", H5_F64, 2, 0, "return", "mean",
                (double[]){score - 1, score + 1});
  h5_group(&file, "final");
  sealed_network(&file, "final/policy", &net, params);
  if (!h5_seal(&file, &error)) {
    fail_msg("%s", error.text);
  }
  arena_free(&arena);
}

static void write_policy(const char* path, const char* task, int obs, int act, Real bias) {
  write_scored(path, task, obs, act, bias, "finished", 0);
}

static void the_policy_of_the_file_acts(void** state) {
  (void)state;
  const char* path = in_directory("policy.h5");
  write_policy(path, "hopper-v4", 11, 3, (Real)0.5);
  assert_int_equal(play(path, "--episodes", "2", "--states", in_directory("policy-states.h5"),
                        NULL), 0);
  assert_says("err", "trained with MuJoCo 1.50");
  Arena arena = {0};
  Error error = {0};
  H5Table action;
  assert_true(h5_table_read(&action, in_directory("policy-states.h5"), "action", &arena, &error));
  assert_int_equal(action.columns, 3);
  for (int64_t i = 0; i < action.rows * action.columns; i++) {
    assert_true(action.x[i] > 0.46211 && action.x[i] < 0.46212);  // tanh(0.5)
  }
  arena_free(&arena);
}

// Of these, 1 has the best score that counts: 2 diverged, and the last is not sealed.
static void the_best_hyper_episode_of_a_run_acts(void** state) {
  (void)state;
  char run[256];
  strcpy(run, in_directory("run"));
  assert_int_equal(mkdir(run, 0777), 0);
  assert_int_equal(play(run, NULL), EXIT_USAGE);
  assert_says("err", "is no run directory");
  assert_int_equal(mkdir(in_directory("run/episodes"), 0777), 0);
  write_scored(in_directory("run/episodes/000002.h5"), "pendulum-v1", 3, 1, 2, "diverged", 90);
  assert_int_equal(play(run, NULL), EXIT_FAILED);
  assert_says("err", "none of 1 sealed hyper-episodes finished");
  write_scored(in_directory("run/episodes/000000.h5"), "pendulum-v1", 3, 1, 0, "finished", -30);
  write_scored(in_directory("run/episodes/000001.h5"), "pendulum-v1", 3, 1, 1, "finished", -20);
  write_scored(in_directory("run/episodes/000003.h5"), "pendulum-v1", 3, 1, 0, "finished", -25);
  FILE* unfinished = fopen(in_directory("run/episodes/000004.h5.host-1-0.tmp"), "w");
  fclose(unfinished);
  assert_int_equal(play(run, "--json", "--episodes", "1", NULL), 0);
  assert_says("err", "run/episodes/000001.h5: the best of 4 hyper-episodes (1 diverged), mean "
                     "evaluation return -20");
  assert_says("out", "run/episodes/000001.h5");
}

static void a_policy_of_another_task_is_refused(void** state) {
  (void)state;
  const char* path = in_directory("other.h5");
  write_policy(path, "hopper-v4", 11, 3, 0);
  assert_int_equal(play(path, "--task", "walker2d-v4", NULL), EXIT_FAILED);
  assert_says("err", "a policy of hopper-v4 with 11 observations and 3 actions, but walker2d-v4 "
                     "has 17 and 6");
}

static void a_file_cannot_have_code_loaded(void** state) {
  (void)state;
  write_policy(in_directory("plugin.h5"), "plugin:evil.so", 3, 1, 0);
  assert_int_equal(play(in_directory("plugin.h5"), NULL), EXIT_FAILED);
  assert_says("err", "say that it may be loaded: --task plugin:evil.so");
}

static void files_without_a_policy_are_refused(void** state) {
  (void)state;
  const char* path = in_directory("empty.h5");
  H5File file;
  Error error = {0};
  assert_true(h5_create(&file, path, EPISODE_FORMAT, SEALED_VERSION, &error));
  assert_true(h5_seal(&file, &error));
  assert_int_equal(play(path, NULL), EXIT_FAILED);
  assert_says("err", "final/policy");
  assert_int_equal(play(in_directory("missing.h5"), NULL), EXIT_USAGE);
  assert_says("err", "missing.h5");
}

static void assert_same_table(const char* a, const char* b, const char* name) {
  Arena arena = {0};
  Error error = {0};
  H5Table x, y;
  assert_true(h5_table_read(&x, a, name, &arena, &error));
  assert_true(h5_table_read(&y, b, name, &arena, &error));
  assert_true(x.rows > 0 && x.rows == y.rows && x.columns == y.columns);
  assert_memory_equal(x.x, y.x, sizeof *x.x * (size_t)(x.rows * x.columns));
  arena_free(&arena);
}

// Free joints (Ant) too, whose quaternions a reset normalises.
static void states_come_back_bit_for_bit_from_env_replay(void** state) {
  const char* task = *state;
  char states[256], answer[256];
  Error error = {0};
  snprintf(states, sizeof states, "%s/%s.h5", directory, task);
  snprintf(answer, sizeof answer, "%s/%s-answer.h5", directory, task);
  assert_int_equal(play("--random", "--task", task, "--episodes", "3", "--steps", "40",
                        "--states", states, NULL), 0);
  if (!env_replay(task, ASSETS, states, answer, &error)) {
    fail_msg("%s", error.text);
  }
  assert_same_table(states, answer, "obs0");
  assert_same_table(states, answer, "obs");
  assert_same_table(states, answer, "reward");
  assert_same_table(states, answer, "terminated");
}

static void the_seed_decides(void** state) {
  (void)state;
  static char first[1 << 16];
  assert_int_equal(play("--random", "--task", "hopper-v4", "--json", "--seed", "5", NULL), 0);
  strcpy(first, text_of("out"));
  assert_int_equal(play("--random", "--task", "hopper-v4", "--json", "--seed", "5", NULL), 0);
  assert_string_equal(first, text_of("out"));
  assert_int_equal(play("--random", "--task", "hopper-v4", "--json", "--seed", "6", NULL), 0);
  assert_string_not_equal(first, text_of("out"));
}

static void wrong_usage_is_exit_2(void** state) {
  (void)state;
  assert_int_equal(play(NULL), EXIT_USAGE);
  assert_int_equal(play("--random", NULL), EXIT_USAGE);
  assert_int_equal(play("--random", "--task", "hopper-v4", "file.h5", NULL), EXIT_USAGE);
  assert_int_equal(play("--random", "--task", "hoper-v4", NULL), EXIT_USAGE);
  assert_says("err", "did you mean 'hopper-v4'");
  assert_int_equal(play("--random", "--task", "hopper-v4", "--episodes", "0", NULL), EXIT_USAGE);
  assert_int_equal(play("--random", "--task", "hopper-v4", "--size", "640", NULL), EXIT_USAGE);
  assert_says("err", "WIDTHxHEIGHT");
}

// A program `ffmpeg` that copies its input to its last argument, or fails.
static void install_ffmpeg(const char* script) {
  const char* path = in_directory("bin/ffmpeg");
  mkdir(in_directory("bin"), 0777);
  FILE* file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "#!/bin/sh\n%s\n", script);
  fclose(file);
  chmod(path, 0777);
  char list[4096];
  snprintf(list, sizeof list, "%s:/usr/bin:/bin", in_directory("bin"));
  setenv("PATH", list, 1);
}

static bool write_movie(const char* video, int frames, Error* error) {
  Movie movie;
  uint8_t rgb[3 * 8 * 4];
  if (!movie_open(&movie, NULL, video, 8, 4, 30, error)) {
    return false;
  }
  for (int i = 0; i < frames; i++) {
    memset(rgb, i, sizeof rgb);
    if (!movie_add(&movie, rgb, error)) {
      Error ignored;
      movie_close(&movie, &ignored);
      return false;
    }
  }
  return movie_close(&movie, error);
}

static void videos_go_through_ffmpeg(void** state) {
  (void)state;
  Error error = {0};
  struct stat info;
  const char* path = getenv("PATH");
  char old[4096];
  snprintf(old, sizeof old, "%s", path ? path : "");
  install_ffmpeg("for last; do :; done; exec cat > \"$last\"");
  assert_true(write_movie(in_directory("a movie.mp4"), 5, &error));
  assert_int_equal(stat(in_directory("a movie.mp4"), &info), 0);
  assert_int_equal(info.st_size, 5 * 3 * 8 * 4);
  install_ffmpeg("exit 1");
  assert_false(write_movie(in_directory("b.mp4"), 20000, &error));
  assert_non_null(strstr(error.text, "ffmpeg"));
  assert_false(write_movie(in_directory("c.mp4"), 1, &error));
  setenv("PATH", "/nowhere", 1);
  assert_false(write_movie(in_directory("d.mp4"), 1, &error));
  assert_non_null(strstr(error.text, "--frames DIR"));
  setenv("PATH", old, 1);
}

static void frames_are_numbered_png_files(void** state) {
  (void)state;
  const char* frames = in_directory("frames");
  int code = play("--zero", "--task", "hopper-v4", "--episodes", "1", "--steps", "6", "--every",
                  "3", "--size", "64x48", "--frames", frames, NULL);
  if (code != 0) {
    print_message("%s", text_of("err"));
    skip();  // no OpenGL here
  }
  static const char signature[] = "\x89PNG\r\n\x1a\n";
  assert_memory_equal(text_of("frames/frame-000002.png"), signature, 8);
  assert_int_equal(access(in_directory("frames/frame-000000.png"), R_OK), 0);
  assert_int_not_equal(access(in_directory("frames/frame-000003.png"), R_OK), 0);
}

static int remove_directory(void** state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", directory);
  return system(command);
}

static int make_directory(void** state) {
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

#define REPLAYED(task) \
  { task ": states_come_back_bit_for_bit_from_env_replay", \
    states_come_back_bit_for_bit_from_env_replay, NULL, NULL, task }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_policy_of_the_file_acts),
      cmocka_unit_test(the_best_hyper_episode_of_a_run_acts),
      cmocka_unit_test(a_policy_of_another_task_is_refused),
      cmocka_unit_test(a_file_cannot_have_code_loaded),
      cmocka_unit_test(files_without_a_policy_are_refused),
      REPLAYED("hopper-v4"), REPLAYED("ant-v5"), REPLAYED("pendulum-v1"),
#ifdef AUTOMBPO_BULLET
      REPLAYED("hopper-bullet"), REPLAYED("half-cheetah-bullet-paper"),
#endif
      cmocka_unit_test(the_seed_decides),
      cmocka_unit_test(wrong_usage_is_exit_2),
      cmocka_unit_test(videos_go_through_ffmpeg),
      cmocka_unit_test(frames_are_numbered_png_files),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
