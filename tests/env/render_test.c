// Pictures: what is drawn is the pose, seen by a camera that follows, on a floor that stands still.
// All tests are skipped where no OpenGL can be started.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/render.h"

#define WIDTH 160
#define HEIGHT 120
#define SIZE (3 * WIDTH * HEIGHT)

typedef struct {
  Arena arena;
  Renderer* renderer;
} Stage;

static void open_stage(Stage* stage, const char* model, const char* camera) {
  char path[1024];
  Error error = {0};
  RenderOptions options = {WIDTH, HEIGHT, camera};
  snprintf(path, sizeof path, SOURCE_DIR "/configs/mjcf/%s", model);
  *stage = (Stage){0};
  if (!renderer_open(&stage->renderer, path, &options, &stage->arena, &error)) {
    print_message("%s\n", error.text);
    arena_free(&stage->arena);
    skip();
  }
}

static void close_stage(Stage* stage) {
  renderer_close(stage->renderer);
  arena_free(&stage->arena);
}

static bool is_shell(const uint8_t* pixel) {  // the orange of torsos
  return pixel[0] > 130 && pixel[1] < 0.75 * pixel[0] && pixel[2] < 0.5 * pixel[0];
}

static int count_shell(const uint8_t* rgb, int first_column, int end_column) {
  int count = 0;
  for (int i = 0; i < WIDTH * HEIGHT; i++) {
    int x = i % WIDTH;
    count += x >= first_column && x < end_column && is_shell(rgb + 3 * i);
  }
  return count;
}

static int count_different(const uint8_t* a, const uint8_t* b) {
  int count = 0;
  for (int i = 0; i < WIDTH * HEIGHT; i++) {
    int difference = abs(a[3 * i] - b[3 * i]) + abs(a[3 * i + 2] - b[3 * i + 2]);
    count += difference > 10;
  }
  return count;
}

// Standing hoppers: the sky above, the floor below, the torso upright in the middle of the upper
// half. Bullet's robot is drawn from the same kind of file.
static void the_robot_stands_in_the_middle(void** state) {
  Stage stage;
  open_stage(&stage, *state, NULL);
  static uint8_t rgb[SIZE];
  const double qpos[6] = {0, strstr(*state, "bullet") ? 0 : 1.25};
  renderer_draw(stage.renderer, rgb, qpos);
  const uint8_t* sky = rgb + 3 * (2 * WIDTH + 5);
  const uint8_t* floor = rgb + 3 * ((HEIGHT - 3) * WIDTH + 5);
  assert_true(sky[0] > 150 && sky[2] > 200);
  assert_true(floor[0] < 120 && floor[2] < 150);
  assert_true(count_shell(rgb, WIDTH / 2 - 8, WIDTH / 2 + 8) > 30);
  assert_int_equal(count_shell(rgb, 0, WIDTH / 4), 0);
  assert_int_equal(count_shell(rgb, 3 * WIDTH / 4, WIDTH), 0);
  close_stage(&stage);
}

static void equal_poses_give_equal_pictures_and_others_do_not(void** state) {
  (void)state;
  Stage stage;
  open_stage(&stage, "half_cheetah.xml", NULL);
  static uint8_t first[SIZE], again[SIZE], other[SIZE];
  double qpos[9] = {0};
  renderer_draw(stage.renderer, first, qpos);
  qpos[5] = 0.7;
  renderer_draw(stage.renderer, other, qpos);
  qpos[5] = 0;
  renderer_draw(stage.renderer, again, qpos);
  assert_memory_equal(first, again, SIZE);
  assert_true(count_different(first, other) > 20);
  close_stage(&stage);
}

// The pattern repeats every metre; 300 m are beyond the floor of the original task.
static void the_camera_follows_and_the_floor_stands_still(void** state) {
  (void)state;
  Stage stage;
  open_stage(&stage, "half_cheetah.xml", NULL);
  static uint8_t here[SIZE], near[SIZE], far[SIZE];
  double qpos[9] = {0};
  renderer_draw(stage.renderer, here, qpos);
  qpos[0] = 0.5;
  renderer_draw(stage.renderer, near, qpos);
  qpos[0] = 300;
  renderer_draw(stage.renderer, far, qpos);
  assert_true(count_different(here, near) > WIDTH * HEIGHT / 10);
  assert_true(count_different(here, far) < WIDTH * HEIGHT / 50);
  assert_true(count_shell(far, 0, WIDTH) > 30);
  close_stage(&stage);
}

static void bad_models_and_cameras_are_errors(void** state) {
  (void)state;
  Arena arena = {0};
  Error error = {0};
  Renderer* renderer;
  RenderOptions options = {WIDTH, HEIGHT, "nobody"};
  const char* hopper = SOURCE_DIR "/configs/mjcf/hopper.xml";
  assert_false(renderer_open(&renderer, hopper, &options, &arena, &error));
  assert_non_null(strstr(error.text, "no camera 'nobody'"));
  options.camera = NULL;
  assert_false(renderer_open(&renderer, "/nowhere.xml", &options, &arena, &error));
  assert_non_null(strstr(error.text, "/nowhere.xml"));
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      {"hopper: the_robot_stands_in_the_middle", the_robot_stands_in_the_middle, NULL, NULL,
       "hopper.xml"},
      {"bullet: the_robot_stands_in_the_middle", the_robot_stands_in_the_middle, NULL, NULL,
       "hopper_bullet.xml"},
      cmocka_unit_test(equal_poses_give_equal_pictures_and_others_do_not),
      cmocka_unit_test(the_camera_follows_and_the_floor_stands_still),
      cmocka_unit_test(bad_models_and_cameras_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
