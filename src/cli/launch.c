#include "cli/launch.h"

#include <inttypes.h>
#include <string.h>

#define SIGNAL_MARGIN 120  // seconds before the time limit

static void add_size(Text* out, const LaunchScript* s) {
  int tasks = s->seeds.count > 0 ? s->seeds.count : s->tasks;
  if (tasks > 0) {
    text_add(out, "#SBATCH --array=0-%d\n", tasks - 1);
  }
  if (s->nodes > 0) {
    text_add(out, "#SBATCH --nodes=%d\n", s->nodes);
  }
  text_add(out, "#SBATCH --ntasks=%d\n#SBATCH --cpus-per-task=1\n", s->workers);
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
  text_add(out, "#!/usr/bin/env bash\n# %s\n", s->title);
  text_add(out,
           "# Printed by autombpo launch; submit it with sbatch. Partition, account and memory\n"
           "# are options of sbatch (or further #SBATCH lines here).\n");
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
  text_add(out, "\nslurm_run train");
  for (int i = 0; i < s->operand_count; i++) {
    text_add(out, " ");
    text_add_shell_word(out, s->operands[i]);
  }
  text_add(out, s->seeds.count > 0 ? " \"run.seed=${seeds[SLURM_ARRAY_TASK_ID]}\"\n" : "\n");
}

void launch_print(Text* out, const LaunchScript* s) {
  add_header(out, s);
  text_add(out, "%s\n%s", launch_supervise, launch_slurm);
  add_run(out, s);
}
