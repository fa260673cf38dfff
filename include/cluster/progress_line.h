// progress_line.h - the line that tells how far a run is, as much of it as fits a terminal.
#ifndef CLUSTER_PROGRESS_LINE_H
#define CLUSTER_PROGRESS_LINE_H

#include "cluster/protocol.h"

typedef struct {
  double share;              // of the real samples of the whole run
  double eta;                // seconds; NaN = not known yet
  double steps_per_second;
  bool learns;
  int stage;
  int64_t sealed, total;     // hyper-episodes
  int64_t diverged;
  int epochs;                // of one hyper-episode
  const Progress* running;   // of the only one that runs; NULL = none, or several
  double best_score;
  int64_t best_episode;      // -1 = none yet
} ProgressFacts;

// The most important parts that fit into size - 1 characters.
void progress_line(char* out, size_t size, const ProgressFacts* facts);

// "3h05m", "4m10s"; "?" where it is not known.
void progress_duration(char out[32], double seconds);

// Columns of the terminal on stderr: what it says, else COLUMNS, else 80.
int progress_columns(void);

#endif  // CLUSTER_PROGRESS_LINE_H
