// Laws of opening a task whose files the disk does not give: the disk is blamed, not the files, and none is left out.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../refused.h"
#include "env/env.h"
#include "env/env_files.h"

#define ASSETS SOURCE_DIR "/configs/mjcf"

static EnvFile files[ENV_MAX_FILES];  // of a task that was opened before any call was refused

static bool open_task(const char* directory, Error* error) {
  (void)directory;
  Arena arena;
  Env env;
  arena_init(&arena);
  bool good = env_open(&env, "inverted-pendulum-v4", ASSETS, &arena, error);
  CHECK(good || error->transient, "a file is blamed: %s", error->text);
  if (good) {
    CHECK(!env_changed_file(&env.spec, files), "%s is left out", env_changed_file(&env.spec, files));
    env_close(&env);
  }
  arena_free(&arena);
  return good;
}

static void a_disk_that_fails_is_blamed(void** state) {
  (void)state;
  Arena arena;
  Env env;
  Error error;
  arena_init(&arena);
  assert_true(env_open(&env, "inverted-pendulum-v4", ASSETS, &arena, &error));
  memcpy(files, env.spec.files, sizeof files);
  env_close(&env);
  arena_free(&arena);
  each_call_refused(NULL, open_task, EIO);
  each_call_refused(NULL, open_task, ENOMEM);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_disk_that_fails_is_blamed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
