// The Bullet tasks beyond what env_test.c checks of every task, and the reader of their models.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/bullet_model.h"
#include "env/env.h"

#define ASSETS SOURCE_DIR "/configs/mjcf"
#define MAX_OBS 26

static Arena arena;

static void read_model(BulletModel* model, const char* file) {
  char path[1024];
  Error error = {0};
  snprintf(path, sizeof path, "%s/%s", ASSETS, file);
  if (!bullet_model_read(model, path, &error)) {
    fail_msg("%s", error.text);
  }
}

static double mass_of(const BulletModel* model, const char* body) {
  int link = bullet_model_body(model, body);
  assert_true(link >= 0);
  return model->links[link].mass;
}

// A capsule of water; the file's numbers are rounded to float, hence 1e-6.
static void assert_capsule_mass(double mass, double radius, double length) {
  double expected = 1000 * M_PI * radius * radius * (length + 4. / 3 * radius);
  assert_true(fabs(mass - expected) < 1e-6 * expected);
}

static void masses_are_those_of_capsules_of_water(void** state) {
  (void)state;
  BulletModel model;
  read_model(&model, "hopper_bullet.xml");
  assert_int_equal(model.link_count, 10);
  assert_capsule_mass(mass_of(&model, "torso"), .05, .4);
  assert_capsule_mass(mass_of(&model, "leg"), .04, .5);
  assert_capsule_mass(mass_of(&model, "foot"), .06, .39);
  read_model(&model, "half_cheetah_bullet.xml");
  assert_true(mass_of(&model, "bfoot") == 10);  // <inertial>
  assert_capsule_mass(mass_of(&model, "bthigh"), .046, .29);
}

static void joints_have_the_limits_of_the_file_in_radians(void** state) {
  (void)state;
  BulletModel model;
  read_model(&model, "hopper_bullet.xml");
  const BulletLink* thigh = &model.links[bullet_model_joint(&model, "thigh_joint")];
  assert_true(thigh->limited && thigh->upper == 0);
  assert_true(fabs(thigh->lower + 150 * M_PI / 180) < 1e-6);
  assert_int_equal(thigh->parent, bullet_model_body(&model, "torso"));
  assert_false(model.links[bullet_model_joint(&model, "ignore_x")].limited);
  read_model(&model, "half_cheetah_bullet.xml");
  const BulletLink* foot = &model.links[bullet_model_joint(&model, "ffoot")];
  assert_true(foot->lower == (double)-3.1f && foot->upper == (double)-.3f);
}

// Places of joints and centres of mass add up to those of the stretched pose.
static void links_stand_where_the_file_puts_them(void** state) {
  (void)state;
  BulletModel model;
  read_model(&model, "hopper_bullet.xml");
  double center[BULLET_MAX_LINKS][3];
  for (int i = 0; i < model.link_count; i++) {
    const BulletLink* link = &model.links[i];
    for (int k = 0; k < 3; k++) {
      double parent = link->parent < 0 ? 0 : center[link->parent][k];
      center[i][k] = parent + link->from_parent[k] + link->to_center[k];
    }
  }
  assert_true(fabs(center[bullet_model_body(&model, "torso")][2] - 1.25) < 1e-6);
  assert_true(fabs(center[bullet_model_body(&model, "leg")][2] - .35) < 1e-6);
  assert_true(fabs(center[bullet_model_body(&model, "foot")][0] - .065) < 1e-6);
  assert_true(fabs(center[bullet_model_body(&model, "foot")][2] - .1) < 1e-6);
}

#define BODY(inside) "<mujoco><worldbody><body name='torso'>" inside "</body></worldbody></mujoco>"
#define JOINT "<joint name='x' type='slide' axis='1 0 0'/>"
#define GEOM "<geom type='capsule' size='.1' fromto='0 0 0 0 0 1'/>"

