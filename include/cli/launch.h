// launch.h - the Slurm script of a run.
//
// The script is whole: it holds the functions of mpi_launch/supervise.sh and slurm.sh, and needs
// only the program and the configuration files.
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "base/text.h"
#include "run/seeds.h"

// The texts of mpi_launch/supervise.sh and slurm.sh, part of the program.
extern const char launch_supervise[];
extern const char launch_slurm[];

typedef struct {
  const char* title;      // one line for its reader
  const char* reserved;   // another: what time and memory follow from
  const char* name;       // of the job
  const char* program;    // absolute
  const char* directory;  // where the operands' relative paths start
  int nodes;              // 0 = as Slurm likes
  int workers;            // ranks that run hyper-episodes; 1 = one process without MPI
  int threads;            // of each
  int tasks;              // array tasks that share one run; 0 = no array
  int most_tasks;         // of an array: further seeds follow in the same tasks
  double seconds;         // time limit
  double bytes;           // memory of a node, or of a rank if it is not said on how many nodes;
                          // 0 = not known
  Seeds seeds;            // array tasks that are runs of their own
  int operand_count;
  char* const* operands;  // (operand_count) of `autombpo train`
} LaunchScript;

// Most tasks of an array: MaxArraySize of this cluster, or Slurm's default.
int launch_most_tasks(void);

// Appends the script.
void launch_print(Text* out, const LaunchScript* script);

// The script of an array whose tasks work on one experiment, each at one process at a time;
// operands are those of `autombpo experiment run`.
void launch_print_experiment(Text* out, const LaunchScript* script);

#endif  // CLI_LAUNCH_H
