// launch.c - the Slurm scripts of `autombpo launch` and `autombpo experiment launch`.
//
// Both have the same head: name, size, time limit, and a signal some time before the end. A run is
// watched over by the scripts of mpi_launch/, which are part of what is printed; a worker of an
// experiment watches over its runs itself, and the script only passes signals on and goes back into
// the queue.
#define _GNU_SOURCE
#include "cli/launch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIGNAL_MARGIN 120  // seconds before the time limit

#define DEFAULT_MAX_ARRAY_SIZE 1001

int launch_most_tasks(void) {
  FILE* said = popen("scontrol show config 2>/dev/null", "r");
  char line[256];
  int size = DEFAULT_MAX_ARRAY_SIZE;
  while (said && fgets(line, sizeof line, said)) {
    sscanf(line, " MaxArraySize = %d", &size);
  }
  if (said) {
    pclose(said);
  }
  return size > 1 ? size - 1 : 1;  // the largest index is one less
}

static int array_tasks(const LaunchScript* s) {
  int tasks = s->seeds.count > 0 ? s->seeds.count : s->tasks;
  return tasks < s->most_tasks ? tasks : s->most_tasks;
}

static void add_size(Text* out, const LaunchScript* s) {
  int tasks = array_tasks(s);
  if (tasks > 0) {
    text_add(out, "#SBATCH --array=0-%d\n", tasks - 1);
  }
  if (s->nodes > 0) {
    text_add(out, "#SBATCH --nodes=%d\n", s->nodes);
  }
  text_add(out, "#SBATCH --ntasks=%d\n#SBATCH --cpus-per-task=%d\n", s->workers,
           s->threads);
  if (s->bytes > 0) {
    bool by_node = s->nodes > 0 || s->workers == 1;
    text_add(out, "#SBATCH --mem%s=%.0fM\n", by_node ? "" : "-per-cpu",
             ceil(s->bytes / (by_node ? 1 : s->threads) / 0x1p20));
  }
}

// Slurm counts whole minutes.
static void add_time(Text* out, double seconds) {
  long minutes = (long)((seconds + 59) / 60);
  minutes = minutes < 1 ? 1 : minutes;
  text_add(out, "#SBATCH --time=%ld-%02ld:%02ld:00\n", minutes / 1440, minutes / 60 % 24,
           minutes % 60);
  // a short job must not be stopped as it starts
  long quarter = minutes * 15;
  text_add(out, "#SBATCH --signal=B:USR1@%ld\n",
           quarter < SIGNAL_MARGIN ? quarter : SIGNAL_MARGIN);
}

static void add_header(Text* out, const LaunchScript* s) {
  bool array = s->seeds.count > 0 || s->tasks > 0;
  text_add(out, "#!/usr/bin/env bash\n# %s\n# %s\n", s->title, s->reserved);
  text_add(out,
           "# Printed by autombpo launch; submit it with sbatch. Partition and account are\n"
           "# options of sbatch (or further #SBATCH lines here).\n");
  text_add(out, "#SBATCH --job-name=%s\n#SBATCH --output=%%x-%s.log\n", s->name,
           array ? "%A_%a" : "%j");
  add_size(out, s);
  add_time(out, s->seconds);
  text_add(out, "#SBATCH --requeue\n#SBATCH --open-mode=append\nset -euo pipefail\n\n");
}

static void add_run(Text* out, const LaunchScript* s) {
  text_add(out, "\n# %s\n\nexport AUTOMBPO=", "-----------------------------------------------");
  text_add_shell_word(out, s->program);
  text_add(out, "\ncd ");
  text_add_shell_word(out, s->directory);
  if (s->seeds.count > 0) {
    text_add(out, "\nseeds=(");
    for (int i = 0; i < s->seeds.count; i++) {
      text_add(out, i ? " %" PRId64 : "%" PRId64, s->seeds.seed[i]);
    }
    text_add(out, ")");
  }
  text_add(out, "\nrun=(train");
  for (int i = 0; i < s->operand_count; i++) {
    text_add(out, " ");
    text_add_shell_word(out, s->operands[i]);
  }
  if (s->seeds.count == 0) {
    text_add(out, ")\nslurm_run \"${run[@]}\"\n");
    return;
  }
  text_add(out,
           ")\nfor ((i = SLURM_ARRAY_TASK_ID; i < ${#seeds[@]}; i += %d)); do\n"
           "  slurm_run \"${run[@]}\" \"run.seed=${seeds[i]}\"\n"
           "done\n", array_tasks(s));
}

// A worker ends with 75 when it was told to stop, and goes on where it was as the job comes back.
static const char experiment_worker[] =
    "worker=\n"
    "trap '[[ -z $worker ]] || kill -USR1 \"$worker\"' USR1\n"
    "trap '[[ -z $worker ]] || kill -TERM \"$worker\"; cancelled=yes' TERM\n"
    "cancelled=\n"
    "export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1\n";

static const char experiment_end[] =
    " &\n"
    "worker=$!\n"
    "code=0\n"
    "while :; do\n"
    "  code=0\n"
    "  wait \"$worker\" || code=$?\n"
    "  kill -0 \"$worker\" 2>/dev/null || break # else a signal ended the wait\n"
    "done\n"
    "if [[ $code == 75 && -z $cancelled ]]; then\n"
    "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\" && exit 0\n"
    "fi\n"
    "exit $code\n";

void launch_print_experiment(Text* out, const LaunchScript* s) {
  add_header(out, s);
  text_add(out, "%scd ", experiment_worker);
  text_add_shell_word(out, s->directory);
  text_add(out, "\n");
  text_add_shell_word(out, s->program);
  text_add(out, " experiment run --jobs=1");
  for (int i = 0; i < s->operand_count; i++) {
    text_add(out, " ");
    text_add_shell_word(out, s->operands[i]);
  }
  text_add(out, "%s", experiment_end);
}

void launch_print(Text* out, const LaunchScript* s) {
  add_header(out, s);
  text_add(out, "%s\n%s", launch_supervise, launch_slurm);
  add_run(out, s);
}