static void broken_models_are_errors_that_say_what(void** state) {
  (void)state;
  const char* const cases[][2] = {
      {"<mujoco/>", "expected a body"},
      {BODY(GEOM), "expected a body with a joint"},
      {BODY(JOINT), "needs a geom"},
      {BODY("<joint name='x' type='ball'/>" GEOM), "slide or hinge"},
      {BODY("<joint type='slide'/>" GEOM), "name"},
      {BODY("<joint name='x' type='hinge' limited='true'/>" GEOM), "range"},
      {BODY("<joint name='x' type='hinge' axis='1 0'/>" GEOM), "2 numbers, not 3"},
      {BODY(JOINT "<geom type='box' size='1'/>"), "capsule or sphere"},
      {BODY(JOINT "<geom type='sphere' size='nan'/>"), "size"},
      {BODY(JOINT "<geom type='sphere' size='0'/>"), "positive size"},
      {BODY(JOINT "<geom type='sphere' size='1 x'/>"), "must be numbers"},
      {BODY(JOINT GEOM "<inertial mass='-1'/>"), "positive mass"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[] = "/tmp/autombpo-bullet-XXXXXX";
    int handle = mkstemp(path);
    assert_int_equal(write(handle, cases[i][0], strlen(cases[i][0])), strlen(cases[i][0]));
    close(handle);
    Error error = {0};
    BulletModel model;
    bool ok = bullet_model_read(&model, path, &error);
    remove(path);
    if (ok || !strstr(error.text, cases[i][1])) {
      fail_msg("%s: '%s', expected '%s'", cases[i][0], error.text, cases[i][1]);
    }
  }
}

#ifdef AUTOMBPO_BULLET

static void open_env(Env* env, const char* id) {
  Error error = {0};
  if (!env_open(env, id, ASSETS, &arena, &error)) {
    fail_msg("%s", error.text);
  }
}

static void draw_action(double* act, const Env* env, Rng* rng) {
  for (int a = 0; a < env->spec.act_size; a++) {
    act[a] = rng_range(rng, -1.2, 1.2);
  }
}

static void transfer(Env* to, Env* from) {
  ArchiveMemory memory = {0};
  Archive save, load, again;
  archive_init_memory(&save, ARCHIVE_SAVE, &memory);
  env_visit(from, &save, "env");
  archive_init_memory(&load, ARCHIVE_LOAD, &memory);
  env_visit(to, &load, "env");
  assert_false(load.failed);
  archive_init_checksum(&again);
  env_visit(to, &again, "env");
  assert_true(again.checksum == save.checksum);
  archive_memory_free(&memory);
}

// Two environments take turns: each step is made by the other one, loaded with the state of the
// first. A third one goes straight on.
static void an_episode_may_move_between_environments_at_every_step(void** state) {
  Env straight, pair[2];
  open_env(&straight, *state);
  open_env(&pair[0], *state);
  open_env(&pair[1], *state);
  double obs[MAX_OBS], other_obs[MAX_OBS], act[6];
  Rng rng = rng_stream(3, 0, RNG_TEST, 0);
  Rng same = rng;
  env_reset(&straight, obs, &rng);
  env_reset(&pair[0], other_obs, &same);
  for (int t = 0; t < 400; t++) {
    draw_action(act, &straight, &rng);
    EnvStep step = env_step(&straight, obs, act);
    transfer(&pair[(t + 1) % 2], &pair[t % 2]);
    EnvStep other = env_step(&pair[(t + 1) % 2], other_obs, act);
    assert_memory_equal(obs, other_obs, sizeof *obs * (size_t)straight.spec.obs_size);
    assert_memory_equal(&step.reward, &other.reward, sizeof step.reward);
    if (step.terminated) {
      same = rng;
      env_reset(&straight, obs, &rng);
      env_reset(&pair[(t + 1) % 2], other_obs, &same);
    }
  }
  env_close(&straight);
  env_close(&pair[0]);
  env_close(&pair[1]);
}

// Contacts last from one episode to the next in PyBullet (and in env_set_state), not after a reset.
static void a_reset_forgets_everything(void** state) {
  Env used, fresh;
  open_env(&used, *state);
  double obs[MAX_OBS], other_obs[MAX_OBS], act[6];
  Rng rng = rng_stream(4, 0, RNG_TEST, 0);
  for (int e = 0; e < 100; e++) {
    open_env(&fresh, *state);
    Rng same = rng;
    env_reset(&used, obs, &rng);
    env_reset(&fresh, other_obs, &same);
    for (int t = 0; t < 20; t++) {
      draw_action(act, &used, &rng);
      bool over = env_step(&used, obs, act).terminated;
      env_step(&fresh, other_obs, act);
      assert_memory_equal(obs, other_obs, sizeof *obs * (size_t)used.spec.obs_size);
      if (over) {
        break;
      }
    }
    env_close(&fresh);
  }
  env_close(&used);
}

static bool ends(const char* id, int index, double value) {
  Env env;
  open_env(&env, id);
  double obs[MAX_OBS] = {0};
  assert_false(env.spec.terminated(obs));
  obs[index] = value;
  bool result = env.spec.terminated(obs);
  env_close(&env);
  return result;
}

static void robots_fall_at_the_bounds_of_height_and_pitch(void** state) {
  const char* id = *state;
  assert_true(ends(id, 0, -.451));
  assert_false(ends(id, 0, -.449));
  assert_true(ends(id, 7, 1.0));
  assert_true(ends(id, 7, -1.01));
  assert_false(ends(id, 7, -.99));
  assert_true(ends(id, 12, NAN));
}

static void the_cheetah_never_ends(void** state) {
  Env env;
  open_env(&env, *state);
  assert_null(env.spec.terminated);
  env_close(&env);
}

#define TEST(law, id) \
  { id ": " #law, law, NULL, NULL, id }

#else

static void the_tasks_say_that_bullet_is_missing(void** state) {
  (void)state;
  Env env;
  Error error = {0};
  assert_false(env_open(&env, "hopper-bullet", ASSETS, &arena, &error));
  assert_non_null(strstr(error.text, "no Bullet"));
}

#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(masses_are_those_of_capsules_of_water),
    cmocka_unit_test(joints_have_the_limits_of_the_file_in_radians),
    cmocka_unit_test(links_stand_where_the_file_puts_them),
    cmocka_unit_test(broken_models_are_errors_that_say_what),
#ifdef AUTOMBPO_BULLET
    TEST(an_episode_may_move_between_environments_at_every_step, "hopper-bullet"),
    TEST(an_episode_may_move_between_environments_at_every_step, "walker2d-bullet"),
    TEST(an_episode_may_move_between_environments_at_every_step, "half-cheetah-bullet"),
    TEST(a_reset_forgets_everything, "hopper-bullet"),
    TEST(a_reset_forgets_everything, "walker2d-bullet"),
    TEST(a_reset_forgets_everything, "half-cheetah-bullet"),
    TEST(robots_fall_at_the_bounds_of_height_and_pitch, "hopper-bullet"),
    TEST(robots_fall_at_the_bounds_of_height_and_pitch, "walker2d-bullet-paper"),
    TEST(the_cheetah_never_ends, "half-cheetah-bullet"),
#else
    cmocka_unit_test(the_tasks_say_that_bullet_is_missing),
#endif
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  arena_free(&arena);
  return failed;
}
