// plan.h - what a resolved configuration comes to, worked out before anything is run.
//
// Rows, bytes and updates are those of the functions that the run itself uses.
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "run/run_config.h"
#include "hyper/hyper_episode.h"

typedef struct {
  HyperEpisodeBytes episode;  // of each rank
  double scheduler;           // of rank 0, beside that
  double imagined_rows;       // of D_model, with the largest k
} PlanBytes;

// At most, of any hyper-episode.
PlanBytes plan_bytes(const RunSpec* x, const EnvSpec* spec);

// Of a rank, rank 0 included.
double plan_bytes_of_rank(const PlanBytes* bytes);

// Appends "a rank 2.4 GB: D_model 2.1, D_env 0.2, ...".
void plan_format_bytes(const PlanBytes* bytes, Text* out);

// Appends the plan, for people.
void plan_format(const RunConfig* config, Text* out);

#endif  // RUN_PLAN_H
