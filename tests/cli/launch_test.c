// The script that autombpo launch prints: what its options ask for, and words that a shell keeps.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/launch.h"

static const char* print(Arena* arena, const LaunchScript* script) {
  Text text;
  text_init(&text, arena);
  launch_print(&text, script);
  return text.bytes;
}

static const LaunchScript job = {
    .title = "title", .reserved = "why", .name = "name", .program = "/bin/autombpo",
    .directory = "/a b", .workers = 8, .threads = 1,
    .most_tasks = 1000, .seconds = 5400, .bytes = 0x1p20 * 99.5};

static void words_are_quoted_for_the_shell(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  LaunchScript script = job;
  char* operands[] = {"a.yaml", "run.dir=it's $HOME", "ppo.stages=[2]", ""};
  script.operand_count = 4;
  script.operands = operands;
  const char* text = print(&arena, &script);
  assert_non_null(strstr(text, "\ncd '/a b'\n"));
  assert_non_null(
      strstr(text, "\nrun=(train a.yaml 'run.dir=it'\\''s $HOME' 'ppo.stages=[2]' '')\n"));
  arena_free(&arena);
}

static void sizes_and_times_become_options_of_sbatch(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  LaunchScript script = job;
  script.nodes = 2;
  const char* text = print(&arena, &script);
  assert_non_null(strstr(text, "\n#SBATCH --nodes=2\n#SBATCH --ntasks=8\n"));
  assert_non_null(strstr(text, "\n#SBATCH --time=0-01:30:00\n#SBATCH --signal=B:USR1@120\n"));
  assert_non_null(strstr(text, "\n#SBATCH --mem=100M\n"));
  assert_null(strstr(text, "--array"));
  script.nodes = 0;
  script.tasks = 16;
  script.seconds = 200000;  // 2 days, 7 hours, 33 minutes and 20 seconds
  text = print(&arena, &script);
  assert_non_null(strstr(text, "\n#SBATCH --array=0-15\n"));
  assert_non_null(strstr(text, "\n#SBATCH --time=2-07:34:00\n"));
  assert_non_null(strstr(text, "\n#SBATCH --mem-per-cpu=100M\n"));
  assert_non_null(strstr(text, "\n#SBATCH --ntasks=8\n#SBATCH --cpus-per-task=1\n"));
  script.threads = 4;
  text = print(&arena, &script);
  assert_non_null(strstr(text, "\n#SBATCH --ntasks=8\n#SBATCH --cpus-per-task=4\n"));
  assert_non_null(strstr(text, "\n#SBATCH --mem-per-cpu=25M\n"));
  arena_free(&arena);
}

static void a_short_job_is_signalled_in_its_last_quarter(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  LaunchScript script = job;
  script.seconds = 120;
  const char* text = print(&arena, &script);
  assert_non_null(strstr(text, "--time=0-00:02:00\n#SBATCH --signal=B:USR1@30\n"));
  arena_free(&arena);
}

static void each_seed_is_an_array_task(void** state) {
  (void)state;
  Arena arena;
  arena_init(&arena);
  LaunchScript script = job;
  int64_t three[] = {1, 5, 8};
  script.seeds = (Seeds){3, three};
  const char* text = print(&arena, &script);
  assert_non_null(strstr(text, "\n#SBATCH --array=0-2\n"));
  assert_non_null(strstr(text, "\nseeds=(1 5 8)\n"));
  assert_non_null(strstr(text, "i += 3)); do\n  slurm_run \"${run[@]}\" \"run.seed=${seeds[i]}\"\n"));
  script.most_tasks = 2;  // the third seed follows in the first task
  text = print(&arena, &script);
  assert_non_null(strstr(text, "\n#SBATCH --array=0-1\n"));
  assert_non_null(strstr(text, "for ((i = SLURM_ARRAY_TASK_ID; i < ${#seeds[@]}; i += 2)); do\n"));
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_quoted_for_the_shell),
      cmocka_unit_test(sizes_and_times_become_options_of_sbatch),
      cmocka_unit_test(a_short_job_is_signalled_in_its_last_quarter),
      cmocka_unit_test(each_seed_is_an_array_task),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
